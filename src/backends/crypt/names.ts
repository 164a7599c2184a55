import { AppError } from '../../base/error.ts'
import type { NameEncoding } from './encodings.ts'
import { Eme } from './eme.ts'
import type { Keys } from './keys.ts'
import { clarified, notEncrypted, obfuscated } from './obfuscate.ts'
import { withoutVersion, withVersion } from './version-suffix.ts'

export interface NameSettings {
  readonly filenameEncryption: 'standard' | 'obfuscate' | 'off'
  readonly directoryNameEncryption: boolean
  /** What files end in when their names are not encrypted; `none` = nothing. */
  readonly suffix: string
}

/** Names up to this size (bytes) can be decrypted. */
const MAX_NAME = 2048
const BLOCK = 16

/** Between the paths that people see and those that are stored (serve-http.md 3.10). Each segment is encrypted by itself. */
export class Names {
  readonly #settings: NameSettings
  readonly #keys: Keys
  readonly #encoding: NameEncoding
  readonly #eme: Eme
  readonly #suffix: string

  constructor(keys: Keys, encoding: NameEncoding, settings: NameSettings) {
    this.#encoding = encoding
    this.#keys = keys
    this.#settings = settings
    this.#eme = new Eme(keys.name, keys.tweak)
    this.#suffix = suffixOf(settings.suffix)
  }

  /** Where a file is stored. */
  file(path: string): string {
    if (this.#settings.filenameEncryption === 'off') return path + this.#suffix
    const slash = path.lastIndexOf('/')
    const { name, version } = withoutVersion(path.slice(slash + 1))
    const stored = name === '' ? this.#encrypt(path.slice(slash + 1)) : withVersion(this.#encrypt(name), version)
    return slash < 0 ? stored : `${this.directory(path.slice(0, slash))}/${stored}`
  }

  /** Where a directory is stored. */
  directory(path: string): string {
    return path === '' || !this.#directories
      ? path
      : path
          .split('/')
          .map((name) => this.#encrypt(name))
          .join('/')
  }

  /** The path of a file that is stored at `stored`. Throws `invalid` when it was not encrypted like this. */
  fileOf(stored: string): string {
    if (this.#settings.filenameEncryption === 'off') return this.#withoutSuffix(stored)
    const slash = stored.lastIndexOf('/')
    const { name, version } = withoutVersion(stored.slice(slash + 1))
    const plain = name === '' ? this.#decrypt(stored.slice(slash + 1)) : withVersion(this.#decrypt(name), version)
    return slash < 0 ? plain : `${this.directoryOf(stored.slice(0, slash))}/${plain}`
  }

  /** The path of a directory that is stored at `stored`. Throws `invalid` when it was not encrypted like this. */
  directoryOf(stored: string): string {
    if (stored === '' || !this.#directories) return stored
    return stored
      .split('/')
      .map((name) => this.#decrypt(name))
      .join('/')
  }

  get #directories(): boolean {
    const { filenameEncryption, directoryNameEncryption } = this.#settings
    return filenameEncryption !== 'off' && directoryNameEncryption
  }

  #withoutSuffix(stored: string): string {
    const plain = stored.slice(0, stored.length - this.#suffix.length)
    const leaf = plain.slice(plain.lastIndexOf('/') + 1)
    if (!stored.endsWith(this.#suffix) || leaf === '' || withoutVersion(leaf).name === '') throw notEncrypted()
    return plain
  }

  #encrypt(name: string): string {
    if (this.#settings.filenameEncryption === 'obfuscate') return obfuscated(name, this.#keys.name)
    return this.#encoding.encode(this.#eme.encrypt(padded(Buffer.from(name))))
  }

  #decrypt(stored: string): string {
    if (this.#settings.filenameEncryption === 'obfuscate') return clarified(stored, this.#keys.name)
    const bytes = this.#encoding.decode(stored)
    if (bytes.length === 0 || bytes.length % BLOCK > 0)
      throw new AppError('invalid', 'not a multiple of blocksize: not an encrypted name')
    if (bytes.length > MAX_NAME) throw new AppError('invalid', 'too long after base32 decode')
    return utf8.decode(unpadded(this.#eme.decrypt(bytes)))
  }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true })

function suffixOf(suffix: string): string {
  if (suffix.toLowerCase() === 'none') return ''
  return suffix.startsWith('.') ? suffix : `.${suffix}`
}

/** PKCS #7 (RFC 5652 section 6.3): at least one byte, each of which says how many there are. */
function padded(bytes: Uint8Array): Uint8Array {
  const count = BLOCK - (bytes.length % BLOCK)
  return Buffer.concat([bytes, Buffer.alloc(count, count)])
}

function unpadded(bytes: Uint8Array): Uint8Array {
  const count = bytes.at(-1) ?? 0
  const padding = bytes.subarray(bytes.length - count)
  if (count === 0 || count > BLOCK || padding.some((byte) => byte !== count))
    throw new AppError('invalid', 'bad PKCS#7 padding: the name was not encrypted with this password')
  return bytes.subarray(0, bytes.length - count)
}
