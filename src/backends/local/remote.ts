import { promises as fsp } from 'node:fs'
import { resolve } from 'node:path'
import { throwIfAborted } from '../../base/abort.ts'
import { bodyOf, collect, FileSlice, slice, type Body } from '../../base/body.ts'
import { AppError, rethrow } from '../../base/error.ts'
import { asCanonical, isInside, nameOf, parentOf } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { mainOptions } from '../../core/options.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { hashBody, hashKinds } from '../../remote/hash.ts'
import { incoming } from '../../remote/incoming.ts'
import { inBatches } from '../../remote/listing.ts'
import type { Metadata } from '../../remote/metadata.ts'
import type { Entry, FileEntry, Listing, PutInfo, Remote, RemoteInfo, Usage, WriterAt } from '../../remote/remote.ts'
import { closeFd, Disk, fileSystemKind, type FileSystemKind, SMALL } from './disk.ts'
import { toDirEntry, toEntry, toFileEntry, versionOf } from './entry.ts'
import { empty, parentDirectory, removeDirectory } from './erase.ts'
import { OpenFiles } from './files.ts'
import { HotFiles } from './hot.ts'
import type { LocalOptions, localOptions } from './index.ts'
import { runCommand } from './command.ts'
import {
  findLink,
  isLinkEntry,
  linkEntry,
  linkPath,
  linkStats,
  linkTarget,
  namesLink,
  setLinkTime,
  writeLink,
} from './links.ts'
import { children, type Found } from './listing.ts'
import { Looks } from './looks.ts'
import { localMetadata, metadataOfStats } from './metadata.ts'
import { diskPath, type OsPath } from './names.ts'
import { readSmall } from './small.ts'
import { Store } from './store.ts'
import { absent, Tree } from './tree.ts'
import { Turn } from './turn.ts'
import { Watches } from './watch.ts'
import { setFdTime, TIME_PRECISION } from './times.ts'

/** Bytes in the target of a link, and one more. */
const LONGEST_LINK = 4096

interface Shared {
  readonly looks: Looks
  /** Ends the names of files that are being written. */
  readonly suffix: string
}

/** A directory of this machine. */
export class LocalRemote implements Remote {
  readonly info: RemoteInfo
  readonly #options: LocalOptions
  readonly #tree: Tree
  readonly #files: OpenFiles
  readonly #hot: HotFiles
  readonly #watches = new Watches()
  readonly #store: Store
  readonly #looks: Looks
  #scratch: Buffer | undefined
  readonly #kinds = new Map<bigint, FileSystemKind>()
  #noticed = false

  private constructor(name: string, root: string, options: LocalOptions, { looks, suffix }: Shared) {
    const disk = new Disk(fileSystemKind(root).network)
    const turn = new Turn()
    this.#options = options
    this.#looks = looks
    this.#tree = new Tree(root, disk, options, turn)
    this.#files = new OpenFiles(disk, { confirms: !options.noCheckUpdated, sendfile: !options.noSendfile })
    this.#hot = new HotFiles({ disk, turn, kindOf: (device, place) => this.#kindOf(device, place) })
    this.#store = new Store({ tree: this.#tree, hot: this.#hot, options, turn, suffix })
    this.info = describe(name, root, options, disk.network)
  }

  /** `looks` is for listings of very many files; it may be shared. */
  static open(
    ctx: Context,
    args: Pick<OpenArgs<typeof localOptions>, 'name' | 'root' | 'config'>,
    looks = new Looks(),
  ): LocalRemote {
    if (args.config.links && args.config.copyLinks)
      throw new AppError('invalid', "can't use -l/--links with -L/--copy-links")
    const { partialSuffix: suffix } = ctx.get(mainOptions)
    return new LocalRemote(args.name, resolve(args.root === '' ? '.' : args.root), args.config, { looks, suffix })
  }

  list(ctx: Context, dir: string): Listing {
    return inBatches(() => this.#batches(ctx, dir))
  }

  async *#batches(ctx: Context, dir: string): AsyncGenerator<readonly Entry[]> {
    const directory = await this.#tree.openDirectory(dir)
    try {
      const skipped = (path: string) => this.#skipped(ctx, path)
      const options = { showLinks: this.#options.links, skipped, looks: this.#looks }
      for await (const batch of children(this.#tree, directory, dir, options)) {
        throwIfAborted(ctx.signal)
        yield batch.map((found) => this.#entry(found))
      }
    } finally {
      await directory.close()
    }
  }

  async stat(_ctx: Context, path: string): Promise<Entry | undefined> {
    const stats = await this.#tree.locate(path)
    if (!stats) return this.#options.links ? await findLink(this.#tree, path, this.#options.timeType) : undefined
    if (stats.isDirectory()) {
      this.#watches.check(path, stats)
      return toDirEntry(path, stats, this.#options.timeType)
    }
    const place = this.#tree.diskPath(path)
    const make = () => toFileEntry(path, stats, this.#options.timeType)
    return place === undefined ? undefined : this.#hot.remember(path, place, stats, make)
  }

  peek(path: string): FileEntry | undefined {
    return this.#hot.peek(path)
  }

  async open(_ctx: Context, file: FileEntry, range: Range = { start: 0, end: Infinity }): Promise<Body> {
    if (this.#isLink(file)) return bodyOf((await linkTarget(this.#tree, file.path)).subarray(range.start, range.end))
    const key = file.version === undefined ? undefined : `${file.path}\0${file.version}`
    const known = key === undefined ? undefined : this.#files.take(key)
    const end = Math.min(range.end, file.size)
    const slice = { start: Math.min(range.start, end), end }
    if (known) return new FileSlice(known, slice)
    const { fd, stats } = await this.#tree.openFile(file.path)
    if (file.version !== undefined && versionOf(stats) !== file.version && !this.#options.noCheckUpdated) {
      await closeFd(fd)
      this.#hot.forget(file.path)
      // Whoever gets this looks the name up again: what is there now is another file.
      throw new AppError('not-found', `${file.path} has changed since it was looked up`, { retry: 'now' })
    }
    return new FileSlice(this.#files.add(key, fd, stats), slice)
  }

  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    if (this.#options.links && namesLink(path)) return await this.#putLink(ctx, path, body, info)
    return await this.#store.put(ctx, path, body, info)
  }

  async #putLink(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    // What is longer is refused by the system.
    const target = await collect(slice(incoming(body, info, ctx.signal), 0, LONGEST_LINK))
    const { modTime, ifAbsent = false } = info
    const temp = this.#store.freeName()
    await writeLink(this.#tree, {
      path,
      target,
      modTime: this.#options.noSetModtime ? undefined : modTime,
      ifAbsent,
      temp,
    })
    const made = await findLink(this.#tree, path, this.#options.timeType)
    if (!made) throw absent(path)
    return made
  }

  putNow(path: string, bytes: Uint8Array, info: PutInfo): FileEntry | undefined {
    return this.#options.links && namesLink(path) ? undefined : this.#store.putNow(path, bytes, info)
  }

  async openWriter(ctx: Context, path: string, info: PutInfo): Promise<WriterAt> {
    return await this.#store.openWriter(ctx, path, info)
  }

  async copy(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    return await this.#store.copy(ctx, file, to)
  }

  readNow(file: FileEntry): Uint8Array | undefined {
    const { disk, policy } = this.#tree
    if (file.size > SMALL || file.version === undefined || policy.copyLinks || disk.pooled) return undefined
    const directory = this.#store.placeNow(parentOf(file.path))
    const leaf = diskPath(nameOf(file.path))
    if (!directory || leaf === undefined) return undefined
    this.#scratch ??= Buffer.allocUnsafeSlow(SMALL + 1)
    try {
      return readSmall(directory, leaf, file, this.#scratch)
    } catch {
      return undefined
    }
  }

  async remove(_ctx: Context, file: FileEntry): Promise<void> {
    const { parent, leaf } = await parentDirectory(this.#tree, this.#isLink(file) ? linkPath(file.path) : file.path)
    try {
      await fsp.unlink(parent.at(leaf)).catch(rethrow)
      if (this.#store.mustLast()) await parent.sync()
    } finally {
      this.#hot.forget(file.path)
      await parent.close()
    }
  }

  async mkdir(_ctx: Context, dir: string): Promise<void> {
    await (await this.#tree.enter(asCanonical(dir), this.#store.mustLast())).close()
  }

  async rmdir(_ctx: Context, dir: string): Promise<void> {
    await removeDirectory(this.#tree, dir)
    this.#store.forget(dir)
  }

  async purge(ctx: Context, dir: string): Promise<void> {
    await empty(ctx, this.#tree, dir)
    await removeDirectory(this.#tree, dir)
    this.#hot.clear()
  }

  async move(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const isLink = this.#isLink(file)
    if (isLink !== (this.#options.links && namesLink(to)))
      throw new AppError('unsupported', 'only a copy makes a link of a file, or a file of a link')
    const [source, place] = isLink ? [linkPath(file.path), linkPath(to)] : [file.path, to]
    if ((await this.#tree.locate(place))?.isDirectory()) throw new AppError('is-directory', `${to} is a directory`)
    await this.#store.rename(source, place)
    const moved = await this.stat(ctx, to)
    if (moved?.kind !== 'file') throw absent(to)
    return moved
  }

  async moveDirectory(_ctx: Context, from: string, to: string): Promise<void> {
    if (from === '' || isInside(to, from)) throw new AppError('invalid', `can't move a directory into itself`)
    if (await this.#tree.locate(to)) throw new AppError('exists', `${to} exists already`)
    await this.#store.rename(from, to)
    this.#hot.clear()
  }

  async hash(ctx: Context, file: FileEntry, kind: string): Promise<string> {
    if (!this.info.hashes.includes(kind)) throw new AppError('unsupported', `no ${kind} checksums here`)
    return await hashBody(await this.open(ctx, file), kind)
  }

  async setModTime(_ctx: Context, entry: Entry, time: Nanoseconds): Promise<void> {
    if (this.#options.noSetModtime) return
    if (entry.kind === 'directory') {
      const directory = await this.#tree.openDirectory(entry.path)
      try {
        return await directory.setTime(time)
      } finally {
        await directory.close()
      }
    }
    if (this.#isLink(entry)) return await setLinkTime(this.#tree, entry, time)
    const { fd } = await this.#tree.openFile(entry.path)
    try {
      await setFdTime(fd, time)
    } finally {
      this.#hot.forget(entry.path)
      await closeFd(fd)
    }
  }

  async metadata(_ctx: Context, entry: Entry): Promise<Metadata | undefined> {
    const stats = this.#isLink(entry) ? await linkStats(this.#tree, entry) : await this.#tree.locate(entry.path)
    return stats && metadataOfStats(stats)
  }

  #isLink(entry: Entry): boolean {
    return this.#options.links && entry.kind === 'file' && isLinkEntry(entry)
  }

  async about(): Promise<Usage> {
    const { bsize, blocks, bfree, bavail } = await fsp.statfs(this.#tree.root).catch(rethrow)
    return { total: bsize * blocks, used: bsize * (blocks - bfree), free: bsize * bavail }
  }

  async command(_ctx: Context, name: string, args: readonly string[], opt: Readonly<Record<string, string>>) {
    return runCommand(name, args, opt)
  }

  watch(dir: string, changed: () => void): (() => void) | undefined {
    const place = this.#tree.diskPath(dir)
    return place === undefined || this.#tree.disk.network ? undefined : this.#watches.watch(dir, place, changed)
  }

  async close(): Promise<void> {
    this.#watches.close()
    this.#hot.clear()
    await this.#files.close()
  }

  #kindOf(device: bigint, place: OsPath): FileSystemKind {
    let kind = this.#kinds.get(device)
    if (!kind) this.#kinds.set(device, (kind = fileSystemKind(place)))
    return kind
  }

  #skipped(ctx: Context, path: string): void {
    if (this.#options.skipLinks) return
    const message = this.#options.copyLinks
      ? 'This link leads nowhere, or out of the root, and is left out; --copy-links-outside follows the latter'
      : "Can't follow symlink without -L/--copy-links"
    if (this.#options.copyLinks && ctx.leftOut) return ctx.leftOut(path, message)
    if (this.#noticed) return ctx.log.debug(message, { object: path })
    this.#noticed = true
    ctx.log.notice(`${message} (further links are not mentioned)`, { object: path })
  }

  #entry({ path, stats, link }: Found): Entry {
    return link ? linkEntry(path, stats, this.#options.timeType) : toEntry(path, stats, this.#options.timeType)
  }
}

function describe(name: string, root: string, options: LocalOptions, network: boolean): RemoteInfo {
  const folds = process.platform === 'darwin' && !options.caseSensitive
  const unknown = options.hashes.filter((kind) => !hashKinds.includes(kind))
  if (unknown.length > 0) throw new AppError('invalid', `option hashes: unknown hash type "${unknown[0]}"`)
  return {
    name,
    type: 'local',
    root,
    description: `Local file system at ${root}`,
    hashes: options.hashes.length === 0 ? hashKinds : options.hashes,
    precision: TIME_PRECISION,
    metadata: localMetadata,
    traits: {
      isLocal: true,
      emptyDirectories: true,
      partialUploads: true,
      slowHash: true,
      ...(network ? { networkDisk: true } : {}),
      ...(options.caseInsensitive || folds ? { caseInsensitive: true } : {}),
      ...(options.copyLinks ? { manyNames: true } : {}),
    },
  }
}
