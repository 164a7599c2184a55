import { hash } from 'node:crypto'
import { lacksExtension, octetStream, typeByName, usefulType } from '../base/mime.ts'
import { nameOf } from '../base/path.ts'
import { sniff, sniffLength } from '../base/sniff.ts'
import { toHttpDate } from '../base/time.ts'
import { collect } from '../base/body.ts'
import type { Context } from '../core/context.ts'
import type { HeaderList } from '../http/message.ts'
import type { FileEntry } from '../remote/remote.ts'
import type { FileNode } from '../vfs/node.ts'

/** The headers of one version of a file. */
export interface Description {
  readonly contentType: string
  /** Absent when nothing is known that would change with the file. */
  readonly etag: string | undefined
  readonly lastModified: string | undefined
}

/** Describes files, each version once. */
export class Descriptions {
  readonly #known = new WeakMap<FileEntry, Description>()

  /** The description when it is known, or can be made without reading the file. */
  now(entry: FileEntry): Description | undefined {
    const known = this.#known.get(entry)
    if (known) return known
    const contentType = typeOf(entry)
    return contentType === undefined ? undefined : this.#keep(entry, contentType)
  }

  /** The description; reads the first bytes of a file whose type nothing else tells. Throws what opening throws. */
  async of(ctx: Context, node: FileNode): Promise<Description> {
    const { entry } = node
    return this.now(entry) ?? this.#keep(entry, await sniffFile(ctx, node))
  }

  #keep(entry: FileEntry, contentType: string): Description {
    const lastModified = entry.modTime !== 0n ? toHttpDate(entry.modTime) : undefined
    const description = { contentType, etag: entityTag(entry), lastModified }
    this.#known.set(entry, description)
    return description
  }
}

/** What the storage says, else what the name says; undefined when the content must be looked at. */
function typeOf(entry: FileEntry): string | undefined {
  const name = nameOf(entry.path)
  const type = usefulType(entry.contentType) ?? typeByName(name)
  if (type !== undefined) return type
  if (!lacksExtension(name)) return octetStream
  return entry.size === 0 ? sniff(new Uint8Array()) : undefined
}

async function sniffFile(ctx: Context, node: FileNode): Promise<string> {
  const end = node.entry.size < 0 ? sniffLength : Math.min(sniffLength, node.entry.size)
  // Without a known size the storage may send more than was asked for; what comes later is not pulled.
  const body = await node.open(ctx, { start: 0, end })
  if (node.entry.size >= 0) return sniff(await collect(body))
  for await (const chunk of body) return sniff(chunk)
  return sniff(new Uint8Array())
}

/**
 * A strong entity tag of one version of a file (RFC 9110 section 8.8.3): from the version that the storage gives, the size
 * and the time to the nanosecond. It is hashed so that it gives nothing away, such as inode numbers. Weak when only the time
 * or only the size is known, absent when neither is.
 */
export function entityTag({
  version,
  size,
  modTime,
}: Pick<FileEntry, 'version' | 'size' | 'modTime'>): string | undefined {
  if (version === undefined && modTime <= 0n && size < 0) return undefined
  const tag = `"${hash('sha1', `${version ?? ''}\0${size}\0${modTime}`, 'base64url').slice(0, 20)}"`
  return version === undefined && (modTime <= 0n || size < 0) ? `W/${tag}` : tag
}

/** The headers that say which version of a file an answer is about: they stand on 200, 206 and 304. */
export function validators({ etag, lastModified }: Description): HeaderList {
  const headers: HeaderList = []
  if (etag !== undefined) headers.push('etag', etag)
  if (lastModified !== undefined) headers.push('last-modified', lastModified)
  return headers
}
