import { scrypt } from 'node:crypto'

/** What the passwords of a crypt remote become (serve-http.md 3.10). */
export interface Keys {
  /** For contents: 32 bytes. */
  readonly data: Uint8Array
  /** For names: 32 bytes. */
  readonly name: Uint8Array
  /** Mixed into each name: 16 bytes. */
  readonly tweak: Uint8Array
}

/** Stands in for a second password that is not given. */
const DEFAULT_SALT = Buffer.from('A80DF43A8FBD0308A7CAB83E581F86B1', 'hex')
const LENGTH = 80

/** The keys that belong to a password and a second one, the salt; `''` for a salt takes rclone's own. An empty password makes keys of zeros. */
export async function keysOf(password: string, salt: string): Promise<Keys> {
  const all = password === '' ? new Uint8Array(LENGTH) : await derive(password, salt === '' ? DEFAULT_SALT : salt)
  return { data: all.subarray(0, 32), name: all.subarray(32, 64), tweak: all.subarray(64) }
}

function derive(password: string, salt: string | Uint8Array): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, LENGTH, { N: 16384, r: 8, p: 1 }, (error, key) => {
      if (error) reject(error)
      else resolve(key)
    })
  })
}
