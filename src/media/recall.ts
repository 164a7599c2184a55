import { LRUCache } from 'lru-cache'
import { type Body, collect } from '../base/body.ts'
import { messageOf } from '../base/error.ts'
import { isPlaylist } from '../base/mime.ts'
import { toMs } from '../base/time.ts'
import type { Context } from '../core/context.ts'
import { walk } from '../operations/walk.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'

export interface RecallParts {
  readonly ctx: Context
  readonly remote: Remote
  /** True for a file of which something is known already. */
  readonly knows: (path: string) => boolean
  /** Is told of the files that were uploaded not long ago, the oldest first. */
  readonly begun: (path: string) => void
  /** Takes a playlist or manifest. */
  readonly list: (path: string, text: string) => void
  /** True for a media file that is of use. */
  readonly wants: (path: string) => boolean
  /** Reads a media file. */
  readonly media: (path: string, body: Body) => Promise<void>
}

/** A playlist that was changed no longer ago than this (ms) may still be live. */
const RECENT_MS = 10 * 60_000
/** So many playlists are remembered to have been looked at. */
const MOST = 1000
/** A larger one (bytes) is no playlist to look into. */
const LARGEST = 4 * 1024 * 1024

/** What a tree held before this program began, as far as it is still live: its encoder goes on as if nothing had happened. */
export class Recall {
  readonly #parts: RecallParts
  readonly #looked = new LRUCache<string, Promise<void>>({ max: MOST })
  #all: Promise<void> | undefined

  constructor(parts: RecallParts) {
    this.#parts = parts
  }

  /** Looks at all files of a live folder. Who asks for one of them waits for that. `keep` is told of those that may be live. */
  begin(keep: (entry: FileEntry) => void): void {
    this.#all = this.#everything(keep)
      .catch((reason: unknown) => {
        this.#parts.ctx.log.error(`what the live folder held cannot be seen: ${messageOf(reason)}`)
      })
      .finally(() => (this.#all = undefined))
  }

  /** Resolves when what may be known of a file is known. Each playlist is looked at once. */
  async about(path: string): Promise<void> {
    if (this.#all) await this.#all
    if (!isPlaylist(path) || this.#parts.knows(path)) return
    const looking = this.#looked.get(path) ?? this.#list(path)
    this.#looked.set(path, looking)
    await looking
  }

  async #everything(keep: (entry: FileEntry) => void): Promise<void> {
    const { ctx, remote, knows, begun, wants } = this.#parts
    const files: FileEntry[] = []
    const recent: FileEntry[] = []
    for await (const entry of walk(ctx, remote)) {
      if (entry.kind !== 'file') continue
      files.push(entry)
      if (isRecent(entry)) recent.push(entry)
    }
    recent.sort((a, b) => (a.modTime < b.modTime ? -1 : 1))
    for (const { path } of recent) if (!knows(path)) begun(path)
    for (const { path } of recent) if (isPlaylist(path)) await this.#list(path)
    // What begins segments may be as old as the stream.
    for (const entry of files) if (wants(entry.path)) await this.#media(entry)
    for (const entry of recent) if (!knows(entry.path)) keep(entry)
  }

  async #list(path: string): Promise<void> {
    const { ctx, remote, knows, list } = this.#parts
    try {
      const entry = await remote.stat(ctx, path)
      if (entry?.kind !== 'file' || entry.size > LARGEST || !isRecent(entry)) return
      const text = Buffer.from(await collect(await remote.open(ctx, entry), LARGEST)).toString()
      // The next version may have come meanwhile.
      if (!knows(path)) list(path, text)
    } catch (reason) {
      ctx.log.error(`cannot be delivered live: ${messageOf(reason)}`, { object: path })
    }
  }

  async #media(entry: FileEntry): Promise<void> {
    const { ctx, remote, media } = this.#parts
    try {
      await media(entry.path, await remote.open(ctx, entry))
    } catch (reason) {
      ctx.log.info(`cannot be read: ${messageOf(reason)}`, { object: entry.path })
    }
  }
}

function isRecent({ modTime }: FileEntry): boolean {
  return Date.now() - toMs(modTime) < RECENT_MS
}
