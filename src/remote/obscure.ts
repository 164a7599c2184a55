import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { AppError } from '../base/error.ts'

// The key is public: this keeps passwords from being read over a shoulder, nothing more.
const key = Buffer.from('9c935b48730a554d6bfd7c63c886a92bd390198eb8128afbf4de162b8b95f638', 'hex')
const IV_LENGTH = 16

/** Writes a password the way rclone.conf keeps it (serve-http.md 3.9). `iv` is for tests; it is random otherwise. */
export function obscure(clear: string, iv: Uint8Array = randomIv()): string {
  const cipher = createCipheriv('aes-256-ctr', key, iv)
  return Buffer.concat([iv, cipher.update(clear, 'utf8'), cipher.final()]).toString('base64url')
}

/** A text that starts with `-` would be taken for a flag when it is given to a command: 62 as the first six bits is left out. */
function randomIv(): Uint8Array {
  const iv = randomBytes(IV_LENGTH)
  return (iv[0] ?? 0) >> 2 === 62 ? randomIv() : iv
}

/** The password that `obscure` wrote. Throws `invalid` when the text cannot come from it. */
export function reveal(text: string): string {
  return revealBytes(text).toString('utf8')
}

/**
 * True when a text may be a password that is obscured already: it reveals to readable text. A clear password of that form is
 * unlikely, but possible: that is why `config create` has `--obscure` and `--no-obscure`.
 */
export function isObscured(text: string): boolean {
  try {
    const clear = new TextDecoder('utf-8', { fatal: true }).decode(revealBytes(text))
    return !/\p{Cc}/u.test(clear)
  } catch {
    return false
  }
}

function revealBytes(text: string): Buffer {
  if (!/^[\w-]*$/.test(text) || text.length % 4 === 1)
    throw new AppError('invalid', 'base64 decode failed when revealing password - is it obscured?')
  const bytes = Buffer.from(text, 'base64url')
  if (bytes.length < IV_LENGTH)
    throw new AppError('invalid', 'input too short when revealing password - is it obscured?')
  const decipher = createDecipheriv('aes-256-ctr', key, bytes.subarray(0, IV_LENGTH))
  return Buffer.concat([decipher.update(bytes.subarray(IV_LENGTH)), decipher.final()])
}
