import { bodyOf, type Body } from '../../base/body.ts'
import { onDemand } from '../../base/derive.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { KeyedLock } from '../../base/keyed-lock.ts'
import { asCanonical, isEntryName, isInside, join, nameOf, parentOf } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { mainOptions } from '../../core/options.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { encodePath } from '../../remote/encoding.ts'
import { incoming } from '../../remote/incoming.ts'
import { inBatches } from '../../remote/listing.ts'
import { isPartialName, partialName } from '../../remote/partial.ts'
import type { Entry, FileEntry, Listing, PutInfo, Remote, RemoteInfo } from '../../remote/remote.ts'
import type { Values } from '../../schema/option.ts'
import { type Abilities, connect, type Connection } from './connection.ts'
import { factsOf, type Facts, listedTime, timeText } from './facts.ts'
import type { ftpOptions } from './index.ts'
import { removeLeftovers } from './leftovers.ts'
import { below, named } from './listing.ts'
import { look, lookBehind, makeDirectory, modTimeOf, moveOver, rename } from './names.ts'
import { guarded, Pool } from './pool.ts'
import { download, type TransferSettings, upload } from './transfer.ts'

type Options = Values<typeof ftpOptions>

const SECOND = 1_000_000_000
/** A connection that was left in the middle of an upload is not used again: another removes what came, within this time. */
const CLEAN_MS = 10_000

/** Opens a remote: logs in, and asks what the server can do. */
export async function openFtp(ctx: Context, args: OpenArgs<typeof ftpOptions>): Promise<Remote> {
  const { config, name } = args
  if (config.host === '') throw new AppError('invalid', 'ftp: the option host is missing')
  if (config.tls && config.explicitTls) throw new AppError('invalid', 'ftp: tls and explicit_tls exclude each other')
  const pool = new Pool({
    connect: () => connect(ctx, config),
    most: config.concurrency,
    idle: config.idleTimeout,
  })
  try {
    const { home, abilities } = await pool.use(ctx.signal, (connection) => Promise.resolve(connection))
    const base = args.root.startsWith('/') ? args.root : `${home}/${args.root}`
    const remote = new FtpRemote({ pool, config, name, root: args.root, base: trimmed(base), abilities })
    return abilities.setTime === undefined ? Object.assign(remote, { setModTime: undefined }) : remote
  } catch (error) {
    pool.close()
    throw error
  }
}

interface FtpParts {
  readonly pool: Pool
  readonly config: Options
  readonly name: string
  /** As the user wrote it. */
  readonly root: string
  /** The same, from the root of the server on, in canonical characters. */
  readonly base: string
  readonly abilities: Abilities
}

class FtpRemote implements Remote {
  readonly info: RemoteInfo
  readonly #parts: FtpParts
  readonly #pool: Pool
  /** FTP cannot claim a name: at least within this process one after the other looks and takes. */
  readonly #claims = new KeyedLock()

  constructor(parts: FtpParts) {
    const { config, name, root, abilities } = parts
    this.#parts = parts
    this.#pool = parts.pool
    this.info = {
      name,
      type: 'ftp',
      root,
      description: `ftp://${config.host}:${config.port}/${root}`,
      hashes: [],
      ...(abilities.setTime !== undefined && (abilities.mlst || abilities.mdtm) ? { precision: SECOND } : {}),
      traits: {
        emptyDirectories: true,
        partialUploads: true,
        ...(abilities.mlst ? {} : { slowModTime: true as const }),
      },
    }
  }

  list(ctx: Context, dir: string): Listing {
    return inBatches(() => this.#batches(ctx, dir))
  }

  async stat(ctx: Context, path: string): Promise<Entry | undefined> {
    const facts = await this.#pool.use(ctx.signal, (connection) => look(connection, this.#full(path)))
    return facts && entryOf(asCanonical(path), facts)
  }

  async open(ctx: Context, file: FileEntry, range: Range = { start: 0, end: Infinity }): Promise<Body> {
    const { connection, release } = await this.#pool.lease(ctx.signal)
    const path = this.#full(file.path)
    try {
      const { size } = unchanged(file, await guarded(connection, ctx.signal, look(connection, path)))
      const end = Math.min(range.end, file.size < 0 || size < 0 ? Infinity : size)
      if (range.start >= end) {
        release()
        return bodyOf()
      }
      const part = { start: range.start, end, size }
      return onDemand(() => download({ connection, release }, path, part, this.#transfer(ctx)), release)
    } catch (error) {
      release()
      throw error
    }
  }

  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    const target = this.#target(path)
    const temp = `${parentOf(target)}/${partialName(ctx.get(mainOptions).partialSuffix)}`
    const counted = { bytes: 0 }
    const { connection, release } = await this.#pool.lease(ctx.signal)
    try {
      await guarded(connection, ctx.signal, this.#directoryFor(connection, target))
      await upload(connection, temp, counting(incoming(body, info, ctx.signal), counted), this.#transfer(ctx))
      const naming = this.#named(connection, temp, target, { ...info, size: counted.bytes })
      const { size, modTime = 0n } = await guarded(connection, ctx.signal, naming)
      return { kind: 'file', path, size, modTime }
    } catch (error) {
      await this.#clean(connection, temp)
      throw error
    } finally {
      release()
    }
  }

  async remove(ctx: Context, file: FileEntry): Promise<void> {
    await this.#send(ctx, `DELE ${this.#full(file.path)}`)
  }

  async mkdir(ctx: Context, dir: string): Promise<void> {
    const full = this.#full(asCanonical(dir))
    await this.#pool.use(ctx.signal, (connection) => makeDirectory(connection, full))
  }

  async rmdir(ctx: Context, dir: string): Promise<void> {
    const full = this.#full(asCanonical(dir))
    await this.#pool.use(ctx.signal, async (connection) => {
      try {
        await connection.send(`RMD ${full}`)
      } catch (error) {
        // Not all servers tell why.
        const { code } = toAppError(error)
        if (code !== 'io' && code !== 'denied') throw error
        const found = await look(connection, full)
        if (!found) throw new AppError('not-found', `${dir} is not there`, { cause: error })
        if ((await named(connection, full)).length > 0)
          throw new AppError('not-empty', `${dir} is not empty`, { cause: error })
        throw error
      }
    })
  }

  async move(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const [from, target] = [this.#full(file.path), this.#target(to)]
    await this.#pool.use(ctx.signal, async (connection) => {
      if (!(await look(connection, from))) throw new AppError('not-found', `${file.path} is not there`)
      await this.#directoryFor(connection, target)
      await refuseDirectory(connection, target)
      await moveOver(connection, from, target)
    })
    return { ...file, path: to }
  }

  async moveDirectory(ctx: Context, from: string, to: string): Promise<void> {
    if (isInside(to, from)) throw new AppError('invalid', `can't move ${from} into itself`)
    const [source, target] = [this.#full(asCanonical(from)), this.#full(asCanonical(to))]
    await this.#pool.use(ctx.signal, async (connection) => {
      if (await look(connection, target)) throw new AppError('exists', `${to} exists already`)
      await this.#directoryFor(connection, target)
      await rename(connection, source, target)
    })
  }

  async setModTime(ctx: Context, entry: Entry, time: Nanoseconds): Promise<void> {
    await this.#pool.use(ctx.signal, (connection) => this.#setTime(connection, this.#full(entry.path), time))
  }

  async cleanUp(ctx: Context): Promise<void> {
    await removeLeftovers(ctx, this.#pool, this.#full(''))
  }

  close(): Promise<void> {
    this.#pool.close()
    return Promise.resolve()
  }

  async *#batches(ctx: Context, dir: string): AsyncGenerator<readonly Entry[]> {
    const entries = await this.#pool.use(ctx.signal, async (connection) => {
      const full = this.#full(dir)
      const facts = await look(connection, full)
      if (!facts) throw new AppError('not-found', `${dir} is not there`)
      if (facts.type !== 'directory') throw new AppError('not-directory', `${dir} is a file`)
      return await this.#entries(connection, dir, full)
    })
    yield entries
  }

  async #entries(connection: Connection, dir: string, full: string): Promise<Entry[]> {
    const { encoding } = this.#parts.config
    const now = new Date()
    const entries: Entry[] = []
    for (const info of await named(connection, full)) {
      const path = join(dir, encoding.decodeName(info.name))
      if (!isEntryName(nameOf(path)) || isPartialName(info.name)) continue
      const stored = below(full, info.name)
      const plain = factsOf(info)
      const facts = plain.type === 'link' ? await lookBehind(connection, stored) : plain
      if (!facts) continue
      // A listing without MLSD has no seconds, and times of nobody knows which zone.
      const modTime =
        facts.modTime ??
        (facts.type === 'file' ? await modTimeOf(connection, stored) : undefined) ??
        listedTime(info.rawModifiedAt, now)
      const entry = entryOf(path, { ...facts, modTime })
      if (entry) entries.push(entry)
    }
    return entries
  }

  /** Gives an upload its name, if the server has all of it. */
  async #named(connection: Connection, temp: string, target: string, info: PutInfo): Promise<Facts> {
    const { size, modTime, ifAbsent } = info
    await this.#setTime(connection, temp, modTime)
    const stored = await look(connection, temp)
    if (!stored || stored.size !== size)
      throw new AppError('io', `the server has ${stored?.size ?? 'none'} of the ${size} bytes that it was sent`)
    await this.#claims.run(target, async () => {
      const old = await look(connection, target)
      if (old?.type === 'directory') throw new AppError('is-directory', 'there is a directory of that name')
      if (old && ifAbsent) throw new AppError('exists', 'there is a file of that name already')
      await moveOver(connection, temp, target)
    })
    return stored
  }

  /** Removes an upload that did not come to its end, by another connection when this one is lost. */
  async #clean(connection: Connection, temp: string): Promise<void> {
    const gone = connection.closed
      ? this.#pool.use(AbortSignal.timeout(CLEAN_MS), (other) => other.send(`DELE ${temp}`))
      : connection.send(`DELE ${temp}`)
    // It may never have been made; and there is nobody to tell.
    await gone.catch(() => {})
  }

  /** Makes the directory in which `target` is to be. */
  async #directoryFor(connection: Connection, target: string): Promise<void> {
    await makeDirectory(connection, parentOf(target) || '/')
  }

  async #setTime(connection: Connection, full: string, time: Nanoseconds | undefined): Promise<void> {
    const { setTime } = this.#parts.abilities
    if (setTime !== undefined && time !== undefined) await connection.send(`${setTime} ${timeText(time)} ${full}`)
  }

  async #send(ctx: Context, command: string): Promise<void> {
    await this.#pool.use(ctx.signal, (connection) => connection.send(command))
  }

  #transfer(ctx: Context): TransferSettings {
    const { closeTimeout, shutTimeout } = this.#parts.config
    return { signal: ctx.signal, timeout: ctx.get(mainOptions).timeout, closeTimeout, shutTimeout }
  }

  #target(path: string): string {
    if (path === '') throw new AppError('is-directory', 'a file needs a name')
    return this.#full(asCanonical(path))
  }

  #full(path: string): string {
    return `/${encodePath(this.#parts.config.encoding, join(this.#parts.base, path))}`
  }
}

async function refuseDirectory(connection: Connection, full: string): Promise<void> {
  const found = await look(connection, full)
  if (found?.type === 'directory') throw new AppError('is-directory', `${nameOf(full)} is a directory`)
}

function entryOf(path: string, { type, size, modTime = 0n }: Facts): Entry | undefined {
  if (type === 'file') return { kind: 'file', path, size, modTime }
  return type === 'directory' ? { kind: 'directory', path, modTime } : undefined
}

/** The facts of a file that is still the one of the entry. */
function unchanged(file: FileEntry, facts: Facts | undefined): Facts {
  if (!facts) throw new AppError('not-found', `${file.path} is not there`)
  if (facts.type === 'directory') throw new AppError('is-directory', `${file.path} is a directory`)
  const sameSize = file.size < 0 || facts.size === file.size
  const sameTime = file.modTime === 0n || facts.modTime === undefined || facts.modTime === file.modTime
  if (sameSize && sameTime) return facts
  throw new AppError('not-found', `${nameOf(file.path)} has changed since it was looked up`, { retry: 'now' })
}

async function* counting(body: Body, counted: { bytes: number }): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) {
    counted.bytes += chunk.length
    yield chunk
  }
}

function trimmed(path: string): string {
  return path
    .split('/')
    .filter((name) => name !== '')
    .join('/')
}
