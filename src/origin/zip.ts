import { pipeline } from 'node:stream/promises'
import zlib from 'node:zlib'
import type { Body } from '../base/body.ts'
import { toMs } from '../base/time.ts'
import type { Nanoseconds } from '../base/time.ts'

/** One member of an archive. Directories end in `/`. */
export interface ZipItem {
  readonly name: string
  /** Bytes, -1 when unknown; directories have none. */
  readonly size: number
  readonly modTime: Nanoseconds
  /** The content; absent for directories. */
  readonly open?: () => Promise<Body>
}

export type ZipMethod = 'store' | 'deflate'

const max32 = 0xffffffff
const max16 = 0xffff
/** What deflate may add to data that does not shrink, with much room. */
const slack = 64 * 1024 * 1024
const utf8Names = 0x800
const sizesFollow = 0x8

/**
 * Writes a ZIP archive (APPNOTE 6.3) as it is read, one member after the other: UTF-8 names, times to the second, ZIP64
 * where a size needs it. Sizes and checksums follow each member, as the content is read only once. A member whose content
 * does not have its size throws.
 */
export async function* zip(
  items: AsyncIterable<ZipItem> | Iterable<ZipItem>,
  method: ZipMethod,
): AsyncGenerator<Uint8Array> {
  const directory = new Directory()
  let offset = 0
  for await (const item of items) {
    const member = new Member(item, method, offset)
    const head = member.localHeader()
    yield head
    offset += head.length
    if (item.open) {
      for await (const chunk of member.content(await item.open())) {
        yield chunk
        offset += chunk.length
      }
      const descriptor = member.descriptor()
      yield descriptor
      offset += descriptor.length
    }
    directory.add(member.centralRecord())
  }
  yield* directory.chunks()
  yield endRecord(directory, offset)
}

/** The length of the archive in bytes when everything is stored, undefined when a size is not known. */
export function zipLength(items: readonly ZipItem[]): number | undefined {
  let offset = 0
  let records = 0
  for (const item of items) {
    if (item.open && item.size < 0) return undefined
    const member = new Member(item, 'store', offset)
    member.assumeStored()
    offset += member.localHeader().length + (item.open ? item.size + member.descriptor().length : 0)
    records += member.centralRecord().length
  }
  return offset + records + endRecord({ count: items.length, length: records }, offset).length
}

class Member {
  readonly #item: ZipItem
  readonly #name: Buffer
  readonly #deflated: boolean
  readonly #offset: number
  /** Sizes need eight bytes each. */
  readonly #big: boolean
  #crc = 0
  #size = 0
  #packed = 0

  constructor(item: ZipItem, method: ZipMethod, offset: number) {
    this.#item = item
    this.#name = Buffer.from(item.name)
    this.#deflated = method === 'deflate' && item.open !== undefined
    this.#offset = offset
    this.#big = item.open !== undefined && (item.size < 0 || item.size >= max32 - (this.#deflated ? slack : 0))
  }

  /** Takes the sizes for granted that the content is going to have. */
  assumeStored(): void {
    this.#size = this.#packed = this.#item.open ? this.#item.size : 0
  }

  localHeader(): Buffer {
    const extra = Buffer.concat([this.#big ? zip64([0, 0]) : none, timestamp(this.#item.modTime)])
    const head = Buffer.alloc(30)
    head.writeUInt32LE(0x04034b50, 0)
    this.#common(head, 4)
    if (this.#big) {
      head.writeUInt32LE(max32, 18)
      head.writeUInt32LE(max32, 22)
    }
    head.writeUInt16LE(this.#name.length, 26)
    head.writeUInt16LE(extra.length, 28)
    return Buffer.concat([head, this.#name, extra])
  }

  /** Version needed, flags, method and time: the same in both headers. */
  #common(head: Buffer, at: number): void {
    head.writeUInt16LE(this.#big ? 45 : 20, at)
    head.writeUInt16LE(utf8Names | (this.#item.open ? sizesFollow : 0), at + 2)
    head.writeUInt16LE(this.#deflated ? 8 : 0, at + 4)
    head.writeUInt32LE(dosTime(this.#item.modTime), at + 6)
  }

  /** The content as it goes into the archive. */
  async *content(body: Body): AsyncGenerator<Uint8Array> {
    const counted = this.#counted(body)
    for await (const chunk of this.#deflated ? deflated(counted) : counted) {
      this.#packed += chunk.length
      yield chunk
    }
    if (this.#item.size >= 0 && this.#size !== this.#item.size)
      throw new Error(`${this.#item.name} has ${this.#size} bytes, ${this.#item.size} were expected`)
    if (!this.#big && Math.max(this.#size, this.#packed) >= max32) throw new Error(`${this.#item.name} grew too large`)
  }

  async *#counted(body: Body): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      this.#crc = zlib.crc32(chunk, this.#crc)
      this.#size += chunk.length
      // What is too much must not go out: it would fill the length that was announced, and a broken archive would seem whole.
      if (this.#item.size >= 0 && this.#size > this.#item.size)
        throw new Error(`${this.#item.name} has more than the ${this.#item.size} bytes that were expected`)
      yield chunk
    }
  }

  /** Checksum and sizes behind the content. */
  descriptor(): Buffer {
    const tail = Buffer.alloc(this.#big ? 24 : 16)
    tail.writeUInt32LE(0x08074b50, 0)
    tail.writeUInt32LE(this.#crc, 4)
    if (this.#big) {
      tail.writeBigUInt64LE(BigInt(this.#packed), 8)
      tail.writeBigUInt64LE(BigInt(this.#size), 16)
    } else {
      tail.writeUInt32LE(this.#packed, 8)
      tail.writeUInt32LE(this.#size, 12)
    }
    return tail
  }

  centralRecord(): Buffer {
    const large = [this.#big ? this.#size : 0, this.#big ? this.#packed : 0, this.#offset]
    const wide = this.#big ? large : this.#offset >= max32 ? [this.#offset] : []
    const extra = Buffer.concat([wide.length > 0 ? zip64(wide) : none, timestamp(this.#item.modTime)])
    const head = Buffer.alloc(46)
    head.writeUInt32LE(0x02014b50, 0)
    // Made on Unix, so that the permissions below count.
    head.writeUInt16LE((3 << 8) | 45, 4)
    this.#common(head, 6)
    head.writeUInt32LE(this.#crc, 16)
    head.writeUInt32LE(this.#big ? max32 : this.#packed, 20)
    head.writeUInt32LE(this.#big ? max32 : this.#size, 24)
    head.writeUInt16LE(this.#name.length, 28)
    head.writeUInt16LE(extra.length, 30)
    const mode = this.#item.open ? 0o100644 : 0o40755
    head.writeUInt32LE(((mode << 16) | (this.#item.open ? 0 : 0x10)) >>> 0, 38)
    head.writeUInt32LE(wide.length > 0 ? max32 : this.#offset, 42)
    return Buffer.concat([head, this.#name, extra])
  }
}

const none = Buffer.alloc(0)

function zip64(values: readonly number[]): Buffer {
  const field = Buffer.alloc(4 + 8 * values.length)
  field.writeUInt16LE(1, 0)
  field.writeUInt16LE(8 * values.length, 2)
  for (const [i, value] of values.entries()) field.writeBigUInt64LE(BigInt(value), 4 + 8 * i)
  return field
}

/** The extended timestamp: UTC seconds, which the DOS time beside it cannot tell. */
function timestamp(modTime: Nanoseconds): Buffer {
  const seconds = Math.floor(toMs(modTime) / 1000)
  if (seconds <= 0 || seconds > 0x7fffffff) return none
  const field = Buffer.alloc(9)
  field.writeUInt16LE(0x5455, 0)
  field.writeUInt16LE(5, 2)
  field.writeUInt8(1, 4)
  field.writeInt32LE(seconds, 5)
  return field
}

/** Date and time in two seconds' steps, from 1980 to 2107. */
function dosTime(modTime: Nanoseconds): number {
  const date = new Date(toMs(modTime))
  const year = date.getUTCFullYear()
  if (year < 1980) return 0x210000
  if (year > 2107) return 0xff9fbf7d
  const day = ((year - 1980) << 9) | ((date.getUTCMonth() + 1) << 5) | date.getUTCDate()
  const time = (date.getUTCHours() << 11) | (date.getUTCMinutes() << 5) | (date.getUTCSeconds() >> 1)
  return ((day << 16) | time) >>> 0
}

async function* deflated(source: Body): AsyncGenerator<Uint8Array> {
  const encoder = zlib.createDeflateRaw({ level: 5, chunkSize: 64 * 1024 })
  // Its failure reaches the reader through the encoder, which the pipeline destroys.
  pipeline(source, encoder).catch(() => undefined)
  try {
    for await (const chunk of encoder) yield chunk as Uint8Array
  } finally {
    encoder.destroy()
  }
}

/** The central directory, collected in blocks: one Buffer for each of very many members would cost more than they hold. */
class Directory {
  count = 0
  length = 0
  #blocks: Buffer[] = []
  #small: Buffer[] = []

  add(record: Buffer): void {
    this.count++
    this.length += record.length
    if (this.#small.push(record) < 512) return
    this.#blocks.push(Buffer.concat(this.#small))
    this.#small = []
  }

  *chunks(): Generator<Buffer> {
    yield* this.#blocks
    if (this.#small.length > 0) yield Buffer.concat(this.#small)
  }
}

function endRecord({ count, length }: { readonly count: number; readonly length: number }, offset: number): Buffer {
  const end = Buffer.alloc(22)
  end.writeUInt32LE(0x06054b50, 0)
  end.writeUInt16LE(Math.min(count, max16), 8)
  end.writeUInt16LE(Math.min(count, max16), 10)
  end.writeUInt32LE(Math.min(length, max32), 12)
  end.writeUInt32LE(Math.min(offset, max32), 16)
  if (count < max16 && length < max32 && offset < max32) return end
  const wide = Buffer.alloc(56 + 20)
  wide.writeUInt32LE(0x06064b50, 0)
  wide.writeBigUInt64LE(44n, 4)
  wide.writeUInt16LE((3 << 8) | 45, 12)
  wide.writeUInt16LE(45, 14)
  wide.writeBigUInt64LE(BigInt(count), 24)
  wide.writeBigUInt64LE(BigInt(count), 32)
  wide.writeBigUInt64LE(BigInt(length), 40)
  wide.writeBigUInt64LE(BigInt(offset), 48)
  wide.writeUInt32LE(0x07064b50, 56)
  wide.writeBigUInt64LE(BigInt(offset + length), 64)
  wide.writeUInt32LE(1, 72)
  return Buffer.concat([wide, end])
}
