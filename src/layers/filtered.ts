import { AppError } from '../base/error.ts'
import { join, parentOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import type { Filter } from '../core/filter.ts'
import type { Entry, FileEntry, Layer, Remote } from '../remote/remote.ts'
import { extend } from './extend.ts'

/** Hides what the context's filter excludes, from listings and from direct access alike (serve-http.md 3.4). */
export function filtered(appFilter: Filter): Layer {
  return (inner) =>
    extend(inner, {
      list: (ctx, dir) => (ctx.filter.empty ? inner.list(ctx, dir) : shownIn(inner, ctx, dir)),
      async listAll(ctx, dir) {
        const all = (await inner.listAll?.(ctx, dir)) ?? []
        if (ctx.filter.empty) return all
        if (!(await reachable(inner, ctx, dir))) throw new AppError('not-found', 'directory not found')
        if (ctx.filter.markers.length === 0)
          return all.filter((entry) =>
            entry.kind === 'file' ? ctx.filter.includes(entry.path, entry) : ctx.filter.includesDirectory(entry.path),
          )
        const left: Entry[] = []
        for (const entry of all) if (await shown(inner, ctx, entry)) left.push(entry)
        return left
      },
      async stat(ctx, path) {
        const entry = await inner.stat(ctx, path)
        if (!entry || ctx.filter.empty || path === '') return entry
        const visible = (await reachable(inner, ctx, parentOf(path))) && (await shown(inner, ctx, entry))
        return visible ? entry : undefined
      },
      peek(path) {
        const entry = inner.peek?.(path)
        if (!entry || appFilter.empty) return entry
        return appFilter.markers.length === 0 && passes(appFilter, entry) ? entry : undefined
      },
    })
}

async function* shownIn(remote: Remote, ctx: Context, dir: string): AsyncGenerator<Entry> {
  if (!(await reachable(remote, ctx, dir))) throw new AppError('not-found', 'directory not found')
  for await (const entry of remote.list(ctx, dir)) if (await shown(remote, ctx, entry)) yield entry
}

/** What a filter says of a file, its directories included. Markers need the storage and are not looked at. */
function passes(filter: Filter, file: FileEntry): boolean {
  for (let dir = parentOf(file.path); dir !== ''; dir = parentOf(dir)) if (!filter.includesDirectory(dir)) return false
  return filter.includes(file.path, file)
}

async function shown(remote: Remote, ctx: Context, entry: Entry): Promise<boolean> {
  if (entry.kind === 'file') return ctx.filter.includes(entry.path, entry)
  return ctx.filter.includesDirectory(entry.path) && !(await marked(remote, ctx, entry.path))
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
