import { bodyOf, collect, FileSlice, type Body } from '../../base/body.ts'
import { AppError, messageOf, toAppError } from '../../base/error.ts'
import type { Json } from '../../base/json.ts'
import { asCanonical, join, parentOf } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { hashBody } from '../../remote/hash.ts'
import { incoming } from '../../remote/incoming.ts'
import type { Metadata } from '../../remote/metadata.ts'
import type { DirEntry, Entry, FileEntry, PutInfo, Remote, RemoteInfo, Usage } from '../../remote/remote.ts'
import { withoutLacking } from '../../remote/together.ts'
import type { Values } from '../../schema/option.ts'
import { HEADER, nonceOf, opened, plainSize, sealed, sealedRange, sealedSize } from './blocks.ts'
import { Crew } from './crew.ts'
import { nameEncoding } from './encodings.ts'
import type { cryptOptions } from './index.ts'
import { keysOf } from './keys.ts'
import { Names } from './names.ts'

/** Opens a crypt remote: the storage below is opened where the configuration says, whatever the root of this one is. */
export async function openCrypt(args: OpenArgs<typeof cryptOptions>): Promise<Remote> {
  const { name, root, config } = args
  const keys = await keysOf(config.password, config.password2)
  const inner = await args.openRemote(config.remote)
  const parts: CryptParts = {
    inner,
    names: new Names(keys, await nameEncoding(config.filenameEncoding), config),
    crew: await Crew.open(keys.data),
    root: asCanonical(root.replace(/^\/+|\/+$/g, '')),
    config,
    info: infoOf(inner, name, root, config),
  }
  return withoutLacking(new CryptRemote(parts), [inner], { all: passedOn })
}

/** What is offered only when the storage below offers it. */
const passedOn = [
  'listRecursive',
  'copy',
  'move',
  'moveDirectory',
  'purge',
  'setModTime',
  'setTier',
  'metadata',
  'about',
  'cleanUp',
  'publicLink',
  'watch',
  'poll',
] as const satisfies readonly (keyof Remote)[]

interface CryptParts {
  readonly inner: Remote
  readonly names: Names
  readonly crew: Crew
  /** Where this remote is rooted, in clear. The one below is rooted where the configuration says. */
  readonly root: string
  readonly config: Values<typeof cryptOptions>
  readonly info: RemoteInfo
}

class CryptRemote implements Remote {
  readonly info: RemoteInfo
  readonly #parts: CryptParts
  readonly #inner: Remote
  /** One outer entry for each inner one, so that an unchanged file is the same object. */
  readonly #outer = new WeakMap<Entry, Entry>()
  readonly #stored = new WeakMap<FileEntry, FileEntry>()
  /** The nonces of files that were read. */
  readonly #nonces = new WeakMap<FileEntry, Uint8Array>()

  constructor(parts: CryptParts) {
    this.#parts = parts
    this.#inner = parts.inner
    this.info = parts.info
  }

  async *list(ctx: Context, dir: string): AsyncGenerator<Entry> {
    yield* this.#entries(ctx, this.#inner.list(ctx, this.#directory(dir)))
  }

  async *listRecursive(ctx: Context, dir: string): AsyncGenerator<Entry> {
    yield* this.#entries(ctx, this.#inner.listRecursive?.(ctx, this.#directory(dir)) ?? [])
  }

  async stat(ctx: Context, path: string): Promise<Entry | undefined> {
    const asFile = this.#file(path)
    const asDirectory = this.#directory(path)
    const found = await this.#inner.stat(ctx, asFile)
    if (found && (found.kind === 'file' || asFile === asDirectory)) return this.#entry(found)
    if (asFile === asDirectory) return undefined
    const directory = await this.#inner.stat(ctx, asDirectory)
    return directory?.kind === 'directory' ? this.#entry(directory) : undefined
  }

  async open(ctx: Context, file: FileEntry, range: Range = { start: 0, end: Infinity }): Promise<Body> {
    const stored = this.#storedFile(file)
    if (this.#parts.config.noDataEncryption) return await this.#inner.open(ctx, stored, range)
    const wanted = { start: range.start, end: file.size < 0 ? range.end : Math.min(range.end, file.size) }
    if (wanted.end <= wanted.start) return bodyOf()
    const nonce = this.#nonces.get(stored) ?? nonceOf(await this.#header(ctx, stored))
    this.#nonces.set(stored, nonce)
    const { start, end } = sealedRange(wanted)
    const body = await this.#inner.open(ctx, stored, { start, end: Math.min(end, stored.size < 0 ? end : stored.size) })
    return opened(body, { crew: this.#parts.crew, bad: this.#bad(ctx, file) }, nonce, wanted)
  }

  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    const to = await this.#target(ctx, path)
    if (this.#parts.config.noDataEncryption) return this.#shown(await this.#inner.put(ctx, to, body, info))
    const { size, hashes: _, hash: __, contentType: ___, ...rest } = info
    const encrypted = sealed(checked(body, info, ctx.signal), this.#parts.crew)
    const known = size === undefined || size < 0 ? {} : { size: sealedSize(size) }
    return this.#shown(await this.#inner.put(ctx, to, encrypted, { ...rest, ...known }))
  }

  async remove(ctx: Context, file: FileEntry): Promise<void> {
    await this.#inner.remove(ctx, this.#storedFile(file))
  }

  async mkdir(ctx: Context, dir: string): Promise<void> {
    await this.#refuseFiles(ctx, asCanonical(dir))
    await this.#inner.mkdir(ctx, this.#directory(dir))
  }

  async rmdir(ctx: Context, dir: string): Promise<void> {
    await this.#inner.rmdir(ctx, this.#directory(dir))
  }

  async copy(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const target = await this.#target(ctx, to)
    return this.#shown((await this.#inner.copy?.(ctx, this.#storedFile(file), target)) as FileEntry)
  }

  async move(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const target = await this.#target(ctx, to)
    return this.#shown((await this.#inner.move?.(ctx, this.#storedFile(file), target)) as FileEntry)
  }

  async moveDirectory(ctx: Context, from: string, to: string): Promise<void> {
    await this.#refuseFiles(ctx, asCanonical(to))
    await this.#inner.moveDirectory?.(ctx, this.#directory(from), this.#directory(to))
  }

  async purge(ctx: Context, dir: string): Promise<void> {
    await this.#inner.purge?.(ctx, this.#directory(dir))
  }

  async setModTime(ctx: Context, entry: Entry, time: Nanoseconds): Promise<void> {
    await this.#inner.setModTime?.(ctx, this.#storedEntry(entry), time)
  }

  async metadata(ctx: Context, entry: Entry): Promise<Metadata | undefined> {
    return await this.#inner.metadata?.(ctx, this.#storedEntry(entry))
  }

  async setTier(ctx: Context, file: FileEntry, tier: string): Promise<void> {
    await this.#inner.setTier?.(ctx, this.#storedFile(file), tier)
  }

  async about(ctx: Context): Promise<Usage> {
    return (await this.#inner.about?.(ctx)) ?? {}
  }

  async cleanUp(ctx: Context): Promise<void> {
    await this.#inner.cleanUp?.(ctx)
  }

  async publicLink(ctx: Context, path: string, options: { expire?: number; unlink?: boolean }): Promise<string> {
    const entry = await this.stat(ctx, path)
    const stored = entry?.kind === 'directory' ? this.#directory(path) : this.#file(path)
    return (await this.#inner.publicLink?.(ctx, stored, options)) ?? ''
  }

  /** Encrypts the content as the file was, with its nonce: the same content then has the same checksum. */
  async holds(ctx: Context, file: FileEntry, content: Body): Promise<boolean | undefined> {
    const stored = this.#storedFile(file)
    const [kind] = this.#inner.info.hashes
    if (kind === undefined || !this.#inner.hash) return undefined
    const plain = this.#parts.config.noDataEncryption
    const body = plain ? content : sealed(content, this.#parts.crew, nonceOf(await this.#header(ctx, stored)))
    const [held, wanted] = [await this.#inner.hash(ctx, stored, kind), await hashBody(body, kind)]
    return held === '' ? undefined : held === wanted
  }

  storedPath({ kind, path }: Entry): string {
    const { names } = this.#parts
    return kind === 'file' ? names.file(path) : names.directory(path)
  }

  watch(dir: string, changed: () => void): (() => void) | undefined {
    return this.#inner.watch?.(this.#directory(dir), changed)
  }

  poll(ctx: Context, pollMs: number, changed: (path: string, kind: Entry['kind']) => void): () => void {
    const stop = this.#inner.poll?.(ctx, pollMs, (stored, kind) => {
      const path = this.#plain(stored, kind)
      if (path !== undefined) changed(path, kind)
    })
    return () => stop?.()
  }

  /** `encode` and `decode`: the stored names of paths, and back (rclone's backend commands for crypt). */
  command(_ctx: Context, name: string, args: readonly string[]): Promise<Json> {
    const { names } = this.#parts
    if (name === 'encode') return Promise.resolve(args.map((path) => names.file(path)))
    if (name === 'decode') return Promise.resolve(args.map((stored) => names.fileOf(stored)))
    return Promise.reject(new AppError('unsupported', 'command not found'))
  }

  async #header(ctx: Context, stored: FileEntry): Promise<Uint8Array> {
    return await collect(await this.#inner.open(ctx, stored, { start: 0, end: HEADER }), HEADER)
  }

  #bad(ctx: Context, file: FileEntry): ((block: number) => void) | undefined {
    if (!this.#parts.config.passBadBlocks) return undefined
    return (block) => ctx.log.error(`block ${block} is damaged: zeros in its place`, { object: file.path })
  }

  async *#entries(ctx: Context, stored: AsyncIterable<Entry> | Iterable<Entry>): AsyncGenerator<Entry> {
    const { showMapping, strictNames } = this.#parts.config
    for await (const inner of stored) {
      try {
        const entry = this.#entry(inner)
        if (showMapping) ctx.log.notice(`encrypts to ${JSON.stringify(inner.path)}`, { object: entry.path })
        yield entry
      } catch (reason) {
        if (strictNames || toAppError(reason).code !== 'invalid') throw reason
        ctx.log.debug(`left out, its name cannot be decrypted: ${messageOf(reason)}`, { object: inner.path })
      }
    }
  }

  /**
   * Where a file is to be stored. A file and a directory of one name are stored under two, so that the storage below would
   * take both: throws `is-directory` and `not-directory` in its place.
   */
  async #target(ctx: Context, path: string): Promise<string> {
    const canonical = asCanonical(path)
    if (canonical === '') throw new AppError('is-directory', 'a file needs a name')
    await this.#refuseFiles(ctx, parentOf(canonical))
    const [target, directory] = [this.#file(canonical), this.#directory(canonical)]
    if (target !== directory && (await this.#inner.stat(ctx, directory))?.kind === 'directory')
      throw new AppError('is-directory', `${path} is a directory`)
    return target
  }

  /** Throws `not-directory` when a file has the name of a directory or of one above it. */
  async #refuseFiles(ctx: Context, dir: string): Promise<void> {
    for (let above = dir; above !== ''; above = parentOf(above)) {
      const asFile = this.#file(above)
      if (asFile !== this.#directory(above) && (await this.#inner.stat(ctx, asFile)))
        throw new AppError('not-directory', `${above} is a file`)
    }
  }

  #file(path: string): string {
    return this.#parts.names.file(join(this.#parts.root, path))
  }

  #directory(path: string): string {
    return this.#parts.names.directory(join(this.#parts.root, path))
  }

  /** The path of what is stored at `stored`; undefined when that lies outside the root. */
  #plain(stored: string, kind: Entry['kind']): string | undefined {
    const { names, root } = this.#parts
    const path = kind === 'file' ? names.fileOf(stored) : names.directoryOf(stored)
    if (root === '') return path
    if (path === root) return ''
    return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : undefined
  }

  #entry(stored: Entry): Entry {
    let entry = this.#outer.get(stored)
    if (entry) return entry
    const path = asCanonical(this.#plain(stored.path, stored.kind) ?? '')
    entry = stored.kind === 'file' ? this.#fileEntry(stored, path) : ({ ...stored, path } satisfies DirEntry)
    this.#outer.set(stored, entry)
    return entry
  }

  #shown(stored: FileEntry): FileEntry {
    return this.#entry(stored) as FileEntry
  }

  #fileEntry(stored: FileEntry, path: string): FileEntry {
    const { hashes: _, contentType: __, ...rest } = stored
    const size = this.#parts.config.noDataEncryption ? stored.size : sizeOf(stored.size)
    const entry: FileEntry = { ...rest, path, size }
    this.#stored.set(entry, stored)
    return entry
  }

  /** The entry below. One that was not made here has a size that only a listing could tell. */
  #storedEntry(entry: Entry): Entry {
    return entry.kind === 'file' ? this.#storedFile(entry) : { ...entry, path: this.#directory(entry.path) }
  }

  #storedFile(file: FileEntry): FileEntry {
    const size = this.#parts.config.noDataEncryption || file.size < 0 ? file.size : sealedSize(file.size)
    return this.#stored.get(file) ?? { ...file, path: this.#file(file.path), size }
  }
}

/** An upload as it is announced; an open file that is, is read as such. */
function checked(body: Body, info: PutInfo, signal: AbortSignal): Body {
  return body instanceof FileSlice && info.size === body.length && !info.hashes ? body : incoming(body, info, signal)
}

/** The size of a stored file in clear; -1 when it cannot be one of ours, so that reading it says what is wrong. */
function sizeOf(stored: number): number {
  try {
    return stored < 0 ? -1 : plainSize(stored)
  } catch {
    return -1
  }
}

function infoOf(inner: Remote, name: string, root: string, config: Values<typeof cryptOptions>): RemoteInfo {
  const { traits, precision, metadata } = inner.info
  const clearNames = config.filenameEncryption === 'off' || !config.directoryNameEncryption
  const { caseInsensitive, isLocal: _, ...kept } = traits
  return {
    name,
    type: 'crypt',
    root,
    description: `Encrypted drive '${name}:${root}'`,
    hashes: [],
    ...(precision === undefined ? {} : { precision }),
    ...(metadata ? { metadata } : {}),
    traits: { ...kept, ...(caseInsensitive && clearNames ? { caseInsensitive } : {}) },
  }
}
