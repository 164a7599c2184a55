import { Frames } from './frames.ts'

const PACKET = 188
const SYNC = 0x47
/** Types of elementary streams that are video (ISO 13818-1 table 2-34): MPEG-1, 2, 4, AVC, HEVC, VVC. */
const video = new Set([0x01, 0x02, 0x10, 0x1b, 0x24, 0x33])
/** A jump of the clock by more than this (ms) is a new clock. */
const JUMP = 10_000

/**
 * MPEG transport stream (ISO 13818-1): packets of 188 bytes. A player can begin where a picture needs none before it, or, of
 * sound alone, at a packet that says so; it needs the tables of the programme first.
 */
export class MpegTs extends Frames {
  readonly strict = false
  #tables: number | undefined
  #pictures: number | undefined
  #pat: Buffer | undefined
  #pmt: Buffer | undefined
  #clock: number | undefined

  protected override read(bytes: Buffer, at: number): number {
    if (bytes.length < PACKET) return 0
    if (bytes[0] !== SYNC || (!this.found && bytes.length > PACKET && bytes[PACKET] !== SYNC)) {
      const next = bytes.indexOf(SYNC, 1)
      return next < 0 ? -bytes.length : -next
    }
    this.#packet(bytes.subarray(0, PACKET), at)
    return PACKET
  }

  #packet(packet: Buffer, at: number): void {
    const pid = packet.readUInt16BE(1) & 0x1fff
    const control = ((packet[3] as number) >> 4) & 3
    const adapted = (control & 2) !== 0 ? (packet[4] as number) : 0
    const flags = adapted > 0 ? (packet[5] as number) : 0
    if ((flags & 0x10) !== 0) this.#tick(packet)
    const starts = ((packet[1] as number) & 0x40) !== 0
    const payload = 4 + ((control & 2) !== 0 ? adapted + 1 : 0)
    if (starts && (control & 1) !== 0 && pid === 0) this.#programmes(packet, payload)
    else if (starts && (control & 1) !== 0 && pid === this.#tables) this.#streams(packet, payload)
    else if ((flags & 0x40) !== 0 && starts && (this.#pictures === undefined || pid === this.#pictures)) this.sync(at)
  }

  /** The programme association table: which packets hold the tables of the programme. */
  #programmes(packet: Buffer, payload: number): void {
    const table = payload + 1 + (packet[payload] ?? 0)
    if (table + 12 > PACKET) return
    const programme = packet.readUInt16BE(table + 8)
    // Programme 0 is that of the network.
    const entry = programme === 0 ? table + 12 : table + 8
    if (entry + 4 > PACKET) return
    this.#tables = packet.readUInt16BE(entry + 2) & 0x1fff
    this.#pat = Buffer.from(packet)
    this.#ready()
  }

  /** The programme map table: which packets hold pictures. */
  #streams(packet: Buffer, payload: number): void {
    const table = payload + 1 + (packet[payload] ?? 0)
    if (table + 12 > PACKET) return
    const end = Math.min(PACKET, table + 3 + (packet.readUInt16BE(table + 1) & 0xfff) - 4)
    let at = table + 12 + (packet.readUInt16BE(table + 10) & 0xfff)
    let found: number | undefined
    while (at + 5 <= end) {
      if (video.has(packet[at] as number)) found ??= packet.readUInt16BE(at + 1) & 0x1fff
      at += 5 + (packet.readUInt16BE(at + 3) & 0xfff)
    }
    this.#pictures = found
    this.#pmt = Buffer.from(packet)
    this.#ready()
  }

  #ready(): void {
    if (this.#pat && this.#pmt) this.init = Buffer.concat([this.#pat, this.#pmt])
  }

  /** The clock of the programme, 90 kHz. */
  #tick(packet: Buffer): void {
    const clock = (packet.readUInt32BE(6) * 2 + ((packet[10] as number) >> 7)) / 90
    const passed = this.#clock === undefined ? 0 : clock - this.#clock
    this.time = (this.time ?? 0) + (passed >= 0 && passed < JUMP ? passed : 0)
    this.#clock = clock
  }
}
