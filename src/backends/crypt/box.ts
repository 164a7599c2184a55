/** Bytes by which a sealed block is longer: they come first, and prove that the rest is as it was written. */
export const TAG = 16

/** XSalsa20-Poly1305 of single blocks, under one key. What is written may overlap what is read. */
export interface SecretBox {
  /** Writes the block of a text, which is `TAG` bytes longer. */
  seal(text: Uint8Array, nonce: Uint8Array, block: Uint8Array): void
  /** Writes the text of a block. False when it was not sealed with this key and nonce. */
  open(block: Uint8Array, nonce: Uint8Array, text: Uint8Array): boolean
}

/** The fastest box that there is for a key of 32 bytes: native code where `sodium-native` is installed, else WebAssembly. */
export async function secretBox(key: Uint8Array): Promise<SecretBox> {
  return (await nativeBox(key)) ?? (await portableBox(key))
}

/** Undefined when `sodium-native` is not installed, or has no program for this system. */
export async function nativeBox(key: Uint8Array): Promise<SecretBox | undefined> {
  try {
    const { default: sodium } = await import('sodium-native')
    return {
      seal: (text, nonce, block) => sodium.crypto_secretbox_easy(block, text, nonce, key),
      open: (block, nonce, text) => sodium.crypto_secretbox_open_easy(text, block, nonce, key),
    }
  } catch {
    return undefined
  }
}

/** Runs wherever we do. */
export async function portableBox(key: Uint8Array): Promise<SecretBox> {
  const { default: sodium } = await import('libsodium-wrappers')
  await sodium.ready
  return {
    seal: (text, nonce, block) => block.set(sodium.crypto_secretbox_easy(text, nonce, key)),
    open(block, nonce, text) {
      try {
        text.set(sodium.crypto_secretbox_open_easy(block, nonce, key))
        return true
      } catch {
        return false
      }
    },
  }
}
