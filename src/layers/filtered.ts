import { AppError } from '../base/error.ts'
import { join, parentOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import type { Filter } from '../core/filter.ts'
import { batchesOf, inBatches } from '../remote/listing.ts'
import { metadataOf } from '../remote/metadata.ts'
import { ownTimes } from '../remote/own-time.ts'
import type { Entry, FileEntry, Layer, Remote } from '../remote/remote.ts'
import { extend } from './extend.ts'

/** Hides what the context's filter excludes, from listings and from direct access alike (serve-http.md 3.4). */
export function filtered(appFilter: Filter): Layer {
  return (inner) =>
    extend(inner, {
      list: (ctx, dir) => (ctx.filter.empty ? inner.list(ctx, dir) : inBatches(() => shownIn(inner, ctx, dir))),
      async stat(ctx, path) {
        const entry = await inner.stat(ctx, path)
        if (!entry || ctx.filter.empty || path === '') return entry
        const visible = (await reachable(inner, ctx, parentOf(path))) && (await shown(inner, ctx, entry))
        return visible ? entry : undefined
      },
      peek(path) {
        const entry = inner.peek?.(path)
        if (!entry || appFilter.empty) return entry
        return isAtHand(appFilter) && passes(appFilter, entry) ? entry : undefined
      },
    })
}

async function* shownIn(remote: Remote, ctx: Context, dir: string): AsyncGenerator<readonly Entry[]> {
  if (!(await reachable(remote, ctx, dir))) throw new AppError('not-found', 'directory not found')
  const asked = ctx.filter.times === true || ctx.filter.metadata === true
  for await (const batch of batchesOf(remote.list(ctx, dir)))
    yield await allShown(remote, ctx, asked ? await ownTimes(ctx, remote, batch) : batch)
}

/** True when what a listing tells is all that the filter looks at, so that nothing is waited for. */
function isAtHand({ markers, metadata }: Filter): boolean {
  return markers.length === 0 && metadata !== true
}

async function allShown(remote: Remote, ctx: Context, entries: readonly Entry[]): Promise<readonly Entry[]> {
  const { filter } = ctx
  if (isAtHand(filter)) return entries.filter((entry) => included(filter, entry))
  const left: Entry[] = []
  for (const entry of entries) if (await shown(remote, ctx, entry)) left.push(entry)
  return left
}

/** What a filter says of a file, its directories included. */
function passes(filter: Filter, file: FileEntry): boolean {
  for (let dir = parentOf(file.path); dir !== ''; dir = parentOf(dir)) if (!filter.includesDirectory(dir)) return false
  return filter.includes(file.path, file)
}

/** What a filter says of an entry by itself. Markers need the storage and are not looked at. */
function included(filter: Filter, entry: Entry): boolean {
  return entry.kind === 'file' ? filter.includes(entry.path, entry) : filter.includesDirectory(entry.path)
}

async function shown(remote: Remote, ctx: Context, entry: Entry): Promise<boolean> {
  const known = ctx.filter.metadata && entry.kind === 'file' ? await withMetadata(remote, ctx, entry) : entry
  if (!included(ctx.filter, known)) return false
  return entry.kind === 'file' || !(await marked(remote, ctx, entry.path))
}

async function withMetadata(remote: Remote, ctx: Context, file: FileEntry): Promise<FileEntry> {
  return { ...file, metadata: (await metadataOf(ctx, remote, file)) ?? {} }
}

/** False when a directory or one above it is excluded. */
async function reachable(remote: Remote, ctx: Context, dir: string): Promise<boolean> {
  for (let at = dir; ; at = parentOf(at)) {
    if (at !== '' && !ctx.filter.includesDirectory(at)) return false
    if (await marked(remote, ctx, at)) return false
    if (at === '') return true
  }
}

async function marked(remote: Remote, ctx: Context, dir: string): Promise<boolean> {
  for (const name of ctx.filter.markers) if ((await remote.stat(ctx, join(dir, name)))?.kind === 'file') return true
  return false
}
