import { type Cipheriv, createCipheriv, createDecipheriv, type Decipheriv } from 'node:crypto'

const BLOCK = 16

/**
 * AES-256 in EME mode (Halevi and Rogaway, "A parallelizable enciphering mode"): a text of whole blocks becomes one of the
 * same length, each bit of which depends on all of it. Equal texts give equal results, which is what names need.
 */
export class Eme {
  readonly #tweak: Uint8Array
  readonly #encrypt: Cipheriv
  readonly #decrypt: Decipheriv
  /** The mask of each block; made for as many as the longest text had. */
  #masks: Uint8Array[]

  constructor(key: Uint8Array, tweak: Uint8Array) {
    this.#tweak = tweak
    this.#encrypt = createCipheriv('aes-256-ecb', key, null).setAutoPadding(false)
    this.#decrypt = createDecipheriv('aes-256-ecb', key, null).setAutoPadding(false)
    this.#masks = [doubled(this.#encrypt.update(new Uint8Array(BLOCK)))]
  }

  /** `text` has whole blocks of 16 bytes, at least one. */
  encrypt(text: Uint8Array): Uint8Array {
    return this.#transform(text, this.#encrypt)
  }

  decrypt(text: Uint8Array): Uint8Array {
    return this.#transform(text, this.#decrypt)
  }

  #transform(text: Uint8Array, aes: Cipheriv | Decipheriv): Uint8Array {
    const mask = this.#mask(text.length / BLOCK)
    const inner = aes.update(xor(text, mask))
    const sum = xor(this.#tweak, summed(inner))
    const middle = aes.update(sum)
    let spread = xor(sum, middle)
    for (let at = BLOCK; at < inner.length; at += BLOCK) {
      spread = doubled(spread)
      const block = inner.subarray(at, at + BLOCK)
      block.set(xor(block, spread))
    }
    inner.fill(0, 0, BLOCK)
    inner.set(xor(xor(middle, this.#tweak), summed(inner)))
    return xor(aes.update(inner), mask)
  }

  #mask(blocks: number): Uint8Array {
    while (this.#masks.length < blocks) this.#masks.push(doubled(this.#masks.at(-1) as Uint8Array))
    return Buffer.concat(this.#masks.slice(0, blocks))
  }
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0))
}

/** All blocks of a text, xored. */
function summed(text: Uint8Array): Uint8Array {
  const sum = new Uint8Array(BLOCK)
  for (let i = 0; i < text.length; i++) sum[i % BLOCK] = (sum[i % BLOCK] ?? 0) ^ (text[i] ?? 0)
  return sum
}

/** Multiplies by two in GF(2^128), the first byte being the lowest. */
function doubled(block: Uint8Array): Uint8Array {
  const carry = (block[BLOCK - 1] ?? 0) >> 7
  return block.map((byte, i) => (byte << 1) ^ (i === 0 ? carry * 0x87 : (block[i - 1] ?? 0) >> 7))
}
