import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import zlib from 'node:zlib'
import type { Transform } from 'node:stream'
import type { Body } from '../base/body.ts'
import { derive } from '../base/derive.ts'

/** The content codings we write, in our order of preference: zstd is the fastest for its ratio. */
export const codings = ['zstd', 'br', 'gzip', 'deflate'] as const
export type Coding = (typeof codings)[number]

/** How hard to try. Brotli stays at moderate levels: its high ones are for files compressed once. */
export type Effort = 'fast' | 'on' | 'best'

const c = zlib.constants
const levels: Readonly<Record<Effort, Readonly<Record<Coding, number>>>> = {
  fast: { zstd: 1, br: 1, gzip: 1, deflate: 1 },
  on: { zstd: 3, br: 4, gzip: 5, deflate: 5 },
  best: { zstd: 9, br: 6, gzip: 9, deflate: 9 },
}

function brotli(level: number): zlib.BrotliOptions {
  // A window of 1 MiB bounds the memory of each transfer.
  return { params: { [c.BROTLI_PARAM_QUALITY]: level, [c.BROTLI_PARAM_LGWIN]: 20 } }
}
function zstd(level: number): zlib.ZstdOptions {
  return { params: { [c.ZSTD_c_compressionLevel]: level, [c.ZSTD_c_windowLog]: 20 } }
}

const whole: Readonly<Record<Coding, (bytes: Uint8Array, level: number) => Promise<Uint8Array>>> = {
  zstd: (bytes, level) => promisify(zlib.zstdCompress)(bytes, zstd(level)),
  br: (bytes, level) => promisify(zlib.brotliCompress)(bytes, brotli(level)),
  gzip: (bytes, level) => promisify<zlib.InputType, zlib.ZlibOptions, Uint8Array>(zlib.gzip)(bytes, { level }),
  // "deflate" means the zlib format (RFC 9110 section 8.4.1.2), whatever some servers send.
  deflate: (bytes, level) => promisify<zlib.InputType, zlib.ZlibOptions, Uint8Array>(zlib.deflate)(bytes, { level }),
}
const chunkSize = 64 * 1024
const streams: Readonly<Record<Coding, (level: number) => Transform>> = {
  zstd: (level) => zlib.createZstdCompress({ ...zstd(level), chunkSize }),
  br: (level) => zlib.createBrotliCompress({ ...brotli(level), chunkSize }),
  gzip: (level) => zlib.createGzip({ level, chunkSize }),
  deflate: (level) => zlib.createDeflate({ level, chunkSize }),
}

/** The bytes compressed, made on a thread of the pool. */
export function compressBytes(bytes: Uint8Array, coding: Coding, effort: Effort): Promise<Uint8Array> {
  return whole[coding](bytes, levels[effort][coding])
}

/** The body compressed as it is read, never further ahead than the encoder's buffers. Leaving early leaves `body` too. */
export function compressBody(body: Body, coding: Coding, effort: Effort): Body {
  return derive(body, async function* compressed(source) {
    const encoder = streams[coding](levels[effort][coding])
    // Its failure reaches the reader through the encoder, which the pipeline destroys.
    pipeline(source, encoder).catch(() => undefined)
    try {
      for await (const chunk of encoder) yield chunk as Uint8Array
    } finally {
      encoder.destroy()
    }
  })
}
