import { pipeline } from 'node:stream/promises'
import { createInflateRaw } from 'node:zlib'
import { orAbort, throwIfAborted } from '../../base/abort.ts'
import { bodyOf, slice, type Body } from '../../base/body.ts'
import { derive } from '../../base/derive.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { asCanonical, isInside, join, nameOf, parentOf } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Context } from '../../core/context.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import type { Entry, FileEntry, Remote, RemoteInfo } from '../../remote/remote.ts'
import { formatSpec, parseSpec, splitSpec } from '../../remote/spec.ts'
import { type Contents, type Member, readContents } from './contents.ts'
import type { archiveOptions } from './index.ts'

const SECOND = 1_000_000_000
/** How often the archive itself is looked at, ms: its directory is read again when it has changed. */
const FRESH_MS = 1000

const STORED = 0
const DEFLATED = 8

/** A directory of a zip, to be read only. */
export class ArchiveRemote implements Remote {
  readonly info: RemoteInfo
  readonly #ctx: Context
  readonly #inner: Remote
  readonly #name: string
  readonly #root: string
  #contents: Promise<Contents> | undefined
  #looked = -Infinity

  private constructor(ctx: Context, inner: Remote, name: string, args: OpenArgs<typeof archiveOptions>) {
    this.#ctx = ctx
    this.#inner = inner
    this.#name = name
    this.#root = asCanonical(args.root.replace(/^\/+|\/+$/g, ''))
    this.info = {
      name: args.name,
      type: 'archive',
      root: this.#root,
      description: `Archive ${name}${this.#root === '' ? '' : `, ${this.#root}`}`,
      hashes: ['crc32'],
      precision: 2 * SECOND,
      traits: { emptyDirectories: true },
    }
  }

  static async open(ctx: Context, args: OpenArgs<typeof archiveOptions>): Promise<ArchiveRemote> {
    const { remote: text } = args.config
    if (text === '') throw new AppError('invalid', 'archive backend: the option remote is missing')
    const { parent, name } = splitSpec(parseSpec(text))
    if (name === '') throw new AppError('invalid', `archive backend: ${text} names no file`)
    const remote = new ArchiveRemote(ctx, await args.openRemote(formatSpec(parent)), name, args)
    await remote.#read(ctx)
    return remote
  }

  async *list(ctx: Context, dir: string): AsyncGenerator<Entry> {
    const { directories, members } = await this.#read(ctx)
    const path = join(this.#root, dir)
    const children = directories.get(path)
    if (!children) {
      if (members.has(path)) throw new AppError('not-directory', `${dir} is a file`)
      throw new AppError('not-found', `${dir === '' ? 'the root' : dir} does not exist`)
    }
    for (const entry of children.values()) yield this.#shown(entry)
  }

  async stat(ctx: Context, path: string): Promise<Entry | undefined> {
    const { directories } = await this.#read(ctx)
    const place = join(this.#root, path)
    if (place === '') return { kind: 'directory', path: '', modTime: 0n }
    const entry = directories.get(parentOf(place))?.get(nameOf(place))
    return entry && this.#shown(entry)
  }

  async open(ctx: Context, file: FileEntry, range?: Range): Promise<Body> {
    const contents = await this.#read(ctx)
    const place = join(this.#root, file.path)
    const member = contents.members.get(place)
    if (!member) throw new AppError('not-found', `${file.path} does not exist`)
    const known = contents.directories.get(parentOf(place))?.get(nameOf(place)) as FileEntry
    if (file.version !== undefined && file.version !== known.version)
      throw new AppError('not-found', `${file.path} has changed since it was looked up`, { retry: 'now' })
    if (member.isEncrypted()) throw new AppError('unsupported', `${file.path} is encrypted`)
    const { start, end } = { start: range?.start ?? 0, end: Math.min(range?.end ?? Infinity, known.size) }
    if (end <= start) return bodyOf()
    const data = await contents.startOf(member)
    const packed = (from: number, to: number) =>
      this.#inner.open(ctx, contents.archive, { start: data + from, end: data + to })
    if (member.compressionMethod === STORED) return await packed(start, end)
    if (member.compressionMethod !== DEFLATED)
      throw new AppError('unsupported', `${file.path} is packed in a way that is not known here`)
    const body = await packed(0, member.compressedSize)
    return derive(body, (source) => slice(inflated(source, member, file.path), start, end - start))
  }

  put(): Promise<never> {
    return readOnly()
  }

  remove(): Promise<never> {
    return readOnly()
  }

  mkdir(): Promise<never> {
    return readOnly()
  }

  rmdir(): Promise<never> {
    return readOnly()
  }

  #shown(entry: Entry): Entry {
    if (this.#root === '') return entry
    const path = isInside(entry.path, this.#root) ? entry.path.slice(this.#root.length + 1) : entry.path
    return { ...entry, path }
  }

  /** What the archive holds now. */
  async #read(ctx: Context): Promise<Contents> {
    throwIfAborted(ctx.signal)
    const now = performance.now()
    if (this.#contents && now - this.#looked < FRESH_MS) return await orAbort(ctx.signal, this.#contents)
    const archive = await this.#inner.stat(ctx, this.#name)
    if (archive?.kind !== 'file') throw new AppError('not-found', `${this.#name} does not exist`)
    this.#looked = now
    const held = await this.#contents?.catch(() => undefined)
    if (held && isSame(held.archive, archive)) return held
    // In the context of the app: one client that leaves must not end what others wait for.
    const contents = readContents(this.#ctx, this.#inner, archive)
    this.#contents = contents
    contents.catch(() => {
      if (this.#contents === contents) this.#contents = undefined
    })
    return await orAbort(ctx.signal, contents)
  }
}

function isSame(a: FileEntry, b: FileEntry): boolean {
  return a.version === b.version && a.size === b.size && a.modTime === b.modTime
}

function readOnly(): Promise<never> {
  return Promise.reject(new AppError('unsupported', 'an archive is read only'))
}

/** Unpacks a member. One that has another size than its directory says throws: that is what a bomb, or a damaged file, has. */
async function* inflated(source: Body, member: Member, path: string): AsyncGenerator<Uint8Array> {
  const inflate = createInflateRaw()
  const feeding = pipeline(source, inflate)
  feeding.catch(() => {})
  let size = 0
  try {
    for await (const chunk of inflate as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > member.uncompressedSize) throw wrongSize(path)
      yield chunk
    }
    await feeding
    if (size < member.uncompressedSize) throw wrongSize(path)
  } catch (error) {
    throw toAppError(error)
  } finally {
    inflate.destroy()
  }
}

function wrongSize(path: string): AppError {
  return new AppError('io', `${path} has another size than the archive says`)
}
