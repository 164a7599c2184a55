import type { Readable } from 'node:stream'
import { AppError } from '../base/error.ts'

export interface IntakeSettings {
  /** Longest wait for the next bytes, ms; Infinity = no limit. */
  readonly idle: number
  /** Bytes that were declared; undefined = unknown. */
  readonly length: number | undefined
  /** Called when the first bytes are asked for: time to send 100 Continue. */
  begin(): void
  /** True when the stream ended because the message did, not because the client left. */
  isComplete(): boolean
  /** True when nothing more is to be taken, whatever still comes, which is dropped; the stream emits `aborted` then. */
  isCut?(): boolean
  /** Called before the error is thrown that the client has been too slow. */
  late(): void
  /** The body may last for ever, so that few bytes in a long time are all right. */
  readonly lasts?: boolean
  /** Called with the count of bytes of each chunk. */
  count?(bytes: number): void
}

/** After this much waiting (ms), less than MIN_RATE bytes a second is too slow. */
const PATIENCE_MS = 10_000
const MIN_RATE = 100

/**
 * The body of a request, chunk by chunk as it is asked for. Throws `aborted` when the client leaves before its end, sends
 * nothing for `idle`, or drips. Stopping early leaves the stream as it is: whoever answers decides what becomes of the rest.
 */
export async function* intake(source: Readable, settings: IntakeSettings): AsyncGenerator<Uint8Array> {
  settings.begin()
  const waiter = new Waiter(source)
  let received = 0
  let waited = 0
  try {
    for (;;) {
      const chunk = take(source)
      if (chunk !== null) {
        received += chunk.length
        settings.count?.(chunk.length)
        yield chunk
        continue
      }
      if (waiter.ended || settings.isCut?.()) break
      const since = performance.now()
      const inTime = await waiter.wait(settings.idle)
      waited += performance.now() - since
      const drips =
        settings.idle !== Infinity && !settings.lasts && waited > PATIENCE_MS && received < (waited / 1000) * MIN_RATE
      if (inTime && !drips) continue
      settings.late()
      throw new AppError('aborted', `the client sent too little for too long: ${received} bytes in all`)
    }
    if (!settings.isComplete() || (settings.length !== undefined && received !== settings.length))
      throw new AppError('aborted', `the client left before the end of the body: ${received} bytes came`)
  } finally {
    waiter.close()
    if (settings.isCut?.()) source.resume()
  }
}

/** Chunks smaller than this (bytes) are taken together: each costs those behind it a step, and the storage a write. */
const FEW = 16 * 1024

/** What of a stream is there already, up to FEW bytes or one chunk; null = nothing. */
function take(source: Readable): Buffer | null {
  const first = source.read() as Buffer | null
  if (first === null || first.length >= FEW || source.readableLength === 0) return first
  const chunks = [first]
  for (let size = first.length; size < FEW && source.readableLength > 0;) {
    const chunk = source.read() as Buffer | null
    if (chunk === null) break
    chunks.push(chunk)
    size += chunk.length
  }
  return Buffer.concat(chunks)
}

/**
 * The whole body in one piece, for one that is small and wanted whole: much cheaper than chunk by chunk. Throws as `intake`
 * does, and RangeError as soon as there are more than `max` bytes. `enough` sees each chunk, and tells where in it what is
 * wanted ends: nothing more is waited for then.
 */
export function gather(
  source: Readable,
  settings: IntakeSettings,
  max: number,
  enough?: (chunk: Uint8Array) => number | undefined,
): Promise<Buffer> {
  settings.begin()
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    const begun = performance.now()
    let received = 0
    const timer = settings.idle < 2 ** 31 ? setTimeout(late, settings.idle) : undefined
    source.on('data', take)
    for (const event of ends) source.on(event, end)

    function take(chunk: Buffer): void {
      received += chunk.length
      settings.count?.(chunk.length)
      if (received > max) return fail(new RangeError(`more than ${max} bytes`))
      const last = enough?.(chunk)
      if (last !== undefined) {
        chunks.push(chunk.subarray(0, last))
        stop()
        source.pause()
        return resolve(Buffer.concat(chunks))
      }
      chunks.push(chunk)
      const waited = performance.now() - begun
      if (waited > PATIENCE_MS && received < (waited / 1000) * MIN_RATE) late()
      else timer?.refresh()
    }
    function end(): void {
      if (!settings.isComplete() || (settings.length !== undefined && received !== settings.length))
        return fail(new AppError('aborted', `the client left before the end of the body: ${received} bytes came`))
      stop()
      resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, received))
    }
    function late(): void {
      settings.late()
      fail(new AppError('aborted', `the client sent too little for too long: ${received} bytes in all`))
    }
    function fail(error: Error): void {
      stop()
      source.pause()
      reject(error)
    }
    function stop(): void {
      clearTimeout(timer)
      source.off('data', take)
      for (const event of ends) source.off(event, end)
    }
  })
}

/** What tells that nothing more comes. */
const ends = ['end', 'error', 'aborted', 'close']

/** Waits for a stream to have something to read or to end, without owning it. */
class Waiter {
  ended = false
  readonly #source: Readable
  #wake: (() => void) | undefined
  // Node lets everything run after each chunk of a packet. A turn later all of them are there, and are taken as one.
  readonly #readable = () => {
    if (this.#source.readableLength >= FEW) this.#wake?.()
    else setImmediate(() => this.#wake?.())
  }
  readonly #end = () => {
    this.ended = true
    this.#wake?.()
  }

  constructor(source: Readable) {
    this.#source = source
    this.ended = source.readableEnded || source.destroyed
    source.on('readable', this.#readable)
    for (const event of ends) source.on(event, this.#end)
  }

  /** False when nothing happened for `ms`. */
  async wait(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined
    const inTime = await new Promise<boolean>((resolve) => {
      this.#wake = () => resolve(true)
      if (ms < 2 ** 31) timer = setTimeout(resolve, ms, false)
    })
    clearTimeout(timer)
    this.#wake = undefined
    return inTime
  }

  close(): void {
    this.#source.off('readable', this.#readable)
    for (const event of ends) this.#source.off(event, this.#end)
  }
}
