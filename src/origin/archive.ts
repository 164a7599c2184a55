import { bodyOf } from '../base/body.ts'
import type { Body } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import { nameOf } from '../base/path.ts'
import type { CanonicalPath } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import type { DirNode } from '../vfs/node.ts'
import { packed } from './packed.ts'
import { sortEntries } from './sort.ts'
import { tracked } from './tracked.ts'
import type { Tree } from './tree.ts'
import { zip, zipLength } from './zip.ts'
import type { ZipItem, ZipMethod } from './zip.ts'

export interface ArchiveSettings {
  readonly method: ZipMethod
  /** Whether what is at a path may go in; all may without it. */
  readonly admits?: (path: string) => boolean
}

/** A tree with more entries is not walked before it is sent: the download then has no length. */
const mostPlanned = 100_000
/** Nor is one whose walk takes longer than this, ms: a download should start soon. */
const longestPlan = 3000
/** A directory with more entries than this is read in the order of the storage. */
const mostSorted = 100_000

/**
 * A directory as a ZIP download. Names are relative to the directory. Stored archives have their length announced. Files
 * that cannot be read, or that change while the archive is sent, cut the download, so that it is never a clean end.
 */
export async function archive(
  ctx: Context,
  request: HttpRequest,
  tree: Tree,
  node: DirNode,
  { method, admits = () => true }: ArchiveSettings,
): Promise<HttpResponse> {
  const headers = [
    'content-type',
    'application/zip',
    'content-disposition',
    disposition(nameOf(request.path) || 'root'),
  ]
  const items = walk(ctx, tree, node, { top: node.entry.path, admits })
  const plan = method === 'store' ? await planOf(items) : { items: [], complete: false }
  const length = plan.complete ? zipLength(plan.items) : undefined
  if (request.method === 'HEAD') {
    await items.return(undefined)
    // A body of unknown length stands for the one that GET would send.
    return length === undefined ? { status: 200, headers, body: bodyOf() } : { status: 200, headers, length }
  }
  const members = plan.complete ? plan.items : resumed(plan.items, items)
  const done = () => void items.return(undefined).catch(() => undefined)
  const transfer = ctx.stats.transfer(`${request.path}.zip`, length ?? -1)
  return tracked(ctx, { status: 200, headers, length, done }, packed(zip(members, method)), transfer)
}

/** The members as far as they are found within the limits. */
async function planOf(items: AsyncGenerator<ZipItem, undefined>): Promise<{ items: ZipItem[]; complete: boolean }> {
  const found: ZipItem[] = []
  const until = performance.now() + longestPlan
  while (found.length < mostPlanned && performance.now() < until) {
    const step = await items.next()
    if (step.done) return { items: found, complete: true }
    found.push(step.value)
  }
  return { items: found, complete: false }
}

async function* resumed(found: readonly ZipItem[], rest: AsyncGenerator<ZipItem>): AsyncGenerator<ZipItem> {
  yield* found
  yield* rest
}

/** `top` is what names are relative to. */
interface Walk extends Required<Pick<ArchiveSettings, 'admits'>> {
  readonly top: string
}

/** All below a directory, each directory before what is in it. */
async function* walk(ctx: Context, tree: Tree, dir: DirNode, way: Walk): AsyncGenerator<ZipItem, undefined> {
  const { top, admits } = way
  const entries = await dir.entries(ctx, mostSorted)
  const children = entries ? sortEntries(entries, { key: 'namedirfirst', descending: false }) : dir.scan(ctx)
  for await (const entry of children) {
    ctx.signal.throwIfAborted()
    const path = entry.path as CanonicalPath
    if (!admits(path)) continue
    const name = memberName(top === '' ? path : path.slice(top.length + 1))
    const { modTime } = entry
    if (entry.kind === 'file') {
      yield { name, size: entry.size, modTime, open: () => open(ctx, tree, path) }
      continue
    }
    yield { name: `${name}/`, size: 0, modTime }
    const child = await tree.lookup(ctx, path)
    if (child?.kind === 'directory') yield* walk(ctx, tree, child, way)
  }
}

async function open(ctx: Context, tree: Tree, path: CanonicalPath): Promise<Body> {
  const node = await tree.lookup(ctx, path)
  if (node?.kind !== 'file') throw new AppError('not-found', `${path} is gone`)
  return await node.open(ctx)
}

/** Some programs take a backslash for a slash: one in a name could lead out of the place where the archive is unpacked. */
function memberName(path: string): string {
  return path.replaceAll('\\', '\uff3c').toWellFormed()
}

/** RFC 6266: a plain name for old clients, the real one in UTF-8 for all others. */
export function disposition(name: string): string {
  const file = `${name.toWellFormed()}.zip`
  const plain = file.replace(/[^\x20-\x7e]|["\\%]/g, '_')
  const header = `attachment; filename="${plain}"`
  if (plain === file) return header
  const encoded = encodeURIComponent(file).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
  return `${header}; filename*=UTF-8''${encoded}`
}
