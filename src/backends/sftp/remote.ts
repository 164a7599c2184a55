import { orAbort } from '../../base/abort.ts'
import { bodyOf, type Body } from '../../base/body.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { asCanonical, isInside } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import { mainOptions } from '../../core/options.ts'
import { netOptions } from '../../net/options.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { encodePath } from '../../remote/encoding.ts'
import { incoming } from '../../remote/incoming.ts'
import { inBatches } from '../../remote/listing.ts'
import { partialName } from '../../remote/partial.ts'
import type { Entry, FileEntry, Listing, PutInfo, Remote, RemoteInfo, Usage, WriterAt } from '../../remote/remote.ts'
import type { Values } from '../../schema/option.ts'
import { type Attributes, typeOf } from './attributes.ts'
import { connect } from './client.ts'
import { above, below, makeDirectory, moveDirectory, removeDirectory } from './directories.ts'
import { entryOf, fileEntry, refuseChanged, SECOND } from './entries.ts'
import type { sftpOptions } from './index.ts'
import { removeLeftovers } from './leftovers.ts'
import { listDirectory } from './listing.ts'
import { type Connection, type Lease, Pool } from './pool.ts'
import { programTransport } from './program.ts'
import { openHandle, type Pipeline, pipelined, pipelineOf } from './reading.ts'
import { type Handle, openFlags, Session } from './session.ts'
import { hashIn, quoted, type Shell, shellOf, usageIn } from './shell.ts'
import { existing, renameOver, TempFile, timesOf } from './temp-file.ts'
import { SftpWriter } from './writer.ts'

type Options = Values<typeof sftpOptions>

/** Connections at once when the configuration sets no limit. */
const MOST = 8

/** Opens a remote: connects, and finds out what the server can do. */
export async function openSftp(ctx: Context, args: OpenArgs<typeof sftpOptions>): Promise<Remote> {
  const { config, name } = args
  if (config.host === '' && config.ssh.length === 0)
    throw new AppError('invalid', 'sftp: the option host is missing (or ssh, a program that connects)')
  if (config.chunkSize < 1) throw new AppError('invalid', 'sftp: chunk_size must be at least 1')
  const pool = poolOf(ctx, name, config)
  try {
    const root = args.root === '/' ? '/' : args.root.replace(/\/+$/, '')
    return await pool.use(ctx.signal, async (connection) => {
      const home = await connection.session.realPath('.')
      const shell = await shellOf(connection.transport, config, ctx.signal)
      const absolute = root.startsWith('/') ? root : below(home, root)
      const remote = new SftpRemote({ pool, config, name, root, absolute, shell })
      return Object.assign(remote, missing(connection.session, shell, config))
    })
  } catch (error) {
    await pool.close()
    throw error
  }
}

function poolOf(ctx: Context, name: string, options: Options): Pool {
  const { timeout, connectTimeout } = ctx.get(mainOptions)
  let warned = false
  const unchecked = (fingerprint: string) => {
    if (!warned)
      ctx.log.warn(
        `${name}: nobody knows if the host key ${fingerprint} is that of ${options.host}: set known_hosts_file`,
      )
    warned = true
  }
  const localAddress = ctx.get(netOptions).bindAddr
  return new Pool({
    most: options.connections > 0 ? options.connections : MOST,
    idle: options.idleTimeout,
    async connect(ended): Promise<Connection> {
      const transport =
        options.ssh.length > 0
          ? programTransport(options)
          : await connect({ options, connectTimeout, localAddress, unchecked })
      try {
        const session = await Session.begin(await transport.sftp(), timeout, () => {
          transport.end()
          ended()
        })
        return { session, transport }
      } catch (error) {
        transport.end()
        throw error
      }
    },
  })
}

/** The methods that this server, or the configuration, does not allow. */
function missing(session: Session, shell: Shell, config: Options): Partial<Remote> {
  return {
    ...((config.copyIsHardlink ? session.has('hardlink@openssh.com') : session.has('copy-data'))
      ? {}
      : { copy: undefined }),
    ...(shell.hashCommands.size > 0 ? {} : { hash: undefined }),
    ...(config.setModtime ? {} : { setModTime: undefined }),
    ...(config.disableConcurrentWrites ? { openWriter: undefined } : {}),
    ...(session.has('statvfs@openssh.com') || shell.type === 'unix' ? {} : { about: undefined }),
  }
}

interface SftpParts {
  readonly pool: Pool
  readonly config: Options
  readonly name: string
  /** As the user wrote it; what is not absolute begins at the directory where logins begin. */
  readonly root: string
  readonly absolute: string
  readonly shell: Shell
}

class SftpRemote implements Remote {
  readonly info: RemoteInfo
  readonly #parts: SftpParts
  readonly #pool: Pool

  constructor(parts: SftpParts) {
    const { config, name, root, shell } = parts
    this.#parts = parts
    this.#pool = parts.pool
    const at = config.host === '' ? config.ssh.join(' ') : `${config.user || 'user'}@${config.host}:${config.port}`
    this.info = {
      name,
      type: 'sftp',
      root,
      description: `sftp://${at}/${root}`,
      hashes: [...shell.hashCommands.keys()],
      ...(config.setModtime ? { precision: Number(SECOND) } : {}),
      traits: { emptyDirectories: true, partialUploads: true, slowHash: true },
    }
  }

  list(ctx: Context, dir: string): Listing {
    const { pool, config } = this.#parts
    return inBatches(() => listDirectory(ctx, { pool, ...config }, { full: this.#full(dir), dir }))
  }

  async stat(ctx: Context, path: string): Promise<Entry | undefined> {
    const { skipLinks } = this.#parts.config
    const full = this.#full(path)
    const attributes = await this.#use(ctx, async (session) =>
      skipLinks && path !== '' ? await unlessMissing(session.lstat(full)) : await existing(session, full),
    )
    return attributes && entryOf(asCanonical(path), attributes)
  }

  async open(ctx: Context, file: FileEntry, range: Range = { start: 0, end: Infinity }): Promise<Body> {
    const end = Math.min(range.end, file.size < 0 ? Infinity : file.size)
    const lease = await this.#pool.lease(ctx.signal)
    const { session } = lease
    let handle: Handle | undefined
    const release = () => {
      if (handle) session.close(handle).catch(() => {})
      lease.release()
    }
    try {
      handle = await openHandle(ctx.signal, session, session.open(this.#full(file.path), openFlags.read))
      const now = await orAbort(ctx.signal, session.fstat(handle))
      refuseChanged(file, now)
      const last = Math.min(end, now.size ?? end)
      if (range.start < last)
        return pipelined(
          { session, handle, signal: ctx.signal, release },
          { start: range.start, end: last },
          pipelineOf(session, this.#pipeline(this.#parts.config.disableConcurrentReads)),
        )
    } catch (error) {
      release()
      throw error
    }
    release()
    return bodyOf()
  }

  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    const target = this.#target(path)
    const temp = await this.#temp(ctx, target)
    try {
      await temp.fill(incoming(body, info, ctx.signal))
      return fileEntry(path, await temp.commit(target, this.#settable(info)))
    } finally {
      await temp.close()
    }
  }

  async openWriter(ctx: Context, path: string, info: PutInfo): Promise<WriterAt> {
    const target = this.#target(path)
    const temp = await this.#temp(ctx, target)
    return new SftpWriter(temp, info.size, async () => fileEntry(path, await temp.commit(target, this.#settable(info))))
  }

  async remove(ctx: Context, file: FileEntry): Promise<void> {
    await this.#use(ctx, (session) => session.remove(this.#full(file.path)))
  }

  async mkdir(ctx: Context, dir: string): Promise<void> {
    const full = this.#full(asCanonical(dir))
    await this.#use(ctx, (session) => makeDirectory(session, full))
  }

  async rmdir(ctx: Context, dir: string): Promise<void> {
    const full = this.#full(asCanonical(dir))
    await this.#use(ctx, (session) => removeDirectory(session, full))
  }

  /** By the server itself: as a second name of the same file when the configuration says so, else as a copy. */
  async copy(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const { copyIsHardlink } = this.#parts.config
    const [from, target] = [this.#full(file.path), this.#target(to)]
    if (copyIsHardlink) {
      await this.#use(ctx, async (session) => {
        await makeDirectory(session, above(target))
        const temp = below(above(target), partialName(ctx.get(mainOptions).partialSuffix))
        await session.link(from, temp)
        await renameOver(session, temp, target)
        // Renaming one name of a file over another of the same file does nothing at all (rename(2)).
        await session.remove(temp).catch(() => {})
      })
      return { ...file, path: to }
    }
    const temp = await this.#temp(ctx, target)
    try {
      await temp.copyFrom(from)
      return fileEntry(to, await temp.commit(target, this.#settable({ modTime: file.modTime })))
    } finally {
      await temp.close()
    }
  }

  async move(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const [from, target] = [this.#full(file.path), this.#target(to)]
    await this.#use(ctx, async (session) => {
      await makeDirectory(session, above(target))
      const old = await existing(session, target)
      if (old && typeOf(old) === 'directory') throw new AppError('is-directory', `${to} is a directory`)
      await renameOver(session, from, target)
    })
    return { ...file, path: to }
  }

  async moveDirectory(ctx: Context, from: string, to: string): Promise<void> {
    if (isInside(to, from)) throw new AppError('invalid', `can't move ${from} into itself`)
    const [source, target] = [this.#full(asCanonical(from)), this.#full(asCanonical(to))]
    await this.#use(ctx, (session) => moveDirectory(session, source, target))
  }

  async hash(ctx: Context, file: FileEntry, kind: string): Promise<string> {
    const { shell } = this.#parts
    const command = shell.hashCommands.get(kind)
    if (command === undefined) throw new AppError('unsupported', `the server makes no ${kind} checksums`)
    const printed = await this.#run(ctx, `${command} ${quoted(shell.type, this.#shellPath(file.path))}`)
    const hash = hashIn(printed, kind)
    if (hash === undefined) throw new AppError('io', `${command} of the server printed no ${kind} checksum`)
    return hash
  }

  async setModTime(ctx: Context, entry: Entry, time: Nanoseconds): Promise<void> {
    await this.#use(ctx, (session) => session.setStat(this.#full(entry.path), timesOf(time)))
  }

  async about(ctx: Context): Promise<Usage> {
    const full = this.#full('')
    const sizes = await this.#use(ctx, async (session) =>
      session.has('statvfs@openssh.com') ? await session.sizes(full) : undefined,
    )
    if (sizes) return { total: sizes.total, used: sizes.total - sizes.free, free: sizes.available }
    return usageIn(await this.#run(ctx, `df -k ${quoted(this.#parts.shell.type, this.#shellPath(''))}`))
  }

  async cleanUp(ctx: Context): Promise<void> {
    await removeLeftovers(ctx, this.#pool, this.#full(''))
  }

  async close(): Promise<void> {
    await this.#pool.close()
  }

  /** A new file in the directory of `target`, which is made when it is missing. */
  async #temp(ctx: Context, target: string): Promise<TempFile> {
    const parts = {
      pool: this.#pool,
      signal: ctx.signal,
      pipeline: this.#pipeline(this.#parts.config.disableConcurrentWrites),
    }
    const dir = above(target)
    const path = below(dir, partialName(ctx.get(mainOptions).partialSuffix))
    try {
      return await TempFile.create(parts, path)
    } catch (error) {
      if (toAppError(error).code !== 'not-found') throw error
      await this.#use(ctx, (session) => makeDirectory(session, dir))
      return await TempFile.create(parts, path)
    }
  }

  #pipeline(oneByOne: boolean): Pipeline {
    const { chunkSize, concurrency } = this.#parts.config
    return { chunkSize, concurrency: oneByOne ? 1 : concurrency }
  }

  #settable(info: PutInfo): PutInfo {
    if (this.#parts.config.setModtime) return info
    const { modTime: _, ...rest } = info
    return rest
  }

  async #use<T>(ctx: Context, work: (session: Session) => Promise<T>): Promise<T> {
    return await this.#pool.use(ctx.signal, ({ session }: Lease | Connection) => work(session))
  }

  async #run(ctx: Context, command: string): Promise<string> {
    const { code, stdout, stderr } = await this.#pool.use(ctx.signal, ({ transport }) =>
      transport.run(command, ctx.signal),
    )
    if (code === 0) return stdout
    const said = stderr.trim().split('\n', 1)[0] || `it ended with ${code}`
    throw new AppError(/no such file/i.test(said) ? 'not-found' : 'io', `a command of the server failed: ${said}`)
  }

  #target(path: string): string {
    if (path === '') throw new AppError('is-directory', 'a file needs a name')
    return this.#full(asCanonical(path))
  }

  #full(path: string): string {
    return below(this.#parts.root, this.#stored(path)) || '.'
  }

  /** The path as the shell of the server sees it. */
  #shellPath(path: string): string {
    const { pathOverride } = this.#parts.config
    const stored = this.#stored(path)
    if (pathOverride.startsWith('@')) return below(pathOverride.slice(1), below(this.#parts.absolute, stored).slice(1))
    return below(pathOverride === '' ? this.#parts.absolute : pathOverride, stored)
  }

  #stored(path: string): string {
    return encodePath(this.#parts.config.encoding, path)
  }
}

async function unlessMissing(asked: Promise<Attributes>): Promise<Attributes | undefined> {
  return await asked.catch((error: unknown) => {
    if (['not-found', 'invalid'].includes(toAppError(error).code)) return undefined
    throw error
  })
}
