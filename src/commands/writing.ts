import { AppError } from '../base/error.ts'
import { formatSize } from '../base/size.ts'
import { httpOptions } from '../http/options.ts'
import { readonly } from '../layers/readonly.ts'
import { join } from '../base/path.ts'
import type { Handler, HttpRequest } from '../http/message.ts'
import { LiveTree } from '../media/live-tree.ts'
import { Shelf, type ShelfSettings } from '../media/shelf.ts'
import { shelfOptions } from '../media/shelf-options.ts'
import type { Remote } from '../remote/remote.ts'
import { originOptions } from '../origin/options.ts'
import { writable } from '../origin/writable.ts'
import { vfsOptions } from '../vfs/options.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { Writes } from '../vfs/write.ts'
import { withoutSecrets } from './secrets.ts'
import type { ServerParts } from './server.ts'

/** The Cache-Control that an answer gets; undefined = none. */
export type Caching = (request: HttpRequest) => string | undefined

/** A handler, and how its answers may be cached. */
export interface Served {
  readonly handler: Handler
  readonly caching: Caching
}

export interface Reading extends Served {
  /** What the server was told to serve, and its tree. */
  readonly spec: string | undefined
  readonly root: Vfs | undefined
  /** A login is needed. */
  readonly locked: boolean
}

/**
 * Puts the uploads that `--write` allows around a handler that reads; gives that handler when there are none. Throws
 * `not-found` when the place to write to is not there.
 */
export async function withUploads(parts: ServerParts, reading: Reading): Promise<Served> {
  const { spec, root, handler } = reading
  const { write, maxUpload } = parts.get(originOptions)
  if (write === '') return reading
  const remotes = await parts.remotes()
  const settings = { exec: parts.exec ?? true }
  const opened = await remotes.open(write, settings)
  if (opened.info.traits.emptyDirectories && (await opened.stat(parts.ctx, ''))?.kind !== 'directory')
    throw new AppError(
      'not-found',
      `directory not found: ${write}. Make it first: --write takes uploads into a folder that is there`,
    )
  const shown = withoutSecrets(parts, opened)
  const remote = parts.get(vfsOptions).readOnly ? readonly(shown) : shown
  const follow = spec !== undefined && (await remotes.open(spec, settings)) === opened
  const read = spec === undefined ? undefined : handler
  parts.ctx.log.info(
    `taking uploads into ${remote.info.description}, of ${maxUpload < 0 ? 'any size' : `up to ${formatSize(maxUpload)}`}`,
  )
  const changed = (path: string) => void (follow && root?.forget(path))
  if (follow) return liveTree(parts, { remote, read, changed, caching: reading.caching, locked: reading.locked })
  const tree = { remote, writes: new Writes({ remote, tempDir: parts.tempDir, changed }) }
  return {
    handler: writable({ ...uploadSettings(parts), tree, read, follow, caching: reading.caching }),
    caching: reading.caching,
  }
}

/** What all trees with uploads of a server share. */
function uploadSettings(parts: ServerParts) {
  const { maxUpload, noHoles, noRange, cors } = parts.get(originOptions)
  return {
    ctx: parts.ctx,
    most: maxUpload < 0 ? Infinity : maxUpload,
    holes: !noHoles,
    ranges: !noRange && !parts.get(vfsOptions).noSeek,
    origins: cors === 'off' ? parts.get(httpOptions).allowOrigin : ['*'],
  }
}

export interface Place {
  readonly remote: Remote
  /** Answers GET and HEAD; absent for a tree that only takes. */
  readonly read: Handler | undefined
  /** Called when something at a path has changed. */
  readonly changed: (path: string) => void
  /** What the operator says of caching. */
  readonly caching: Caching
  /** A login is needed. */
  readonly locked: boolean
  /** Of a live folder: how much of a stream it keeps. */
  readonly shelf?: ShelfSettings
  /** Path of the folder on the server, for its events. */
  readonly place?: string
}

export interface ServedLive extends Served {
  close(): void
}

/** A tree that is read where it is written: files are followed while they come, and it is an origin of live media. */
export function liveTree(parts: ServerParts, { remote, read, changed, shelf, ...more }: Place): ServedLive {
  const { ctx, events } = parts
  const { liveHold, utcTiming } = parts.get(shelfOptions)
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
  const caching: Caching = (request) => more.caching(request) ?? live.caching(request)
  const tree = { remote, writes }
  const settings = { ...uploadSettings(parts), tree, read, follow: true, caching }
  const handler = live.middleware(
    writable(kept ? { ...settings, durable: false, patient: true, admit: () => kept.admit() } : settings),
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
