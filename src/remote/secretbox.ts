import { createHash, randomBytes } from 'node:crypto'
import { AppError } from '../base/error.ts'

/** Key of an encrypted configuration: 32 bytes. */
export type ConfigKey = Uint8Array

const MARKER = 'RCLONE_ENCRYPT_V0:'
const NONCE = 24
const TAG = 16

/** The key that belongs to a password (serve-http.md 3.8). Blanks at its ends count. Throws `invalid` for an empty one. */
export function configKeyOf(password: string): ConfigKey {
  if (password === '') throw new AppError('invalid', 'no characters in password')
  return createHash('sha256')
    .update(`[${password.normalize('NFKC')}][rclone-config]`)
    .digest()
}

/** The base64 text behind the marker line, undefined when the file is not encrypted. Throws `unsupported` for a newer form. */
export function encryptedPart(file: Uint8Array): string | undefined {
  const text = Buffer.from(file).toString('latin1')
  const [head = '', line = ''] = /^(?:[^\S\n]*(?:[;#][^\n]*)?\n)*[^\S\n]*([^\n]*)/.exec(text) ?? []
  if (!line.startsWith('RCLONE_ENCRYPT_V')) return undefined
  if (line.trim() !== MARKER)
    throw new AppError('unsupported', 'unsupported configuration encryption - update rclone for support')
  return text.slice(head.length)
}

/** The plain bytes, undefined when the key does not fit. `part` is from `encryptedPart`. Throws `invalid` for broken data. */
export async function openConfig(part: string, key: ConfigKey): Promise<Buffer | undefined> {
  const base64 = part.replaceAll(/\s/g, '')
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0)
    throw new AppError('invalid', 'failed to load base64 encoded data: the encrypted configuration is damaged')
  const box = Buffer.from(base64, 'base64')
  if (box.length < NONCE + TAG) throw new AppError('invalid', 'configuration data too short')
  const sodium = await load()
  try {
    return Buffer.from(sodium.crypto_secretbox_open_easy(box.subarray(NONCE), box.subarray(0, NONCE), key))
  } catch {
    return undefined
  }
}

/** The whole encrypted file for plain bytes. `nonce` is for tests; it is random otherwise. */
export async function sealConfig(
  plain: Uint8Array,
  key: ConfigKey,
  nonce: Uint8Array = randomBytes(NONCE),
): Promise<Buffer> {
  const sodium = await load()
  const box = Buffer.concat([nonce, sodium.crypto_secretbox_easy(plain, nonce, key)])
  return Buffer.from(`# Encrypted rclone configuration File\n\n${MARKER}\n${box.toString('base64')}`)
}

/** Loaded on first use: few configurations are encrypted. */
async function load() {
  const { default: sodium } = await import('libsodium-wrappers')
  await sodium.ready
  return sodium
}
