import { orAbort, throwIfAborted } from '../../base/abort.ts'
import type { Body } from '../../base/body.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { toMs } from '../../base/time.ts'
import { ASIDE, partialName } from '../../remote/partial.ts'
import type { PutInfo } from '../../remote/remote.ts'
import { type Attributes, typeOf } from './attributes.ts'
import type { Lease, Pool } from './pool.ts'
import { type Pipeline, pipelineOf } from './reading.ts'
import { type Handle, openFlags, type Session } from './session.ts'

export interface TempParts {
  readonly pool: Pool
  readonly signal: AbortSignal
  /** The options. */
  readonly pipeline: Pipeline
}

/** A file whose connection was lost is removed by another one, if that is there within this time. */
const CLEAN_MS = 10_000
/** Bytes that the server copies at one go. */
const COPY_BYTES = 64 * 1024 * 1024

/**
 * A file under a temporary name in the directory where it is to be. It gets its name by one rename once it is whole; until
 * then nobody sees it, and what had the name before stays.
 */
export class TempFile {
  readonly #parts: TempParts
  readonly #lease: Lease
  readonly #path: string
  readonly #handle: Handle
  readonly #pipeline: Pipeline
  #end = 0
  #isOpen = true
  /** The name that the file got, and the file opened anew to be read under it. */
  #named: string | undefined
  #again: Promise<Handle> | undefined

  private constructor(parts: TempParts, lease: Lease, path: string, handle: Handle) {
    this.#parts = parts
    this.#lease = lease
    this.#path = path
    this.#handle = handle
    this.#pipeline = pipelineOf(lease.session, parts.pipeline)
  }

  /** Makes the file; its directory has to be there. */
  static async create(parts: TempParts, path: string): Promise<TempFile> {
    const lease = await parts.pool.lease(parts.signal)
    const { read, write, create, exclusive } = openFlags
    const opening = lease.session.open(path, read | write | create | exclusive)
    try {
      return new TempFile(parts, lease, path, await orAbort(parts.signal, opening))
    } catch (error) {
      if (parts.signal.aborted)
        opening.then(
          (handle) => new TempFile(parts, lease, path, handle).close(),
          () => lease.release(),
        )
      else lease.release()
      throw error
    }
  }

  /** Writes a whole upload, many requests ahead of the answers. */
  async fill(body: Body): Promise<void> {
    const { chunkSize, concurrency } = this.#pipeline
    const { signal } = this.#parts
    const waiting: Promise<void>[] = []
    for await (const chunk of body)
      for (let from = 0; from < chunk.length; from += chunkSize) {
        const written = this.write(this.#end, chunk.subarray(from, from + chunkSize))
        written.catch(() => {})
        waiting.push(written)
        if (waiting.length >= concurrency) await orAbort(signal, waiting.shift() as Promise<void>)
      }
    await orAbort(signal, Promise.all(waiting))
  }

  /** Writes bytes at a place. */
  async write(at: number, bytes: Uint8Array): Promise<void> {
    this.#end = Math.max(this.#end, at + bytes.length)
    const { chunkSize } = this.#pipeline
    if (bytes.length <= chunkSize) return await this.#session.write(this.#handle, at, bytes)
    for (let from = 0; from < bytes.length; from += chunkSize)
      await this.#session.write(this.#handle, at + from, bytes.subarray(from, from + chunkSize))
  }

  /** Bytes from `at` on that were written; also of a file that has its name. */
  async read(at: number, max: number): Promise<Uint8Array> {
    const length = Math.min(max, this.#pipeline.chunkSize)
    if (this.#named !== undefined) this.#again ??= this.#session.open(this.#named, openFlags.read)
    const bytes = await this.#session.read(this.#again ? await this.#again : this.#handle, at, length)
    if (!bytes) throw new AppError('io', `byte ${at} of a file that is being written is gone`)
    return bytes
  }

  /** Lets the server copy another file into this one. */
  async copyFrom(path: string): Promise<void> {
    const { signal } = this.#parts
    const source = await this.#session.open(path, openFlags.read)
    try {
      const { size = 0 } = await this.#session.fstat(source)
      for (let at = 0; at < size; at += COPY_BYTES) {
        throwIfAborted(signal)
        await this.#session.copyData(source, at, Math.min(COPY_BYTES, size - at), this.#handle)
      }
      this.#end = size
    } finally {
      this.#session.close(source).catch(() => {})
    }
  }

  /** Gives the file its name, replacing what has it, or failing with `exists` when `ifAbsent` is set. */
  async commit(target: string, info: Pick<PutInfo, 'modTime' | 'ifAbsent' | 'durable'>): Promise<Attributes> {
    const { signal } = this.#parts
    const session = this.#session
    if (info.durable !== false && session.has('fsync@openssh.com')) await orAbort(signal, session.sync(this.#handle))
    const old = await orAbort(signal, existing(session, target))
    if (old && typeOf(old) === 'directory') throw new AppError('is-directory', 'there is a directory of that name')
    if (old && info.ifAbsent) throw taken()
    this.#isOpen = false
    await orAbort(signal, session.close(this.#handle))
    await orAbort(signal, this.#describe(info, old))
    const stored = await orAbort(signal, session.stat(this.#path))
    if (stored.size !== this.#end)
      throw new AppError('io', `the server has ${stored.size} bytes of the ${this.#end} that it was sent`)
    await (info.ifAbsent ? claim(session, this.#path, target) : renameOver(session, this.#path, target))
    this.#named = target
    return stored
  }

  /** Gives the connection back, and removes the file if it has not got its name. */
  async close(): Promise<void> {
    const { session, release } = this.#lease
    try {
      if (this.#isOpen) session.close(this.#handle).catch(() => {})
      this.#isOpen = false
      this.#again?.then((handle) => session.close(handle)).catch(() => {})
      if (this.#named === undefined) await this.#remove(session)
    } finally {
      release()
    }
  }

  get #session(): Session {
    return this.#lease.session
  }

  async #describe({ modTime }: Pick<PutInfo, 'modTime'>, old: Attributes | undefined): Promise<void> {
    const mode = old?.mode === undefined ? {} : { mode: old.mode }
    const times = modTime === undefined ? {} : timesOf(modTime)
    if (old?.mode === undefined && modTime === undefined) return
    await this.#session.setStat(this.#path, { ...mode, ...times })
  }

  async #remove(session: Session): Promise<void> {
    const signal = AbortSignal.timeout(CLEAN_MS)
    const removed = session.end
      ? this.#parts.pool.use(signal, (other) => other.session.remove(this.#path))
      : orAbort(signal, session.remove(this.#path))
    // It may never have been made; and there is nobody to tell.
    await removed.catch(() => {})
  }
}

/** Access and modification time for the protocol, which counts whole seconds. */
export function timesOf(modTime: bigint): Attributes {
  const seconds = Math.min(Math.max(0, Math.floor(toMs(modTime) / 1000)), 2 ** 32 - 1)
  return { atime: seconds, mtime: seconds }
}

/** What is known of a path, undefined when there is nothing. */
export async function existing(session: Session, path: string): Promise<Attributes | undefined> {
  try {
    return await session.stat(path)
  } catch (reason) {
    const error = toAppError(reason)
    // OpenSSH finds a name that is too long malformed.
    if (error.code === 'not-found' || error.code === 'invalid') return undefined
    throw error
  }
}

/**
 * Renames over whatever file has the name. Where the server has no such thing, the other file is moved out of the way first, and
 * back when it was for nothing.
 */
export async function renameOver(session: Session, from: string, to: string): Promise<void> {
  if (session.has('posix-rename@openssh.com')) return await session.renameOver(from, to)
  try {
    await session.rename(from, to)
  } catch (error) {
    if (session.end || !(await existing(session, to)) || !(await existing(session, from))) throw error
    const aside = `${to.slice(0, to.lastIndexOf('/') + 1)}${partialName(ASIDE)}`
    await session.rename(to, aside)
    try {
      await session.rename(from, to)
    } catch (failure) {
      await session.rename(aside, to)
      throw failure
    }
    await session.remove(aside)
  }
}

/** Gives a file a name that nobody has. */
async function claim(session: Session, from: string, to: string): Promise<void> {
  try {
    if (!session.has('hardlink@openssh.com')) return await session.rename(from, to)
    await session.link(from, to)
  } catch (error) {
    throw (await existing(session, to)) ? taken() : error
  }
  await session.remove(from)
}

function taken(): AppError {
  return new AppError('exists', 'there is a file of that name already')
}
