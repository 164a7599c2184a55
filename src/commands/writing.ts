import { AppError } from '../base/error.ts'
import { formatSize } from '../base/size.ts'
import { httpOptions } from '../http/options.ts'
import { join } from '../base/path.ts'
import { readonly } from '../layers/readonly.ts'
import type { Handler, HttpRequest } from '../http/message.ts'
import type { ShelfSettings } from '../media/shelf.ts'
import { shelfOptions } from '../media/shelf-options.ts'
import type { Remote } from '../remote/remote.ts'
import { originOptions } from '../origin/options.ts'
import { writable } from '../origin/writable.ts'
import { vfsOptions } from '../vfs/options.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { Writes } from '../vfs/write.ts'
import { type Mount, type Mounts, throughCache } from './mounts.ts'
import { withoutSecrets } from './secrets.ts'
import type { ServerParts } from './server.ts'

/** The Cache-Control that an answer gets; undefined = none. */
export type Caching = (request: HttpRequest) => string | undefined

/** A handler, and how its answers may be cached. */
export interface Answers {
  readonly handler: Handler
  readonly caching: Caching
}

/** What uploads are put around. */
export interface Around {
  /** Answers GET and HEAD; undefined for a tree that only takes. */
  readonly read: Handler | undefined
  /** What the operator says of caching. */
  readonly caching: Caching
  /** A login is needed. */
  readonly locked: boolean
  /** Whether who asks may write at another path; absent = everywhere. */
  readonly mayWrite?: MayWrite | undefined
}

export type MayWrite = (request: HttpRequest, path: string) => boolean

export interface Reading {
  /** What the server shows, and its tree. */
  readonly mounts: Mounts | undefined
  readonly root: Vfs | undefined
}

/** Where uploads go. */
export interface Uploads extends Mounts {
  /** What is read at the same path is what is written. */
  readonly follow: boolean
  /** Something at a path was changed. */
  changed(path: string): void
}

/**
 * Opens what uploads go into: what `--write` names, or, with rules that let somebody write, what is served. Undefined when there
 * are no uploads. Throws `not-found` when the place to write to is not there.
 */
export async function openUploads(
  parts: ServerParts,
  { mounts, root }: Reading,
  allowed: boolean,
): Promise<Uploads | undefined> {
  const { write } = parts.get(originOptions)
  if (write === '')
    return allowed && mounts ? { ...mounts, follow: true, changed: (path) => void root?.forget(path) } : undefined
  const remotes = await parts.remotes()
  const settings = { exec: parts.exec ?? true }
  const opened = await remotes.open(write, settings)
  if (opened.info.traits.emptyDirectories && (await opened.stat(parts.ctx, ''))?.kind !== 'directory')
    throw new AppError(
      'not-found',
      `directory not found: ${write}. Make it first: --write takes uploads into a folder that is there`,
    )
  const { remote } = await throughCache(parts, withoutSecrets(parts, opened), write)
  let same: Mount | undefined
  for (const mount of mounts?.all ?? []) if ((await remotes.open(mount.spec, settings)) === opened) same = mount
  return {
    spec: write,
    remote,
    description: remote.info.description,
    all: [{ name: '', spec: write, remote }],
    follow: same?.name === '',
    changed: (path) => void (same && root?.forget(join(same.name, path))),
  }
}

/** Origins whose web pages may change something here; `*` = any. */
export function writingOrigins({ get }: Pick<ServerParts, 'get'>): readonly string[] {
  return get(originOptions).cors === 'off' ? get(httpOptions).allowOrigin : ['*']
}

/** Puts uploads around what reads; without a tree to read it is a server that only takes. */
export async function withUploads(
  parts: ServerParts,
  uploads: Uploads,
  { read, caching, locked, mayWrite }: Around,
): Promise<Answers> {
  const { maxUpload } = parts.get(originOptions)
  const { follow, description } = uploads
  const remote = parts.get(vfsOptions).readOnly ? readonly(uploads.remote) : uploads.remote
  const changed = (path: string) => uploads.changed(path)
  parts.ctx.log.info(
    `taking uploads into ${description}, of ${maxUpload < 0 ? 'any size' : `up to ${formatSize(maxUpload)}`}`,
  )
  if (follow) return await liveTree(parts, { remote, read, changed, caching, locked, mayWrite })
  const tree = { remote, writes: new Writes({ remote, tempDir: parts.tempDir, changed }) }
  return { handler: writable({ ...uploadSettings(parts), tree, read, follow, caching }), caching }
}

/** What all trees with uploads of a server share. */
function uploadSettings(parts: ServerParts) {
  const { maxUpload, noHoles, noRange } = parts.get(originOptions)
  return {
    ctx: parts.ctx,
    most: maxUpload < 0 ? Infinity : maxUpload,
    holes: !noHoles,
    ranges: !noRange && !parts.get(vfsOptions).noSeek,
    origins: writingOrigins(parts),
  }
}

/** A tree that is written and read. */
export interface Place extends Around {
  readonly remote: Remote
  /** Called when something at a path has changed. */
  readonly changed: (path: string) => void
  /** Of a live folder: how much of a stream it keeps. */
  readonly shelf?: ShelfSettings
  /** Path of the folder on the server, for its events. */
  readonly place?: string
}

export interface LiveAnswers extends Answers {
  close(): void
}

/** A tree that is read where it is written: files are followed while they come, and it is an origin of live media. */
export async function liveTree(
  parts: ServerParts,
  { remote, read, changed, shelf, ...more }: Place,
): Promise<LiveAnswers> {
  const { ctx, events } = parts
  const { liveHold, utcTiming } = parts.get(shelfOptions)
  // What a server that only reads never needs.
  const [{ LiveTree }, { Shelf }, { LongPosts }] = await Promise.all([
    import('../media/live-tree.ts'),
    import('../media/shelf.ts'),
    import('../media/long-post.ts'),
  ])
  const live = new LiveTree({
    ctx,
    remote,
    hold: liveHold === Infinity ? Number.MAX_SAFE_INTEGER : liveHold,
    window: shelf && windowOf(shelf),
    shared: !more.locked,
    clock: utcTiming,
    event: (what, path) => events.publish('live', { what, path: join(more.place ?? '', path) }),
  })
  const kept =
    shelf && new Shelf({ ctx, remote, settings: shelf, listed: (p) => live.lists(p), begins: (p) => live.begins(p) })
  const watchers = kept ? [live, kept] : [live]
  const writes = new Writes({ remote, tempDir: parts.tempDir, changed, watchers })
  live.attach(writes)
  kept?.attach(writes)
  if (kept && remote.info.type !== 'memory') live.recall((entry) => kept.recalled(entry))
  const caching: Caching = (request) => more.caching(request) ?? live.caching(request)
  const tree = { remote, writes }
  const settings = { ...uploadSettings(parts), tree, read, follow: true, caching }
  const admit = kept && (() => kept.admit())
  const files = writable(admit ? { ...settings, durable: false, live: true, admit } : settings)
  const posts = new LongPosts({
    ...settings,
    writes,
    mayWrite: more.mayWrite ?? (() => true),
    keeps: !kept,
    ...(admit ? { admit } : {}),
  })
  const handler = live.middleware((ctx, request) =>
    posts.takes(request) ? posts.answer(request) : files(ctx, request),
  )
  return { handler, caching, close: () => kept?.close() }
}

/**
 * Seconds that caches may keep the segments of a live folder: an encoder that begins again uses their names again, so that it is
 * for long only where segments stay.
 */
function windowOf({ segments, age }: ShelfSettings): number {
  if (age !== Infinity) return Math.max(1, Math.floor(age / 1000))
  return segments === Infinity ? 3600 : 60
}
