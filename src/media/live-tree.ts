import { LRUCache } from 'lru-cache'
import { orAbort } from '../base/abort.ts'
import { collect } from '../base/body.ts'
import { messageOf } from '../base/error.ts'
import { isPlaylist } from '../base/mime.ts'
import type { Context } from '../core/context.ts'
import { headerOf, type Handler, type HttpRequest, type HttpResponse, type Middleware } from '../http/message.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import type { WriteHandle, WriteWatcher, Writes } from '../vfs/write.ts'
import { fileCaching, manifestCaching, playlistCaching } from './caching.ts'
import { deliver, playlistType } from './delivery.ts'
import { Expected } from './expected.ts'
import { Gate } from './gate.ts'
import { Holds } from './holds.ts'
import { listText, type ListText, sendList } from './list-text.ts'
import { type Manifest, manifestType, parseManifest, withClock } from './manifest.ts'
import { isMediaName } from './numbered.ts'
import { parsePlaylist } from './playlist.ts'
import { LivePlaylist } from './playlists.ts'
import { Presentation } from './presentation.ts'
import { Recall } from './recall.ts'
import { type Track, Tracks } from './tracks.ts'

export interface LiveTreeParts {
  readonly ctx: Context
  readonly remote: Remote
  /** Longest time that a request is held, ms; 0 = none is. */
  readonly hold: number
  /** Seconds that segments are there, for caches; undefined = this is no live folder: only its playlists have a Cache-Control. */
  readonly window?: number | undefined
  /** Manifests that name no clock get that of this server. */
  readonly clock: boolean
  /** Caches may give to others what one has got: there is no login. */
  readonly shared: boolean
  /** Told when a live stream begins and ends, by the path of its manifest. */
  readonly event?: ((what: 'begin' | 'end', path: string) => void) | undefined
}

interface Fixed {
  readonly text: ListText
  readonly type: string
  /** ms since 1970. */
  readonly modified: number
}

/** So many playlists, and manifests, are known at a time; others are files like any. */
const MOST = 1000
/** A manifest or playlist larger than this (bytes) is stored and served, and not looked into. */
const LARGEST = 4 * 1024 * 1024

/**
 * What makes a tree with uploads an origin of live media: requests for files that are announced are held until these come,
 * growing playlists are delivered as they grow, HLS is made of chunked DASH. It watches the uploads, and stands in front of
 * what serves the tree.
 */
export class LiveTree implements WriteWatcher {
  readonly #parts: LiveTreeParts
  readonly #expected = new Expected()
  readonly #tracks = new Tracks((track) => this.#trackChanged(track))
  readonly #gate = new Gate(this.#tracks)
  readonly #playlists = new LRUCache<string, LivePlaylist>({ max: MOST })
  /** What is sent as it is: the multivariant playlists made here, manifests to which something was added. */
  readonly #fixed = new LRUCache<string, Fixed>({ max: MOST })
  readonly #manifests = new LRUCache<string, Manifest>({ max: MOST })
  readonly #presentations = new LRUCache<string, Presentation>({ max: MOST, dispose: (one) => one.close() })
  /** Playlists that a packager has uploaded: none is made under their names. */
  readonly #uploaded = new LRUCache<string, true>({ max: MOST })
  /** Files that have come and not been removed: the storage need not be asked for them. */
  readonly #there = new LRUCache<string, true>({ max: 10 * MOST })
  readonly #holds: Holds
  readonly #recall: Recall
  #writes: Writes | undefined
  /** Nothing was uploaded yet: nothing can be announced. */
  #idle = true

  constructor(parts: LiveTreeParts) {
    this.#parts = parts
    this.#holds = new Holds({
      most: parts.hold,
      expects: (path) => this.#expected.expects(path),
      known: (path) => this.#known(path),
      exists: async (path) => (await parts.remote.stat(parts.ctx, path)) !== undefined,
    })
    this.#recall = new Recall({
      ...parts,
      knows: (path) => this.#known(path) || this.#manifests.has(path),
      begun: (path) => this.#expected.begun(path),
      list: (path, text) => this.#listCame(path, text),
      wants: (path) => this.#tracks.misses(path) && this.#expected.lists(path),
      media: (path, body) => this.#tracks.read(path, body),
    })
  }

  /** The tree that it stands in front of. */
  attach(writes: Writes): void {
    this.#writes = writes
  }

  /** Looks at what a live folder held before this program began, and tells `keep` of each file. */
  recall(keep: (entry: FileEntry) => void): void {
    this.#idle = false
    this.#recall.begin(keep)
  }

  begun(handle: WriteHandle): void {
    this.#idle = false
    this.#expected.begun(handle.path)
    this.#tracks.follow(handle)
    this.#holds.notify(handle.path)
  }

  async stored({ path, spool }: WriteHandle): Promise<void> {
    this.#there.set(path, true)
    this.#holds.notify(path)
    if (!isPlaylist(path) || spool.end > LARGEST) return
    try {
      this.#listCame(path, Buffer.from(await collect(spool.follow(), LARGEST)).toString())
    } catch (reason) {
      // It is stored all the same.
      this.#parts.ctx.log.error(`cannot be delivered live: ${messageOf(reason)}`, { object: path })
    }
  }

  #listCame(path: string, text: string): void {
    this.#idle = false
    if (path.toLowerCase().endsWith('.mpd')) this.#manifestCame(path, text)
    else {
      this.#uploaded.set(path, true)
      this.#playlistCame(path, text, false)
    }
    // Who waits for what was announced before may wait in vain now.
    this.#holds.notifyAll()
  }

  failed(path: string): void {
    this.#holds.notify(path)
  }

  removed(path: string): void {
    this.#there.delete(path)
    this.#expected.removed(path)
    this.#gate.removed(path)
    this.#tracks.remove(path)
    this.#uploaded.delete(path)
    const playlist = this.#playlists.get(path)
    const live = (playlist && !playlist.made) || this.#manifests.get(path)?.dynamic
    if (live) this.#parts.event?.('end', path)
    this.#endPlaylist(path)
    this.#presentations.delete(path)
    this.#manifests.delete(path)
    this.#fixed.delete(path)
    for (const presentation of this.#presentations.values()) presentation.dropped(path)
    this.#holds.notify(path)
  }

  /** True for a file that a manifest lists now. */
  lists(path: string): boolean {
    return this.#expected.lists(path)
  }

  /** True for a file that begins segments (`moov`) and is none. */
  begins(path: string): boolean {
    const track = this.#tracks.get(path)
    return track ? track.init !== undefined && track.pieces.length === 0 : /init/i.test(path)
  }

  /** Stands in front of what serves the tree. */
  readonly middleware: Middleware = (next) => {
    const answer = (ctx: Context, request: HttpRequest) => this.#answer(ctx, request, next)
    return (ctx, request) =>
      (this.#idle && !isPlaylist(request.path)) ||
      request.directory ||
      (request.method !== 'GET' && request.method !== 'HEAD')
        ? next(ctx, request)
        : answer(ctx, request)
  }

  /** The Cache-Control of what is answered with success. */
  readonly caching = (request: HttpRequest): string | undefined => {
    const said = this.#caching(request)
    return said?.startsWith('max-age') && this.#parts.shared ? `public, ${said}` : said
  }

  #caching(request: HttpRequest): string | undefined {
    const { path } = request
    const playlist = this.#playlists.get(path)?.playlist
    if (playlist) return playlistCaching(playlist, request)
    const manifest = this.#manifests.get(path)
    if (manifest) return manifestCaching(manifest)
    if (this.#fixed.has(path)) return fileCaching(path, 0)
    const { window } = this.#parts
    return window === undefined ? undefined : fileCaching(path, window)
  }

  async #answer(ctx: Context, request: HttpRequest, next: Handler): Promise<HttpResponse> {
    const { path } = request
    const began = performance.now()
    await orAbort(ctx.signal, this.#recall.about(path))
    const held = await this.#holds.wait(path, ctx.signal)
    const playlist = this.#playlists.get(path)
    if (playlist && (playlist.made || !playlist.playlist.ended)) return await deliver(ctx, request, playlist)
    const fixed = this.#fixed.get(path)
    if (fixed) return sendList(request, fixed.text, fixed)
    const growing = this.#writes?.growing(path)
    const passed = growing ? await this.#gate.pass(request, growing.spool, ctx.signal) : request
    const response = await next(ctx, passed)
    const headers = [...response.headers]
    // CTA-5006: the time that a request was held, ms.
    if (held) headers.push('cmsd-static', `ht=${Math.round(performance.now() - began)}`)
    const short = held || this.#parts.window !== undefined || isMediaName(path) || isPlaylist(path)
    if (response.status === 404 && short && headerOf(headers, 'cache-control') === undefined)
      headers.push('cache-control', 'max-age=1')
    return { ...response, headers }
  }

  /** True for what can be answered without the storage. */
  #known(path: string): boolean {
    if (this.#writes?.growing(path) || this.#there.has(path)) return true
    return this.#playlists.has(path) || this.#fixed.has(path)
  }

  #playlistCame(path: string, text: string, made: boolean): void {
    const playlist = parsePlaylist(text)
    if (!playlist) {
      this.#endPlaylist(path)
      if (!made) this.#fixed.delete(path)
      else if (!this.#uploaded.has(path)) this.#fix(path, text, playlistType)
      return
    }
    const known = this.#playlists.get(path)
    // What a packager uploads goes before what is made here.
    if (made && (this.#uploaded.has(path) || (known && !known.made))) return
    this.#expected.playlist(path, playlist, made)
    this.#gate.playlist(path, playlist)
    if (!made) this.#tell(known?.playlist.ended ?? true, playlist.ended, path)
    if (known && known.made === made) known.update(playlist)
    else known?.remove()
    if (playlist.ended && !made) this.#playlists.delete(path)
    else if (known?.made !== made) this.#playlists.set(path, new LivePlaylist(playlist, { made }))
  }

  /** The same text again is no new version. */
  #fix(path: string, text: string, type: string): void {
    const made = listText(text)
    if (this.#fixed.get(path)?.text.etag !== made.etag)
      this.#fixed.set(path, { text: made, type, modified: Date.now() })
  }

  #tell(endedBefore: boolean, ended: boolean, path: string): void {
    if (endedBefore !== ended) this.#parts.event?.(ended ? 'end' : 'begin', path)
  }

  #endPlaylist(path: string): void {
    this.#playlists.get(path)?.remove()
    if (this.#playlists.delete(path)) this.#expected.forget(path)
  }

  #manifestCame(path: string, text: string): void {
    const manifest = parseManifest(path, text)
    const timed = this.#parts.clock && manifest?.dynamic ? withClock(text) : undefined
    if (timed === undefined) this.#fixed.delete(path)
    else this.#fix(path, timed, manifestType)
    if (!manifest) return void this.#manifests.delete(path)
    this.#tell(!(this.#manifests.get(path)?.dynamic ?? false), !manifest.dynamic, path)
    this.#manifests.set(path, manifest)
    this.#expected.manifest(path, manifest)
    let presentation = this.#presentations.get(path)
    if (!presentation && !manifest.dynamic) return
    if (!presentation) {
      presentation = new Presentation(path, {
        tracks: this.#tracks,
        publish: (at, playlist) => this.#publish(at, playlist),
        retract: (at) => this.#retract(at),
      })
      this.#presentations.set(path, presentation)
    }
    presentation.update(manifest)
  }

  #publish(path: string, text: string): void {
    this.#playlistCame(path, text, true)
    this.#holds.notify(path)
  }

  #retract(path: string): void {
    if (this.#playlists.get(path)?.made) this.#endPlaylist(path)
    this.#fixed.delete(path)
  }

  #trackChanged(track: Track): void {
    try {
      for (const presentation of this.#presentations.values()) presentation.changed(track)
    } catch (reason) {
      this.#parts.ctx.log.error(`no playlist could be made: ${messageOf(reason)}`, { object: track.path })
    }
  }
}
