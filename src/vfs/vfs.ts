import { bodyOf, slice, type Body } from '../base/body.ts'
import { AppError, messageOf, toAppError } from '../base/error.ts'
import { throwIfAborted } from '../base/abort.ts'
import { asCanonical, type CanonicalPath, join, nameOf, parentOf } from '../base/path.ts'
import type { Range } from '../base/range.ts'
import type { Context } from '../core/context.ts'
import { ownTime } from '../remote/own-time.ts'
import type { DirEntry, Entry, FileEntry, Remote } from '../remote/remote.ts'
import { Directories, LARGEST, type OpenKept } from './directory.ts'
import { findName, type NamePolicy, withoutTwins } from './names.ts'
import type { DirNode, FileNode, Node } from './node.ts'
import type { VfsOptions } from './options.ts'
import { openFile } from './read.ts'

/** What happens to a tree: a folder was changed at its storage, forgotten, or read again. */
export type VfsChange = 'changed' | 'forgotten' | 'refreshed'

/** A remote as a tree of files and directories, with a directory cache and reading ahead (serve-http.md section 2). */
export class Vfs {
  readonly remote: Remote
  readonly options: VfsOptions
  readonly #ctx: Context
  readonly #bufferSize: number
  readonly #directories: Directories
  readonly #names: NamePolicy
  /** One node for each version of a file, for as long as somebody holds that version. */
  readonly #files = new WeakMap<FileEntry, FileNode>()
  /** Files of listings, with their own times. */
  readonly #timed = new WeakMap<FileEntry, FileEntry>()
  #pollInterval: number
  /** Called with what happens, and the path that it is about. */
  listener: ((what: VfsChange, path: string) => void) | undefined
  #stopPolling: (() => void) | undefined

  /** `bufferSize` in bytes; `kept` opens the listings that are on disk. */
  constructor(ctx: Context, remote: Remote, options: VfsOptions, bufferSize: number, kept?: OpenKept) {
    this.#ctx = ctx
    this.remote = remote
    this.options = options
    this.#bufferSize = bufferSize
    this.#directories = new Directories(ctx, remote, () => options.dirCacheTime, { kept })
    this.#directories.changed = (dir) => this.listener?.('changed', dir)
    this.#names = { ignoreCase: options.caseInsensitive, normalize: !options.noUnicodeNormalization }
    this.#pollInterval = options.pollInterval
    this.#startPolling()
    if (options.refresh) this.#refreshAll()
  }

  /** The node at a path, or undefined. Throws `busy` when two names would fit equally, and what the storage throws. */
  async lookup(ctx: Context, path: CanonicalPath): Promise<Node | undefined> {
    const entry = await this.#find(ctx, path)
    if (entry) return this.#node(entry.kind === 'file' ? await this.#withOwnTime(ctx, entry) : entry)
    return await this.#metadataFile(ctx, path)
  }

  /**
   * The file at a path without waiting, when the storage can tell at once and the file is known: the same node for as long as
   * the file is unchanged. Undefined = use `lookup`.
   */
  peek(path: string): FileNode | undefined {
    const entry = this.remote.peek?.(path)
    return entry && this.#fileNode(entry)
  }

  /** Something else is to be seen at a path from now on. */
  changed(path: string, kind: Entry['kind']): void {
    if (kind === 'directory') this.#directories.drop(path)
    this.#directories.dropAround(path)
    this.listener?.('changed', path)
  }

  /** Forgets a directory with all below it, a file's directory, or everything. Gives the directories that were forgotten. */
  forget(path?: string): string[] {
    this.listener?.('forgotten', path ?? '')
    if (path === undefined || path === '') return this.#directories.forget()
    const dropped = this.#directories.forget(path)
    this.#directories.dropAround(path)
    return dropped
  }

  /**
   * Reads a directory again, with all below it when `recursive`. Gives for each path `OK`, or what is wrong with it in the
   * words of rclone (rc.md 3, vfs). Throws only when `ctx` aborts.
   */
  async refresh(ctx: Context, dir: string, recursive: boolean): Promise<Record<string, string>> {
    const result: Record<string, string> = {}
    const waiting = [dir]
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      throwIfAborted(ctx.signal)
      this.#directories.drop(next)
      try {
        const { entries } = await this.#directories.read(ctx, asCanonical(next))
        result[next] = 'OK'
        this.listener?.('refreshed', next)
        if (recursive) for (const entry of entries ?? []) if (entry.kind === 'directory') waiting.push(entry.path)
      } catch (error) {
        throwIfAborted(ctx.signal)
        result[next] = refreshError(error)
      }
    }
    return result
  }

  /** How many directories are held, and entries in them. */
  get held(): { readonly dirs: number; readonly entries: number } {
    return this.#directories.size
  }

  /** True when the storage can tell what changed in it. */
  get canPoll(): boolean {
    return this.remote.poll !== undefined
  }

  /** Time between looks for changes, ms; 0 = it does not look. */
  get pollInterval(): number {
    return this.#pollInterval
  }

  /** Looks for changes this often from now on, in ms; 0 = no more. Throws when the storage cannot tell. */
  poll(ms: number): void {
    if (!this.canPoll) throw new AppError('invalid', 'poll-interval is not supported by this remote')
    this.#stopPolling?.()
    this.#pollInterval = ms
    this.#startPolling()
  }

  async close(): Promise<void> {
    this.#stopPolling?.()
    await this.#directories.close()
  }

  #startPolling(): void {
    const ms = this.#pollInterval
    this.#stopPolling =
      ms > 0 && ms !== Infinity
        ? this.remote.poll?.(this.#ctx, ms, (path, kind) => this.changed(path, kind))
        : undefined
  }

  async #find(ctx: Context, path: string): Promise<Entry | undefined> {
    if (path === '') return await this.#root(ctx)
    if (this.remote.info.traits.isLocal) {
      const entry = await this.remote.stat(ctx, path)
      if (entry || !this.#hasTwins(path)) return entry
    }
    return await this.#walk(ctx, path)
  }

  /** True when names other than this one could be meant by it. */
  #hasTwins(path: string): boolean {
    return this.#names.ignoreCase || (this.#names.normalize && /[^\0-\x7f]/.test(path))
  }

  /** Looks a path up segment by segment in the listings, so that each name may differ in case or Unicode form. */
  async #walk(ctx: Context, path: string): Promise<Entry | undefined> {
    const parents = parentOf(path)
    const exact = await this.#child(ctx, parents, nameOf(path))
    if (exact || parents === '' || !this.#hasTwins(path)) return exact
    const parent = await this.#walk(ctx, parents)
    return parent && parent.path !== parents && parent.kind === 'directory'
      ? await this.#child(ctx, parent.path, nameOf(path))
      : undefined
  }

  async #child(ctx: Context, dir: string, name: string): Promise<Entry | undefined> {
    try {
      if (!this.#directories.isWorthReading(dir)) {
        const entry = await this.remote.stat(ctx, join(dir, name))
        if (entry || !this.#hasTwins(name)) return entry
      }
      const listing = await this.#directories.read(ctx, dir)
      if (listing.entries === undefined) return await this.remote.stat(ctx, join(dir, name))
      return findName(listing, name, this.#names)
    } catch (error) {
      const { code } = toAppError(error)
      if (code === 'not-found' || code === 'not-directory') return undefined
      // What is in a file cache can be had while the storage cannot be listed.
      if (code !== 'aborted' && this.remote.info.traits.readsAhead) return await this.remote.stat(ctx, join(dir, name))
      throw error
    }
  }

  async #root(ctx: Context): Promise<DirEntry> {
    const entry = this.remote.info.traits.isLocal ? await this.remote.stat(ctx, '') : undefined
    return entry?.kind === 'directory' ? entry : { kind: 'directory', path: '', modTime: 0n }
  }

  /** A file of a listing with its own time, asked for once for each version. */
  async #withOwnTime(ctx: Context, file: FileEntry): Promise<FileEntry> {
    if (!file.timeOfUpload || this.options.noModtime) return file
    const known = this.#timed.get(file) ?? (await ownTime(ctx, this.remote, file))
    this.#timed.set(file, known)
    return known
  }

  #node(entry: Entry): Node {
    return entry.kind === 'file' ? this.#fileNode(entry) : this.#dirNode(entry)
  }

  #fileNode(entry: FileEntry): FileNode {
    let node = this.#files.get(entry)
    if (!node) {
      node = { kind: 'file', entry, open: (ctx, range) => this.#open(ctx, entry, range) }
      this.#files.set(entry, node)
    }
    return node
  }

  #dirNode(entry: DirEntry): DirNode {
    return {
      kind: 'directory',
      entry,
      entries: (ctx, max = LARGEST) => this.#entries(ctx, entry.path, max),
      scan: (ctx) => this.remote.list(ctx, entry.path),
    }
  }

  async #entries(ctx: Context, dir: string, max: number): Promise<readonly Entry[] | undefined> {
    const { entries } = await this.#directories.read(ctx, dir)
    if (!entries || entries.length > max) return undefined
    if (!this.options.blockNormDupes) return entries
    return withoutTwins(entries, this.#names, (entry) =>
      ctx.log.error('duplicate normalized names detected', { object: entry.path }),
    )
  }

  async #open(ctx: Context, file: FileEntry, range: Range | undefined): Promise<Body> {
    try {
      return await openFile(ctx, this.remote, file, range, { options: this.options, bufferSize: this.#bufferSize })
    } catch (error) {
      if (toAppError(error).code === 'not-found') this.#directories.drop(parentOf(file.path))
      throw error
    }
  }

  /** `FILE.json` with `--vfs-metadata-extension .json`: the metadata of FILE. */
  async #metadataFile(ctx: Context, path: string): Promise<FileNode | undefined> {
    const ending = this.options.metadataExtension
    if (ending === '' || !path.endsWith(ending)) return undefined
    const entry = await this.#find(ctx, path.slice(0, -ending.length))
    if (!entry) return undefined
    const text = Buffer.from(JSON.stringify(entry.metadata ?? {}, undefined, '\t'))
    return {
      kind: 'file',
      entry: { kind: 'file', path, size: text.length, modTime: entry.modTime, contentType: 'application/json' },
      open: async (_ctx, range) =>
        slice(bodyOf(text), range?.start ?? 0, (range?.end ?? text.length) - (range?.start ?? 0)),
    }
  }

  #refreshAll(): void {
    this.refresh(this.#ctx, '', true).catch((error: unknown) => {
      if (!(error instanceof AppError) || error.code !== 'aborted')
        this.#ctx.log.error(`--vfs-refresh: ${messageOf(error)}`)
    })
  }
}

function refreshError(error: unknown): string {
  const { code, message } = toAppError(error)
  if (code === 'not-directory') return 'invalid argument'
  return code === 'not-found' || code === 'invalid' ? 'file does not exist' : message
}
