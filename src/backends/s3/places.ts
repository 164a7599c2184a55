import { asCanonical, isEntryName, join } from '../../base/path.ts'
import { decodePath, type Encoding, encodePath } from '../../remote/encoding.ts'

/** An object, or the place of a directory, in the words of the store. */
export interface Place {
  /** `''` = the list of all buckets. */
  readonly bucket: string
  /** `''` = the bucket itself. */
  readonly key: string
}

/** The paths of one remote and what they are in the store. */
export class Places {
  readonly root: string
  readonly #encoding: Encoding

  constructor(root: string, encoding: Encoding) {
    this.root = asCanonical(root.replace(/^\/+|\/+$/g, ''))
    this.#encoding = encoding
  }

  of(path: string): Place {
    const whole = join(this.root, path)
    const slash = whole.indexOf('/')
    const bucket = slash < 0 ? whole : whole.slice(0, slash)
    const key = slash < 0 ? '' : whole.slice(slash + 1)
    return { bucket: this.#encoding.encodeName(bucket), key: encodePath(this.#encoding, key) }
  }

  /** The path of what has this key below a directory whose keys begin with `prefix`; undefined when it can have none. */
  below(dir: string, prefix: string, key: string): string | undefined {
    const name = decodePath(this.#encoding, key.slice(prefix.length))
    return name.split('/').every(isEntryName) ? join(dir, name) : undefined
  }

  /** The path of a bucket below the root of all. */
  ofBucket(bucket: string): string {
    return this.#encoding.decodeName(bucket)
  }
}

/** What the keys of all that is in a directory begin with. */
export function prefixOf({ key }: Place): string {
  return key === '' ? '' : `${key}/`
}
