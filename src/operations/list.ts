import { setImmediate as nextTurn } from 'node:timers/promises'
import { toAppError } from '../base/error.ts'
import { rfc3339 } from '../base/local-time.ts'
import { octetStream, typeByName } from '../base/mime.ts'
import { nameOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { type Metadata, metadataOf } from '../remote/metadata.ts'
import type { Entry, Remote } from '../remote/remote.ts'
import { hashOf } from './compare.ts'
import { hashKind } from './hashsum.ts'
import { storedPathOf } from './stored-path.ts'
import { timeDigits } from './time-digits.ts'
import { walkFolders, type WalkOptions } from './walk.ts'

export interface ListOptions extends Pick<WalkOptions, 'failed' | 'list'> {
  readonly recurse?: boolean
  readonly noModTime?: boolean
  readonly noMimeType?: boolean
  readonly showHash?: boolean
  /** Kinds of checksum; all that the storage has when empty. */
  readonly hashTypes?: readonly string[]
  readonly dirsOnly?: boolean
  readonly filesOnly?: boolean
  readonly metadata?: boolean
  /** Names as they are stored, of a remote that encrypts them. */
  readonly showEncrypted?: boolean
  /** Ids as the storage below has them. */
  readonly showOrigIDs?: boolean
}

/** One entry as `lsjson` and `operations/list` give it, keys in this order (rc.md 3.2). */
export interface ListItem {
  readonly Path: string
  readonly Name: string
  readonly EncryptedPath?: string
  readonly Encrypted?: string
  readonly Size: number
  readonly MimeType?: string
  readonly ModTime: string
  readonly IsDir: boolean
  readonly Hashes?: Readonly<Record<string, string>>
  readonly ID?: string
  /** The same id once more: nothing that wraps a storage here gives its files ids of its own. */
  readonly OrigID?: string
  readonly Tier?: string
  readonly IsBucket?: true
  readonly Metadata?: Metadata
}

/** The entries of a folder. Throws `not-found`, `unsupported` for a checksum that does not exist or names that are not encrypted. */
export async function* list(
  ctx: Context,
  remote: Remote,
  dir: string,
  options: ListOptions = {},
): AsyncGenerator<ListItem> {
  for await (const items of listInBatches(ctx, remote, dir, options)) yield* items
}

/** A listing that describes entries for longer than this lets others go on. */
const BUSY_MS = 5
const BATCH = 500

/** As `list`, many entries at a time. */
export async function* listInBatches(
  ctx: Context,
  remote: Remote,
  dir: string,
  options: ListOptions = {},
): AsyncGenerator<ListItem[]> {
  const describe = describer(ctx, remote, options)
  const { recurse = false, dirsOnly, filesOnly } = options
  const wanted = ({ kind }: Entry) => (kind === 'file' ? filesOnly || !dirsOnly : dirsOnly || !filesOnly)
  let rested = performance.now()
  for await (const entries of walkFolders(ctx, remote, { ...options, from: dir, recurse, times: !options.noModTime }))
    for (let at = 0; at < entries.length; at += BATCH) {
      const items: ListItem[] = []
      for (let i = at; i < Math.min(entries.length, at + BATCH); i++) {
        const entry = entries[i] as Entry
        if (!wanted(entry)) continue
        const item = describe(entry)
        // A wait for each of many entries costs more than the entries.
        items.push(item instanceof Promise ? await item : item)
      }
      yield items
      if (performance.now() - rested < BUSY_MS) continue
      await nextTurn()
      rested = performance.now()
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

type Describe = (entry: Entry) => ListItem | Promise<ListItem>

function describer(ctx: Context, remote: Remote, options: ListOptions): Describe {
  const digits = timeDigits(remote.info)
  const kinds = options.showHash ? kindsOf(remote, options.hashTypes ?? []) : []
  const inRoot = remote.info.traits.bucketBased && remote.info.root === ''
  const { noMimeType, noModTime, showOrigIDs } = options
  const storedPath = options.showEncrypted ? storedPathOf(remote) : undefined
  function describe(entry: Entry, { hashes, metadata }: Asked = {}): ListItem {
    const isFile = entry.kind === 'file'
    const Path = entry.path
    const Name = nameOf(Path)
    const Size = isFile ? entry.size : -1
    const ModTime = noModTime ? '' : rfc3339(entry.modTime, digits)
    const IsDir = !isFile
    const stored = storedPath?.(entry)
    const names =
      stored === undefined ? { Path, Name } : { Path, Name, EncryptedPath: stored, Encrypted: nameOf(stored) }
    const item: { -readonly [K in keyof ListItem]: ListItem[K] } = noMimeType
      ? { ...names, Size, ModTime, IsDir }
      : { ...names, Size, MimeType: typeOf(entry), ModTime, IsDir }
    if (hashes) item.Hashes = hashes
    if (entry.id) item.ID = entry.id
    if (entry.id && showOrigIDs) item.OrigID = entry.id
    if (isFile && entry.tier) item.Tier = entry.tier
    if (inRoot && !isFile && !Path.includes('/')) item.IsBucket = true
    if (metadata) item.Metadata = metadata
    return item
  }
  if (kinds.length === 0 && !options.metadata) return (entry) => describe(entry)
  return async (entry) => {
    const hashes = kinds.length > 0 && entry.kind === 'file' ? await hashesOf(ctx, remote, entry, kinds) : undefined
    const metadata = options.metadata ? await metadataOf(ctx, remote, entry) : undefined
    return describe(entry, { hashes, metadata })
  }
}

/** What is asked for entry by entry. */
interface Asked {
  readonly hashes?: ListItem['Hashes'] | undefined
  readonly metadata?: Metadata | undefined
}

function typeOf(entry: Entry): string {
  if (entry.kind === 'directory') return 'inode/directory'
  return entry.contentType ?? typeByName(entry.path) ?? octetStream
}

/** The kinds asked for, or all, in the order in which JSON shows them. Throws `unsupported` for one that nobody knows. */
function kindsOf(remote: Remote, asked: readonly string[]): readonly string[] {
  return (asked.length === 0 ? remote.info.hashes : asked.map(hashKind)).toSorted()
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
