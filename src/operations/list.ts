import { toAppError } from '../base/error.ts'
import { octetStream, typeByName } from '../base/mime.ts'
import { nameOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import type { Entry, Remote } from '../remote/remote.ts'
import { hashOf } from './compare.ts'
import { fractionDigits, rfc3339 } from './format-time.ts'
import { hashKind } from './hashsum.ts'
import { walk } from './walk.ts'

export interface ListOptions {
  readonly recurse?: boolean
  readonly noModTime?: boolean
  readonly noMimeType?: boolean
  readonly showHash?: boolean
  /** Kinds of checksum; all that the storage has when empty. */
  readonly hashTypes?: readonly string[]
  readonly dirsOnly?: boolean
  readonly filesOnly?: boolean
  readonly metadata?: boolean
  readonly failed?: (error: Error, dir: string) => void
}

/** One entry as `lsjson` and `operations/list` give it, keys in this order (rc.md 3.2). */
export interface ListItem {
  readonly Path: string
  readonly Name: string
  readonly Size: number
  readonly MimeType?: string
  readonly ModTime: string
  readonly IsDir: boolean
  readonly Hashes?: Readonly<Record<string, string>>
  readonly ID?: string
  readonly Tier?: string
  readonly IsBucket?: true
  readonly Metadata?: Readonly<Record<string, string>>
}

/** The entries of a folder. Throws `not-found`, `unsupported` for a checksum that does not exist. */
export async function* list(
  ctx: Context,
  remote: Remote,
  dir: string,
  options: ListOptions = {},
): AsyncGenerator<ListItem> {
  const describe = describer(ctx, remote, options)
  const { recurse = false, failed, dirsOnly, filesOnly } = options
  for await (const entry of walk(ctx, remote, { from: dir, recurse, ...(failed ? { failed } : {}) })) {
    const wanted = entry.kind === 'file' ? filesOnly || !dirsOnly : dirsOnly || !filesOnly
    if (wanted) yield await describe(entry)
  }
}

/** One entry, undefined when there is none, or none of the wanted kind. */
export async function listOne(
  ctx: Context,
  remote: Remote,
  path: string,
  options: ListOptions = {},
): Promise<ListItem | undefined> {
  const describe = describer(ctx, remote, options)
  const entry = await remote.stat(ctx, path)
  if (!entry || (options.filesOnly && !options.dirsOnly && entry.kind === 'directory')) return undefined
  return options.dirsOnly && !options.filesOnly && entry.kind === 'file' ? undefined : await describe(entry)
}

function describer(ctx: Context, remote: Remote, options: ListOptions): (entry: Entry) => Promise<ListItem> {
  // A disk tells nanoseconds even where it can't set them; its numbers of inodes are no ids for others.
  const { isLocal } = remote.info.traits
  const digits = isLocal ? 9 : fractionDigits(remote.info.precision)
  const kinds = options.showHash ? kindsOf(remote, options.hashTypes ?? []) : []
  return async (entry) => {
    const isFile = entry.kind === 'file'
    const id = entry.id && !isLocal ? { ID: entry.id } : {}
    const hashes = isFile && kinds.length > 0 ? await hashesOf(ctx, remote, entry, kinds) : undefined
    const inBucketRoot =
      !isFile && remote.info.traits.bucketBased && remote.info.root === '' && !entry.path.includes('/')
    return {
      Path: entry.path,
      Name: nameOf(entry.path),
      Size: isFile ? entry.size : -1,
      ...(options.noMimeType
        ? {}
        : { MimeType: isFile ? (entry.contentType ?? typeByName(entry.path) ?? octetStream) : 'inode/directory' }),
      ModTime: options.noModTime ? '' : rfc3339(entry.modTime, digits),
      IsDir: !isFile,
      ...(hashes ? { Hashes: hashes } : {}),
      ...id,
      ...(isFile && entry.tier ? { Tier: entry.tier } : {}),
      ...(inBucketRoot ? { IsBucket: true as const } : {}),
      ...(options.metadata && entry.metadata ? { Metadata: entry.metadata } : {}),
    }
  }
}

/** The kinds asked for, or all. Throws `unsupported` for one that nobody knows. */
function kindsOf(remote: Remote, asked: readonly string[]): readonly string[] {
  return asked.length === 0 ? remote.info.hashes : asked.map(hashKind)
}

async function hashesOf(
  ctx: Context,
  remote: Remote,
  file: Entry & { kind: 'file' },
  kinds: readonly string[],
): Promise<Record<string, string>> {
  const hashes: Record<string, string> = {}
  for (const kind of kinds)
    try {
      const value = await hashOf(ctx, { remote, file }, kind)
      if (value !== '') hashes[kind] = value
    } catch (reason) {
      const error = toAppError(reason)
      if (error.code === 'aborted') throw error
      ctx.log.error(`Failed to read hash: ${error.message}`, { object: file.path })
    }
  return hashes
}
