import type { Readable, Writable } from 'node:stream'
import { AppError, type ErrorCode, messageOf, toAppError } from '../../base/error.ts'
import { type Attributes, attributeFields, readAttributes } from './attributes.ts'
import { type Field, Framer, packetOf, type PacketReader } from './packet.ts'

/** The two directions of a channel that speaks SFTP: an SSH channel, or the pipes of a program. */
export interface Channel {
  readonly input: Readable
  readonly output: Writable
  /** What carries the bytes of `output`: held back for a moment, so that many requests go out by one call of the system. */
  readonly wire: Writable
  /** What is known of why it ended, once it has. */
  readonly lastWords?: () => Promise<string>
}

/** An opened file or directory of the server. */
export type Handle = Buffer

export interface NamedAttributes {
  readonly name: string
  readonly attributes: Attributes
}

/** Sizes of a file system in bytes. */
export interface FileSystemSizes {
  readonly total: number
  readonly free: number
  readonly available: number
}

export const openFlags = { read: 1, write: 2, create: 8, truncate: 16, exclusive: 32 } as const

const request = {
  init: 1,
  open: 3,
  close: 4,
  read: 5,
  write: 6,
  lstat: 7,
  fstat: 8,
  setstat: 9,
  opendir: 11,
  readdir: 12,
  remove: 13,
  mkdir: 14,
  rmdir: 15,
  realpath: 16,
  stat: 17,
  rename: 18,
  extended: 200,
} as const
const reply = { version: 2, status: 101, handle: 102, data: 103, name: 104, attributes: 105, extended: 201 } as const
const VERSION = 3
/** Bytes that are held back at most. */
const MOST_HELD = 256 * 1024

type Extension =
  | 'posix-rename@openssh.com'
  | 'hardlink@openssh.com'
  | 'fsync@openssh.com'
  | 'statvfs@openssh.com'
  | 'copy-data'
  | 'limits@openssh.com'

interface Pending {
  resolve(packet: PacketReader): void
  reject(error: AppError): void
}

/**
 * Talks version 3 of SFTP (draft-ietf-secsh-filexfer-02) over a channel, any number of requests at once. Every call throws an
 * AppError: what the server answered, or `io` with `retry` when the channel ended.
 */
export class Session {
  readonly #channel: Channel
  readonly #pending = new Map<number, Pending>()
  readonly #extensions = new Map<string, string>()
  readonly #framer = new Framer()
  readonly #ended: () => void
  readonly #watchdog: NodeJS.Timeout | undefined
  #lastId = 0
  #corked = false
  /** Bytes that are held back. */
  #held = 0
  #longest: number | undefined
  #end: AppError | undefined

  private constructor(channel: Channel, timeout: number, ended: () => void) {
    this.#channel = channel
    this.#ended = ended
    if (timeout > 0 && timeout < 2 ** 31) this.#watchdog = setTimeout(() => this.#quiet(timeout), timeout).unref()
    channel.input.on('data', (chunk: Buffer) => this.#receive(chunk))
    const lost = async () => {
      const why = await channel.lastWords?.()
      this.fail(new AppError('io', why || 'the SFTP connection was lost', { retry: 'now' }))
    }
    channel.input.once('end', () => void lost()).once('close', () => void lost())
    for (const stream of [channel.input, channel.output])
      stream.on('error', (error) => this.fail(new AppError('io', messageOf(error), { cause: error, retry: 'now' })))
  }

  /**
   * Greets the server. `timeout` (ms) is for how long it may keep everybody waiting who asked for something; `ended` is
   * called once, when the session is over.
   */
  static async begin(channel: Channel, timeout: number, ended: () => void): Promise<Session> {
    const session = new Session(channel, timeout, ended)
    const packet = await new Promise<PacketReader>((resolve, reject) => {
      session.#pending.set(-1, { resolve, reject })
      channel.output.write(packetOf(request.init, [VERSION]))
      session.#watchdog?.refresh()
    })
    packet.uint32()
    while (!packet.ended) session.#extensions.set(packet.text(), packet.text())
    if (session.has('limits@openssh.com')) await session.#askLimits()
    return session
  }

  /** The error that ended the session, undefined while it lives. */
  get end(): AppError | undefined {
    return this.#end
  }

  /** Whether the server offers an extension of the protocol. */
  has(extension: Extension): boolean {
    return this.#extensions.has(extension)
  }

  /** The most bytes that the server says it reads and writes at once; undefined when it does not say. */
  get longest(): number | undefined {
    return this.#longest
  }

  /** Ends the session: all that waits for an answer, and all that asks later, gets this error. */
  fail(error: AppError): void {
    if (this.#end) return
    this.#end = error
    clearTimeout(this.#watchdog)
    const waiting = [...this.#pending.values()]
    this.#pending.clear()
    for (const pending of waiting) pending.reject(error)
    this.#channel.input.destroy()
    this.#channel.output.destroy()
    this.#ended()
  }

  async open(path: string, flags: number, attributes: Attributes = {}): Promise<Handle> {
    return this.#handle(await this.#ask(request.open, [path, flags, ...attributeFields(attributes)]))
  }

  async close(handle: Handle): Promise<void> {
    await this.#do(request.close, [handle])
  }

  /** At most `length` bytes at a place; undefined behind the end. */
  async read(handle: Handle, at: number, length: number): Promise<Buffer | undefined> {
    const packet = await this.#ask(request.read, [handle, BigInt(at), length])
    return packet.type === reply.data ? packet.bytes() : endOf(packet)
  }

  async write(handle: Handle, at: number, chunk: Uint8Array): Promise<void> {
    await this.#do(request.write, [handle, BigInt(at)], chunk)
  }

  /** Follows links. */
  async stat(path: string): Promise<Attributes> {
    return attributesOf(await this.#ask(request.stat, [path]))
  }

  async lstat(path: string): Promise<Attributes> {
    return attributesOf(await this.#ask(request.lstat, [path]))
  }

  async fstat(handle: Handle): Promise<Attributes> {
    return attributesOf(await this.#ask(request.fstat, [handle]))
  }

  async setStat(path: string, attributes: Attributes): Promise<void> {
    await this.#do(request.setstat, [path, ...attributeFields(attributes)])
  }

  async openDirectory(path: string): Promise<Handle> {
    return this.#handle(await this.#ask(request.opendir, [path]))
  }

  /** Some more names of a directory; undefined when there are no more. */
  async readDirectory(handle: Handle): Promise<NamedAttributes[] | undefined> {
    const packet = await this.#ask(request.readdir, [handle])
    return packet.type === reply.name ? namesOf(packet) : endOf(packet)
  }

  async remove(path: string): Promise<void> {
    await this.#do(request.remove, [path])
  }

  async makeDirectory(path: string): Promise<void> {
    await this.#do(request.mkdir, [path, ...attributeFields({})])
  }

  async removeDirectory(path: string): Promise<void> {
    await this.#do(request.rmdir, [path])
  }

  /** The absolute path of a relative one. */
  async realPath(path: string): Promise<string> {
    const packet = await this.#ask(request.realpath, [path])
    const [first] = packet.type === reply.name ? namesOf(packet) : []
    if (!first) throw refusal(packet)
    return first.name
  }

  /** Gives a file another name, one that is free. */
  async rename(from: string, to: string): Promise<void> {
    await this.#do(request.rename, [from, to])
  }

  /** Gives a file another name, also that of another file; only with `posix-rename@openssh.com`. */
  async renameOver(from: string, to: string): Promise<void> {
    await this.#extended('posix-rename@openssh.com', [from, to])
  }

  async link(from: string, to: string): Promise<void> {
    await this.#extended('hardlink@openssh.com', [from, to])
  }

  /** Resolves when the file is on the disk of the server. */
  async sync(handle: Handle): Promise<void> {
    await this.#extended('fsync@openssh.com', [handle])
  }

  /** Copies bytes from one file to another on the server. */
  async copyData(from: Handle, at: number, length: number, to: Handle): Promise<void> {
    await this.#extended('copy-data', [from, BigInt(at), BigInt(length), to, BigInt(at)])
  }

  async sizes(path: string): Promise<FileSystemSizes> {
    const packet = await this.#ask(request.extended, ['statvfs@openssh.com', path])
    if (packet.type !== reply.extended) throw refusal(packet)
    packet.uint64()
    const [unit, total, free, available] = [packet.uint64(), packet.uint64(), packet.uint64(), packet.uint64()]
    return { total: Number(total * unit), free: Number(free * unit), available: Number(available * unit) }
  }

  async #askLimits(): Promise<void> {
    const packet = await this.#ask(request.extended, ['limits@openssh.com'])
    if (packet.type !== reply.extended) return
    packet.uint64()
    const [read, write] = [Number(packet.uint64()), Number(packet.uint64())]
    // Zero is a server that does not want to say.
    if (read > 0 && write > 0) this.#longest = Math.min(read, write)
  }

  async #extended(extension: Extension, fields: readonly Field[]): Promise<void> {
    await this.#do(request.extended, [extension, ...fields])
  }

  async #do(type: number, fields: readonly Field[], data?: Uint8Array): Promise<void> {
    const packet = await this.#ask(type, fields, data)
    const status = statusOf(packet)
    if (status !== OK) throw errorOf(packet, status)
  }

  #handle(packet: PacketReader): Handle {
    if (packet.type !== reply.handle) throw refusal(packet)
    // A copy: the packet may lie in a large chunk, which would be kept for as long as the handle.
    return Buffer.from(packet.bytes())
  }

  #ask(type: number, fields: readonly Field[], data?: Uint8Array): Promise<PacketReader> {
    return new Promise((resolve, reject) => {
      if (this.#end) return reject(this.#end)
      const id = (this.#lastId = (this.#lastId + 1) >>> 0)
      if (this.#pending.size === 0) this.#watchdog?.refresh()
      this.#pending.set(id, { resolve, reject })
      this.#send(packetOf(type, [id, ...fields], data), data)
      return undefined
    })
  }

  #send(packet: Buffer, data: Uint8Array | undefined): void {
    const { output, wire } = this.#channel
    if (!this.#corked) {
      this.#corked = true
      wire.cork()
      process.nextTick(() => {
        this.#corked = false
        this.#held = 0
        wire.uncork()
      })
    }
    output.write(packet)
    if (data) output.write(data)
    this.#held += packet.length + (data?.length ?? 0)
    if (this.#held < MOST_HELD) return
    // The server is to work while we go on.
    this.#held = 0
    wire.uncork()
    wire.cork()
  }

  #receive(chunk: Buffer): void {
    this.#watchdog?.refresh()
    try {
      this.#framer.push(chunk, (packet) => this.#deliver(packet))
    } catch (error) {
      this.fail(toAppError(error))
    }
  }

  #deliver(packet: PacketReader): void {
    const id = packet.type === reply.version ? -1 : packet.uint32()
    const pending = this.#pending.get(id)
    if (!pending) throw new AppError('io', 'the SFTP server answered what nobody asked')
    this.#pending.delete(id)
    pending.resolve(packet)
  }

  #quiet(timeout: number): void {
    if (this.#pending.size === 0) return
    const seconds = timeout / 1000
    this.fail(new AppError('io', `the SFTP server did not answer for ${seconds} s`, { retry: 'now' }))
  }
}

function attributesOf(packet: PacketReader): Attributes {
  if (packet.type !== reply.attributes) throw refusal(packet)
  return readAttributes(packet)
}

function namesOf(packet: PacketReader): NamedAttributes[] {
  return Array.from({ length: packet.uint32() }, () => {
    const name = packet.text()
    packet.bytes() // how `ls -l` would show it
    return { name, attributes: readAttributes(packet) }
  })
}

/** Undefined for the end of a file or directory; throws any other error. */
function endOf(packet: PacketReader): undefined {
  const status = statusOf(packet)
  if (status !== END) throw errorOf(packet, status)
}

/** Why there is no other answer. */
function refusal(packet: PacketReader): AppError {
  return errorOf(packet, statusOf(packet))
}

const OK = 0
const END = 1

/** Of the answers in SSH_FXP_STATUS (section 7); the later ones are of newer versions, which some servers send all the same. */
const statusCodes: Readonly<Record<number, ErrorCode>> = {
  2: 'not-found',
  3: 'denied',
  5: 'invalid',
  8: 'unsupported',
  10: 'not-found',
  11: 'exists',
  12: 'denied',
  14: 'no-space',
  15: 'no-space',
  18: 'not-empty',
  19: 'not-directory',
  24: 'is-directory',
}

function statusOf(packet: PacketReader): number {
  if (packet.type !== reply.status) throw new AppError('io', `unexpected SFTP answer of type ${packet.type}`)
  return packet.uint32()
}

/** The error for a status, whose text comes next in the packet. */
function errorOf(packet: PacketReader, status: number): AppError {
  const message = packet.ended ? '' : packet.text()
  return new AppError(statusCodes[status] ?? 'io', `the SFTP server says: ${message || `error ${status}`}`)
}
