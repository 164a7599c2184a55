import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { batchesOf, inBatches } from '../remote/listing.ts'
import type { Entry, FileEntry, Layer, Remote } from '../remote/remote.ts'
import { extend } from './extend.ts'

/**
 * Hides files by what they are, under whatever path they are found: those whose version is among `versions()`, which is asked
 * at each look at the storage. They are not replaced either. A file that is peeked at has been looked at before.
 */
export function withheld(versions: () => ReadonlySet<string>): Layer {
  return (inner) => {
    const seen = new WeakSet<FileEntry>()
    async function refuse(ctx: Context, path: string): Promise<void> {
      const there = await inner.stat(ctx, path)
      if (there && isOneOf(there, versions())) throw new AppError('denied', 'this name is not to be written')
    }
    return extend(inner, {
      list: (ctx, dir) => inBatches(() => shown(inner, ctx, dir, versions)),
      async stat(ctx, path) {
        const entry = await inner.stat(ctx, path)
        if (!entry || isOneOf(entry, versions())) return undefined
        if (entry.kind === 'file') seen.add(entry)
        return entry
      },
      async put(ctx, path, body, info) {
        await refuse(ctx, path)
        return await inner.put(ctx, path, body, info)
      },
      async openWriter(ctx, path, info) {
        await refuse(ctx, path)
        return await (inner.openWriter as NonNullable<Remote['openWriter']>)(ctx, path, info)
      },
      async copy(ctx, file, to) {
        await refuse(ctx, to)
        return await (inner.copy as NonNullable<Remote['copy']>)(ctx, file, to)
      },
      async move(ctx, file, to) {
        await refuse(ctx, to)
        return await (inner.move as NonNullable<Remote['move']>)(ctx, file, to)
      },
      // Who does it file by file sees each of them.
      moveDirectory: undefined,
      purge: undefined,
      listRecursive: undefined,
      peek(path) {
        const entry = inner.peek?.(path)
        return entry && seen.has(entry) ? entry : undefined
      },
    })
  }
}

function isOneOf(entry: Entry, versions: ReadonlySet<string>): boolean {
  return entry.kind === 'file' && entry.version !== undefined && versions.has(entry.version)
}

async function* shown(
  inner: Remote,
  ctx: Context,
  dir: string,
  versions: () => ReadonlySet<string>,
): AsyncGenerator<readonly Entry[]> {
  for await (const batch of batchesOf(inner.list(ctx, dir))) {
    const withheld = versions()
    yield batch.filter((entry) => !isOneOf(entry, withheld))
  }
}
