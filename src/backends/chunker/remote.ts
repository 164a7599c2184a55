import { orAbort, throwIfAborted } from '../../base/abort.ts'
import { bodyOf, collect, type Body } from '../../base/body.ts'
import { derive } from '../../base/derive.ts'
import { AppError } from '../../base/error.ts'
import { KeyedLock } from '../../base/keyed-lock.ts'
import { asCanonical, parentOf } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { unstopped } from '../../core/tidying.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { specBelow } from '../../remote/below.ts'
import { hashBody } from '../../remote/hash.ts'
import { ownTime } from '../../remote/own-time.ts'
import type { Entry, FileEntry, PutInfo, Remote, RemoteInfo, Usage } from '../../remote/remote.ts'
import { withoutLacking } from '../../remote/together.ts'
import type { Values } from '../../schema/option.ts'
import { type Group, grouped, inOrder } from './group.ts'
import type { chunkerOptions } from './index.ts'
import { LONGEST, type Metadata, parseMetadata } from './metadata.ts'
import { ChunkNames } from './names.ts'
import { chained, type Composite, type Part, partsOf, sizeOf } from './composite.ts'
import { type Present, type Stored, Upload } from './upload.ts'

type Options = Values<typeof chunkerOptions>

/** Opens a chunker over the remote that the configuration names. */
export async function openChunker(args: OpenArgs<typeof chunkerOptions>): Promise<Remote> {
  const { name, root, config } = args
  const names = new ChunkNames(config.nameFormat, config.startFrom)
  const path = asCanonical(root.replace(/^\/+|\/+$/g, ''))
  const inner = await args.openRemote(specBelow(config.remote, path))
  if (!inner.move && !inner.copy)
    throw new AppError('unsupported', 'chunker: the wrapped remote can neither rename nor copy, which chunks need')
  const remote = new ChunkerRemote(inner, names, config, infoOf(inner, name, path, config))
  return withoutLacking(remote, [inner], { all: passedOn })
}

/** What is offered only when the wrapped remote offers it. */
const passedOn = [
  'copy',
  'move',
  'moveDirectory',
  'purge',
  'setModTime',
  'about',
  'cleanUp',
  'watch',
  'poll',
] as const satisfies readonly (keyof Remote)[]

class ChunkerRemote implements Remote {
  readonly info: RemoteInfo
  readonly #inner: Remote
  readonly #names: ChunkNames
  readonly #config: Options
  readonly #composites = new WeakMap<FileEntry, Composite>()
  readonly #metadata = new WeakMap<FileEntry, Promise<Metadata | undefined>>()
  /** Uploads, moves and removals of one name do not cross: between its chunks they would leave none of both. */
  readonly #changes = new KeyedLock()

  constructor(inner: Remote, names: ChunkNames, config: Options, info: RemoteInfo) {
    this.#inner = inner
    this.#names = names
    this.#config = config
    this.info = info
  }

  async *list(ctx: Context, dir: string): AsyncGenerator<Entry> {
    const { groups, others } = grouped(await Array.fromAsync(this.#inner.list(ctx, dir)), this.#names)
    yield* others
    for (const group of groups) {
      const file = await this.#file(ctx, group)
      if (file) yield file
    }
  }

  async stat(ctx: Context, path: string): Promise<Entry | undefined> {
    if (this.#names.parse(path)) return undefined
    const found = await this.#inner.stat(ctx, path)
    const whole = found && (found.kind === 'directory' || path === '' || (this.#hasMetadata && found.size > LONGEST))
    if (whole || (!found && this.#hasMetadata)) return found
    const group = await this.#group(ctx, path)
    const file = group && (await this.#file(ctx, group))
    return file && (await this.describe(ctx, file))
  }

  async describe(ctx: Context, file: FileEntry): Promise<FileEntry> {
    if (!file.timeOfUpload) return file
    const composite = await this.#composite(ctx, file)
    if (!composite) return await ownTime(ctx, this.#inner, file)
    const { main, chunks } = composite
    if (main) return this.#made({ ...composite, main: await ownTime(ctx, this.#inner, main) })
    const [first, ...rest] = chunks as [FileEntry]
    return this.#made({ ...composite, chunks: [await ownTime(ctx, this.#inner, first), ...rest] })
  }

  async open(ctx: Context, file: FileEntry, range: Range = { start: 0, end: Infinity }): Promise<Body> {
    const composite = await this.#composite(ctx, file)
    if (!composite) return await this.#inner.open(ctx, file, range)
    await this.#confirm(ctx, composite)
    const [first, ...rest] = partsOf(composite, range)
    if (!first) return bodyOf()
    const open = (part: Part) => this.#inner.open(ctx, part.chunk, part.range)
    return derive(await open(first), (body) => chained(body, rest, open))
  }

  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    const to = asCanonical(path)
    this.#refuseChunk(to)
    await this.#refuseFiles(ctx, parentOf(to))
    const upload = new Upload({ inner: this.#inner, names: this.#names, config: this.#config, info: this.info })
    const source = await upload.begin(ctx, to, body, info)
    return await this.#changing(ctx, to, async () => {
      return this.#shown(to, await upload.finish(ctx, source, await this.#present(ctx, to)))
    })
  }

  async remove(ctx: Context, file: FileEntry): Promise<void> {
    await this.#changing(ctx, file.path, async (last) => {
      const composite = await this.#composite(ctx, file)
      if (!composite) return await this.#inner.remove(ctx, file)
      // The metadata first: what is left when this is interrupted is not shown as a file.
      for (const part of [...(composite.main ? [composite.main] : []), ...composite.chunks])
        await this.#inner.remove(last, part)
    })
  }

  async mkdir(ctx: Context, dir: string): Promise<void> {
    await this.#refuseFiles(ctx, asCanonical(dir))
    await this.#inner.mkdir(ctx, dir)
  }

  async rmdir(ctx: Context, dir: string): Promise<void> {
    await this.#inner.rmdir(ctx, dir)
  }

  async copy(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    return await this.#transferred(
      ctx,
      file,
      to,
      async (last, part, target) => (await this.#inner.copy?.(last, part, target)) as FileEntry,
    )
  }

  async move(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    return await this.#transferred(
      ctx,
      file,
      to,
      async (last, part, target) => (await this.#inner.move?.(last, part, target)) as FileEntry,
    )
  }

  async moveDirectory(ctx: Context, from: string, to: string): Promise<void> {
    await this.#refuseFiles(ctx, parentOf(asCanonical(to)))
    if (!this.#hasMetadata && (await this.stat(ctx, to))) throw new AppError('exists', `${to} exists already`)
    await this.#inner.moveDirectory?.(ctx, from, to)
  }

  async purge(ctx: Context, dir: string): Promise<void> {
    await this.#inner.purge?.(ctx, dir)
  }

  async hash(ctx: Context, file: FileEntry, kind: string): Promise<string> {
    const composite = await this.#composite(ctx, file)
    if (!composite && this.#inner.info.hashes.includes(kind)) return (await this.#inner.hash?.(ctx, file, kind)) ?? ''
    const metadata = composite && (await this.#confirm(ctx, composite))
    const kept = kind === 'md5' ? metadata?.md5 : kind === 'sha1' ? metadata?.sha1 : undefined
    return kept ?? (await hashBody(await this.open(ctx, file), kind))
  }

  async setModTime(ctx: Context, entry: Entry, time: Nanoseconds): Promise<void> {
    const composite = entry.kind === 'file' ? await this.#composite(ctx, entry) : undefined
    await this.#inner.setModTime?.(
      ctx,
      composite ? (composite.main ?? (composite.chunks[0] as FileEntry)) : entry,
      time,
    )
  }

  async about(ctx: Context): Promise<Usage> {
    return (await this.#inner.about?.(ctx)) ?? {}
  }

  async cleanUp(ctx: Context): Promise<void> {
    await this.#inner.cleanUp?.(ctx)
  }

  watch(dir: string, changed: () => void): (() => void) | undefined {
    return this.#inner.watch?.(dir, changed)
  }

  poll(ctx: Context, pollMs: number, changed: (path: string, kind: Entry['kind']) => void): () => void {
    const stop = this.#inner.poll?.(ctx, pollMs, (path, kind) => changed(this.#names.parse(path)?.main ?? path, kind))
    return () => stop?.()
  }

  /**
   * Waits until nobody else changes a name. Who is stopped waits no more, but what has begun goes on with the context that
   * `work` gets: between its steps the file would be of two versions, or in two places.
   */
  async #changing<T>(ctx: Context, path: string, work: (last: Context) => Promise<T>): Promise<T> {
    const turn = this.#changes.run(path, async () => {
      throwIfAborted(ctx.signal)
      return await work(unstopped(ctx))
    })
    return await orAbort(ctx.signal, turn)
  }

  get #hasMetadata(): boolean {
    return this.#config.metaFormat !== 'none'
  }

  /** What the directory of a path has of that file. */
  async #group(ctx: Context, path: string): Promise<Group | undefined> {
    const wanted: Entry[] = []
    try {
      for await (const entry of this.#inner.list(ctx, parentOf(path)))
        if (entry.path === path || this.#names.parse(entry.path)?.main === path) wanted.push(entry)
    } catch (error) {
      if (error instanceof AppError && (error.code === 'not-found' || error.code === 'not-directory')) return undefined
      throw error
    }
    return grouped(wanted, this.#names).groups[0]
  }

  /** What there is under a name now, with what belongs to no upload that is still on its way. */
  async #present(ctx: Context, path: string): Promise<Present> {
    const group = await this.#group(ctx, path)
    if (!group) return { main: undefined, chunks: [] }
    const metadata = this.#hasMetadata && group.main ? await this.#read(ctx, group.main) : undefined
    const parts = [...new Set(['', metadata?.txn ?? ''])].flatMap((txn) => [...(group.chunks.get(txn)?.values() ?? [])])
    return { main: group.main, chunks: parts }
  }

  /** The file that a group is, undefined when it is none. */
  async #file(ctx: Context, group: Group): Promise<FileEntry | undefined> {
    const { main, chunks } = group
    if (chunks.size === 0 || (this.#hasMetadata && (!main || main.size > LONGEST))) return main
    // Chunks that bear no transaction are parts for good. Of the others only the metadata tells.
    const metadata = this.#hasMetadata && main && !chunks.has('') ? await this.#read(ctx, main) : undefined
    if (this.#hasMetadata && !chunks.has('') && !metadata) return main
    const parts = chunks.get(metadata?.txn ?? '')
    if (!parts) return main
    const ordered = inOrder(parts)
    if (ordered)
      return this.#made({
        path: group.path,
        main: this.#hasMetadata ? main : undefined,
        chunks: ordered,
        txn: metadata?.txn ?? '',
      })
    const sentence = `chunks of ${group.path} are missing`
    if (this.#config.failHard) throw new AppError('io', sentence)
    ctx.log.debug(`left out: ${sentence}`, { object: group.path })
    return undefined
  }

  #made(composite: Composite): FileEntry {
    const { path, main, chunks } = composite
    const all = main ? [main, ...chunks] : chunks
    const known = all.every(({ version }) => version !== undefined)
    const file: FileEntry = {
      kind: 'file',
      path,
      size: sizeOf(composite),
      modTime: all[0]?.modTime ?? 0n,
      ...(all[0]?.timeOfUpload ? { timeOfUpload: true } : {}),
      ...(known ? { version: `${all.length}-${all[0]?.version}` } : {}),
    }
    this.#composites.set(file, composite)
    return file
  }

  #shown(path: string, stored: Stored): FileEntry {
    if (!('chunks' in stored)) return stored
    return this.#made({ ...stored, path })
  }

  /** The parts of a file, undefined when it is in one piece. An entry that was not made here is looked up. */
  async #composite(ctx: Context, file: FileEntry): Promise<Composite | undefined> {
    const known = this.#composites.get(file)
    if (known) return known
    if (this.#hasMetadata && file.size > LONGEST && (await this.#isWhole(ctx, file))) return undefined
    const group = await this.#group(ctx, file.path)
    const listed = group && (await this.#file(ctx, group))
    const now = listed && !file.timeOfUpload ? await this.describe(ctx, listed) : listed
    const composite = now && this.#composites.get(now)
    if (composite && (now.size !== file.size || now.modTime !== file.modTime))
      throw new AppError('not-found', `${file.path} has changed since it was looked up`, { retry: 'now' })
    return composite
  }

  async #isWhole(ctx: Context, file: FileEntry): Promise<boolean> {
    const stored = await this.#inner.stat(ctx, file.path)
    return stored?.kind === 'file' && stored.size === file.size
  }

  async #read(ctx: Context, main: FileEntry): Promise<Metadata | undefined> {
    if (main.size > LONGEST) return undefined
    let reading = this.#metadata.get(main)
    if (!reading) {
      reading = this.#inner
        .open(ctx, main)
        .then((body) => collect(body))
        .then(parseMetadata)
      this.#metadata.set(main, reading)
      reading.catch(() => this.#metadata.delete(main))
    }
    return await reading
  }

  /** Reads what is said of the parts, and throws `io` when they are others. */
  async #confirm(ctx: Context, composite: Composite): Promise<Metadata | undefined> {
    if (!composite.main) return undefined
    const metadata = await this.#read(ctx, composite.main)
    if (metadata?.size === sizeOf(composite) && metadata.chunks === composite.chunks.length) return metadata
    throw new AppError('io', `${composite.path}: its chunks are not those that its metadata tells of`)
  }

  /** Moves or copies all parts of a file, the metadata last; what has the name is removed. */
  async #transferred(
    ctx: Context,
    file: FileEntry,
    path: string,
    transfer: (last: Context, part: FileEntry, target: string) => Promise<FileEntry>,
  ): Promise<FileEntry> {
    const to = asCanonical(path)
    this.#refuseChunk(to)
    const composite = await this.#composite(ctx, file)
    return await this.#changing(ctx, to, async (last) => {
      const old = await this.#present(ctx, to)
      const chunks: FileEntry[] = []
      for (const [index, chunk] of (composite?.chunks ?? []).entries())
        chunks.push(await transfer(last, chunk, this.#names.of(to, index, composite?.txn)))
      const first = composite ? composite.main : file
      const main = first && (await transfer(last, first, to))
      const kept = new Set([to, ...chunks.map((chunk) => chunk.path)])
      for (const part of [...old.chunks, ...(old.main ? [old.main] : [])])
        if (!kept.has(part.path) || (part.path === to && !main)) await this.#inner.remove(last, part)
      return composite ? this.#made({ ...composite, path: to, main, chunks }) : (main as FileEntry)
    })
  }

  /** Throws `not-directory` when a directory would have the name of a file that is nothing but chunks. */
  async #refuseFiles(ctx: Context, dir: string): Promise<void> {
    if (this.#hasMetadata) return
    for (let above = dir; above !== ''; above = parentOf(above))
      if ((await this.stat(ctx, above))?.kind === 'file') throw new AppError('not-directory', `${above} is a file`)
  }

  #refuseChunk(path: string): void {
    if (this.#names.parse(path)) throw new AppError('invalid', `${path} would be taken for a chunk of another file`)
  }
}

function infoOf(inner: Remote, name: string, root: string, config: Options): RemoteInfo {
  const { traits, precision, hashes } = inner.info
  const { isLocal: _, ...kept } = traits
  const kind = /^(md5|sha1)/.exec(config.hashType)?.[1]
  const all = config.hashType.endsWith('all')
  const offered = kind !== undefined && (all || hashes.includes(kind)) ? [kind] : []
  return {
    name,
    type: 'chunker',
    root,
    description: `Chunked '${name}:${root}'`,
    hashes: config.hashType === 'none' ? [] : offered,
    ...(precision === undefined ? {} : { precision }),
    traits: kept,
  }
}
