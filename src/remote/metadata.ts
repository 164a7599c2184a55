import type { Context } from '../core/context.ts'
import { ownTime } from './own-time.ts'
import type { Entry, Remote } from './remote.ts'

/** What a storage keeps of a file beside its bytes: texts by name. */
export type Metadata = Readonly<Record<string, string>>

/** A name of metadata that has a meaning for the storage. */
export interface MetadataKey {
  readonly help: string
  /** For people: `RFC 3339`, `octal, unix style`. */
  readonly type: string
  readonly example: string
  /** It is told, and can't be set. */
  readonly readOnly?: true
}

/** The metadata of a kind of storage, for `operations/fsinfo` and `config/providers`. */
export interface MetadataInfo {
  readonly help: string
  readonly keys: Readonly<Record<string, MetadataKey>>
  /** Names of the user's own are kept as well. */
  readonly user?: true
  /** Directories have it too. */
  readonly directories?: true
}

/** The metadata of an entry; a request where listings leave it out. Undefined = it has none. */
export async function metadataOf(ctx: Context, remote: Remote, entry: Entry): Promise<Metadata | undefined> {
  if (remote.metadata) return await remote.metadata(ctx, entry)
  return entry.kind === 'file' ? (await ownTime(ctx, remote, entry)).metadata : entry.metadata
}

/** The description of metadata as clients of rclone know it (rc.md 3.4 and 3.6); null for none. */
export function describeMetadata(info: MetadataInfo | undefined): MetadataInfoJson | null {
  if (!info) return null
  const keys = Object.entries(info.keys).map(([key, { help, type, example, readOnly = false }]) => [
    key,
    { Help: help, Type: type, Example: example, ReadOnly: readOnly },
  ])
  return { System: Object.fromEntries(keys), Help: info.help }
}

/** `MetadataInfo` of `config/providers` and `operations/fsinfo`. */
export interface MetadataInfoJson {
  readonly System: Readonly<
    Record<
      string,
      { readonly Help: string; readonly Type: string; readonly Example: string; readonly ReadOnly: boolean }
    >
  >
  readonly Help: string
}
