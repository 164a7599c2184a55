import type { Context } from '../core/context.ts'
import { type Metadata, metadataOf } from '../remote/metadata.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { pairOf } from '../schema/values.ts'
import { copyOptions } from './options.ts'

/** What the copy of a file gets with `--metadata`: the metadata of the source, and that of `--metadata-set`. */
export async function metadataToKeep(ctx: Context, source: Remote, file: FileEntry): Promise<Metadata | undefined> {
  const { metadata, metadataSet } = ctx.get(copyOptions)
  if (!metadata) return undefined
  return { ...(await metadataOf(ctx, source, file)), ...Object.fromEntries(metadataSet.map(pairOf)) }
}

/** Whether copies get metadata that their sources have not, which storage that copies by itself would leave out. */
export function addsMetadata(ctx: Context): boolean {
  const { metadata, metadataSet } = ctx.get(copyOptions)
  return metadata && metadataSet.length > 0
}
