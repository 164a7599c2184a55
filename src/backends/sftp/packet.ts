import { AppError } from '../../base/error.ts'

/**
 * One field of a packet: a number is a uint32, a bigint a uint64, text and bytes are preceded by their length
 * (draft-ietf-secsh-filexfer-02 section 3).
 */
export type Field = number | bigint | string | Uint8Array

/** A whole packet, its length in front; without the bytes of `data`, its last field, which are to be sent behind it. */
export function packetOf(type: number, fields: readonly Field[], data?: Uint8Array): Buffer {
  const size = fields.reduce<number>((sum, field) => sum + sizeOf(field), data === undefined ? 1 : 5)
  const packet = Buffer.allocUnsafe(4 + size)
  packet.writeUInt32BE(size + (data?.length ?? 0), 0)
  packet[4] = type
  if (data) packet.writeUInt32BE(data.length, size)
  let at = 5
  for (const field of fields) at = put(packet, at, field)
  return packet
}

function sizeOf(field: Field): number {
  if (typeof field === 'number') return 4
  if (typeof field === 'bigint') return 8
  return 4 + (typeof field === 'string' ? Buffer.byteLength(field) : field.length)
}

function put(packet: Buffer, at: number, field: Field): number {
  if (typeof field === 'number') return packet.writeUInt32BE(field, at)
  if (typeof field === 'bigint') return packet.writeBigUInt64BE(field, at)
  if (typeof field === 'string') {
    const length = packet.write(field, at + 4)
    packet.writeUInt32BE(length, at)
    return at + 4 + length
  }
  packet.writeUInt32BE(field.length, at)
  packet.set(field, at + 4)
  return at + 4 + field.length
}

/** Reads the fields of a packet one after the other. Throws `io` when it ends before them. */
export class PacketReader {
  readonly type: number
  readonly #bytes: Buffer
  #at = 1

  /** A packet without its length. */
  constructor(bytes: Buffer) {
    this.#bytes = bytes
    this.type = bytes[0] ?? 0
  }

  get ended(): boolean {
    return this.#at >= this.#bytes.length
  }

  uint32(): number {
    return this.#bytes.readUInt32BE(this.#skip(4))
  }

  uint64(): bigint {
    return this.#bytes.readBigUInt64BE(this.#skip(8))
  }

  bytes(): Buffer {
    const length = this.uint32()
    const start = this.#skip(length)
    return this.#bytes.subarray(start, start + length)
  }

  text(): string {
    return this.bytes().toString()
  }

  #skip(length: number): number {
    const start = this.#at
    if (start + length > this.#bytes.length) throw new AppError('io', 'the SFTP server sent a packet that is cut off')
    this.#at += length
    return start
  }
}

/** The largest packet that is taken; OpenSSH sends none above 256 KiB. */
const LONGEST = 1024 * 1024

/** Cuts a stream of bytes into packets. */
export class Framer {
  readonly #length = Buffer.alloc(4)
  #lengthBytes = 0
  #packet: Buffer | undefined
  #filled = 0

  /** Calls `each` with every packet that is whole now; one that lies in this chunk is not copied. Throws `io` for nonsense. */
  push(chunk: Buffer, each: (packet: PacketReader) => void): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#packet) at = this.#fill(this.#packet, chunk, at, each)
      else if (this.#lengthBytes < 4) this.#length[this.#lengthBytes++] = chunk[at++] as number
      if (this.#packet || this.#lengthBytes < 4) continue
      this.#lengthBytes = 0
      at = this.#begin(this.#length.readUInt32BE(0), chunk, at, each)
    }
  }

  #begin(length: number, chunk: Buffer, at: number, each: (packet: PacketReader) => void): number {
    if (length === 0 || length > LONGEST)
      throw new AppError('io', 'the server does not speak SFTP: is something printed at login?')
    if (chunk.length - at < length) {
      this.#packet = Buffer.allocUnsafeSlow(length)
      this.#filled = 0
      return at
    }
    each(new PacketReader(chunk.subarray(at, at + length)))
    return at + length
  }

  #fill(packet: Buffer, chunk: Buffer, at: number, each: (packet: PacketReader) => void): number {
    const count = Math.min(packet.length - this.#filled, chunk.length - at)
    packet.set(chunk.subarray(at, at + count), this.#filled)
    this.#filled += count
    if (this.#filled === packet.length) {
      this.#packet = undefined
      each(new PacketReader(packet))
    }
    return at + count
  }
}
