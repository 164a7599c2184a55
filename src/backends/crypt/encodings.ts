import { AppError } from '../../base/error.ts'

/** A way to write bytes as a name. `decode` throws `invalid` for a text that it cannot have written. */
export interface NameEncoding {
  encode(bytes: Uint8Array): string
  decode(text: string): Uint8Array
}

export type EncodingName = 'base32' | 'base64' | 'base32768'

/** An encoding of crypt names: all of them survive in the names of common storage, the later ones are shorter. */
export async function nameEncoding(name: EncodingName): Promise<NameEncoding> {
  if (name === 'base32') return { encode: encodeBase32, decode: decodeBase32 }
  if (name === 'base64') return { encode: (bytes) => Buffer.from(bytes).toString('base64url'), decode: decodeBase64 }
  const { encode, decode } = await import('base32768')
  return { encode, decode: (text) => checked(decode, text) }
}

/** RFC 4648 section 7, in lower case and without padding. */
const digits = '0123456789abcdefghijklmnopqrstuv'

function encodeBase32(bytes: Uint8Array): string {
  let text = ''
  let value = 0
  let bits = 0
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xfff
    bits += 8
    for (; bits >= 5; bits -= 5) text += digits[(value >> (bits - 5)) & 31]
  }
  return bits > 0 ? text + digits[(value << (5 - bits)) & 31] : text
}

/** Case does not matter: some storage does not keep it. */
function decodeBase32(text: string): Uint8Array {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8))
  let value = 0
  let bits = 0
  let at = 0
  for (const char of text.toLowerCase()) {
    const digit = digits.indexOf(char)
    if (digit < 0) throw new AppError('invalid', 'bad base32 filename encoding')
    value = ((value << 5) | digit) & 0xfff
    bits += 5
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = value >> bits
  }
  return bytes
}

function decodeBase64(text: string): Uint8Array {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1) throw new AppError('invalid', 'bad base64 filename encoding')
  return Buffer.from(text, 'base64url')
}

function checked(decode: (text: string) => Uint8Array, text: string): Uint8Array {
  try {
    return decode(text)
  } catch (cause) {
    throw new AppError('invalid', 'bad base32768 filename encoding', { cause })
  }
}
