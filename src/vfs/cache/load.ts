import type { Context } from '../../core/context.ts'
import type { CacheFiles } from './files.ts'
import type { Metadata } from './metadata.ts'

/** A file that was found on the disk. */
export interface Found {
  readonly path: string
  readonly metadata: Metadata
}

/**
 * What an earlier run, of rclone too, left on the disk, that which was used longest ago first. What makes no sense is
 * removed.
 */
export async function loadItems(ctx: Context, files: CacheFiles): Promise<readonly Found[]> {
  const found = new Map<string, Found>()
  for await (const { path, metadata } of files.saved()) {
    const held = await files.sizeOf(path)
    if (held === undefined) {
      if (metadata?.dirty) ctx.log.error('vfs cache: lost: it waited to be uploaded and is gone', { object: path })
      await files.remove(path)
    } else if (!metadata) {
      const place = await files.setAside(path)
      ctx.log.error(
        `vfs cache: its metadata is damaged; whether it was uploaded is not known. It is kept as ${place}`,
        {
          object: path,
        },
      )
    } else found.set(path, { path, metadata: upTo(metadata, held) })
  }
  for await (const path of files.stored()) if (!found.has(path)) await files.remove(path)
  return [...found.values()].toSorted((a, b) => (a.metadata.aTime < b.metadata.aTime ? -1 : 1))
}

/** What the disk does not hold is not there, whatever the metadata says. */
function upTo(metadata: Metadata, held: number): Metadata {
  const present = metadata.present
    .map(({ start, end }) => ({ start, end: Math.min(end, held) }))
    .filter(({ start, end }) => start < end)
  return { ...metadata, present }
}
