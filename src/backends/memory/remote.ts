import { throwIfAborted } from '../../base/abort.ts'
import type { Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { asCanonical, isInside, join } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import { fromMs, type Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { hasher, hashKinds } from '../../remote/hash.ts'
import { incoming } from '../../remote/incoming.ts'
import type { Entry, FileEntry, PutInfo, Remote, RemoteInfo } from '../../remote/remote.ts'
import type { Values } from '../../schema/option.ts'
import type { memoryOptions } from './index.ts'
import type { MemoryDirectory, MemoryFile, MemoryStore } from './store.ts'

const CHUNK = 256 * 1024

/** A part of a store, from one directory down. */
export class MemoryRemote implements Remote {
  readonly info: RemoteInfo
  readonly #store: MemoryStore
  readonly #root: string
  readonly #discard: boolean

  constructor(store: MemoryStore, name: string, root: string, options: Values<typeof memoryOptions>) {
    this.#store = store
    this.#root = root.split('/').filter(Boolean).join('/')
    this.#discard = options.discard
    this.info = {
      name,
      type: 'memory',
      root,
      description: `Memory root '${root}'`,
      hashes: hashKinds,
      precision: 1,
      traits: { isLocal: true, emptyDirectories: true, partialUploads: true },
    }
  }

  async *list(ctx: Context, dir: string): AsyncGenerator<Entry> {
    for (const [name, node] of this.#directory(dir).children) {
      throwIfAborted(ctx.signal)
      yield this.#entry(join(dir, name), node)
    }
  }

  async stat(_ctx: Context, path: string): Promise<Entry | undefined> {
    const node = this.#store.get(join(this.#root, path))
    return node && this.#entry(path, node)
  }

  peek(path: string): FileEntry | undefined {
    const node = this.#store.get(join(this.#root, path))
    return node?.kind === 'file' ? this.#fileEntry(path, node) : undefined
  }

  async open(ctx: Context, file: FileEntry, range: Range = { start: 0, end: Infinity }): Promise<Body> {
    const { bytes, size } = this.#file(file)
    const { signal } = ctx
    async function* read(): AsyncGenerator<Uint8Array> {
      const end = Math.min(range.end, size)
      for (let at = range.start; at < end; at += CHUNK) {
        throwIfAborted(signal)
        const until = Math.min(end, at + CHUNK)
        // A copy: chunks belong to whoever receives them. With `discard` there are no bytes to give but zeros.
        yield bytes.length === size ? new Uint8Array(bytes.subarray(at, until)) : new Uint8Array(until - at)
      }
    }
    return read()
  }

  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    const place = join(this.#root, asCanonical(path))
    const exists = () => {
      const old = this.#store.get(place)
      if (old?.kind === 'directory') throw new AppError('is-directory', `${path} is a directory`)
      if (old && info.ifAbsent) throw new AppError('exists', `${path} exists already`)
    }
    exists()
    const { bytes, size } = await gather(ctx, body, info, this.#discard)
    exists()
    return this.#fileEntry(path, this.#store.set(place, { bytes, size, ...described(info) }))
  }

  async remove(_ctx: Context, file: FileEntry): Promise<void> {
    const place = join(this.#root, file.path)
    if (this.#store.get(place)?.kind === 'directory') throw new AppError('is-directory', `${file.path} is a directory`)
    if (!this.#store.get(place)) throw new AppError('not-found', `${file.path} does not exist`)
    this.#store.delete(place)
  }

  async mkdir(_ctx: Context, dir: string): Promise<void> {
    this.#store.makeDirectory(join(this.#root, asCanonical(dir)))
  }

  async rmdir(_ctx: Context, dir: string): Promise<void> {
    if (this.#directory(dir).children.size > 0) throw new AppError('not-empty', `${dir} is not empty`)
    this.#store.delete(join(this.#root, dir))
  }

  async purge(_ctx: Context, dir: string): Promise<void> {
    this.#directory(dir)
    this.#store.delete(join(this.#root, dir))
  }

  async *listRecursive(ctx: Context, dir: string): AsyncGenerator<Entry> {
    for await (const entry of this.list(ctx, dir)) {
      yield entry
      if (entry.kind === 'directory') yield* this.listRecursive(ctx, entry.path)
    }
  }

  async copy(_ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const { bytes, size, modTime, contentType, metadata } = this.#file(file)
    const copied = { bytes, size, modTime, contentType, metadata }
    return this.#fileEntry(to, this.#store.set(join(this.#root, asCanonical(to)), copied))
  }

  async move(_ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    this.#file(file)
    const place = join(this.#root, asCanonical(to))
    if (this.#store.get(place)?.kind === 'directory') throw new AppError('is-directory', `${to} is a directory`)
    this.#store.rename(join(this.#root, file.path), place)
    return this.#fileEntry(to, this.#store.get(place) as MemoryFile)
  }

  async moveDirectory(_ctx: Context, from: string, to: string): Promise<void> {
    this.#directory(from)
    if (from === '' || isInside(to, from)) throw new AppError('invalid', "can't move a directory into itself")
    if (this.#store.get(join(this.#root, asCanonical(to)))) throw new AppError('exists', `${to} exists already`)
    this.#store.rename(join(this.#root, from), join(this.#root, to))
  }

  async hash(_ctx: Context, file: FileEntry, kind: string): Promise<string> {
    const hash = hasher(kind)
    hash.update(this.#file(file).bytes)
    return hash.digest()
  }

  async setModTime(_ctx: Context, entry: Entry, time: Nanoseconds): Promise<void> {
    if (entry.kind === 'directory') throw new AppError('unsupported', 'directories in memory keep their time')
    this.#store.set(join(this.#root, entry.path), { ...this.#file(entry), modTime: time })
  }

  watch(dir: string, changed: () => void): () => void {
    return this.#store.watch(join(this.#root, dir), changed)
  }

  #directory(dir: string): MemoryDirectory {
    const node = this.#store.get(join(this.#root, dir))
    if (!node) throw new AppError('not-found', `${dir === '' ? 'the root' : dir} does not exist`)
    if (node.kind === 'file') throw new AppError('not-directory', `${dir} is a file`)
    return node
  }

  /** The file that an entry stands for; one that was replaced since is gone. */
  #file({ path, version }: FileEntry): MemoryFile {
    const node = this.#store.get(join(this.#root, path))
    if (node?.kind === 'directory') throw new AppError('is-directory', `${path} is a directory`)
    if (!node) throw new AppError('not-found', `${path} does not exist`)
    if (version !== undefined && node.version !== version)
      throw new AppError('not-found', `${path} has changed since it was looked up`, { retry: 'now' })
    return node
  }

  #entry(path: string, node: MemoryFile | MemoryDirectory): Entry {
    return node.kind === 'file' ? this.#fileEntry(path, node) : { kind: 'directory', path, modTime: node.modTime }
  }

  #fileEntry(path: string, file: MemoryFile): FileEntry {
    let entry = file.shown.get(this.#root)
    if (!entry) {
      const { kind, size, modTime, version, contentType, metadata } = file
      entry = { kind, path, size, modTime, version, contentType, metadata }
      file.shown.set(this.#root, entry)
    }
    return entry
  }
}

/** What is stored of a file besides its bytes. */
function described(info: PutInfo): Pick<MemoryFile, 'modTime' | 'contentType' | 'metadata'> {
  const { modTime = fromMs(Date.now()), contentType, metadata } = info
  return { modTime, contentType, metadata }
}

async function gather(
  ctx: Context,
  body: Body,
  info: PutInfo,
  discard: boolean,
): Promise<{ bytes: Uint8Array; size: number }> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of incoming(body, info, ctx.signal)) {
    size += chunk.length
    if (!discard) chunks.push(chunk)
  }
  return { bytes: Buffer.concat(chunks), size }
}
