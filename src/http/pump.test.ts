import assert from 'node:assert/strict'
import test from 'node:test'
import { FileSlice } from '../base/body.ts'
import { Buffers, LARGE, SMALL, TINY } from './buffers.ts'
import { fill, pump, type Sink } from './pump.ts'

const source = {
  read: (into: Uint8Array) => Promise.resolve(into.length),
  close: () => Promise.resolve(),
}

class TestSink implements Sink {
  gone = false
  chunk = LARGE
  readonly sizes: number[] = []
  readonly #ms: number
  readonly #leaveAfter: number

  constructor(ms: number, leaveAfter = Infinity) {
    this.#ms = ms
    this.#leaveAfter = leaveAfter
  }

  direct(_send: (descriptor: number) => number | undefined): number | undefined {
    return undefined
  }

  write(chunk: Uint8Array): Promise<number> {
    this.sizes.push(chunk.length)
    if (this.sizes.length >= this.#leaveAfter) this.gone = true
    return Promise.resolve(this.#ms)
  }
}

async function run(sink: Sink, bytes: number, pool: Buffers, from = source): Promise<number> {
  const slice = new FileSlice(from, { start: 7, end: 7 + bytes })
  const first = await fill(slice, slice.start, pool.take(SMALL), pool)
  assert.ok(first)
  return await pump(sink, slice, first, pool)
}

test('chunks grow with what a fast client has taken', async () => {
  const sink = new TestSink(0)
  const pool = new Buffers()
  assert.equal(await run(sink, 200_000_000, pool), 200_000_000)
  assert.equal(sink.sizes[0], SMALL)
  assert.equal(Math.max(...sink.sizes), LARGE)
  assert.ok(sink.sizes.findIndex((size) => size > SMALL) * SMALL >= 8_000_000)
  assert.equal(pool.large, 0)
})

test('a slow client gets small chunks', async () => {
  const sink = new TestSink(100)
  await run(sink, 50_000_000, new Buffers())
  assert.ok(sink.sizes.every((size) => size <= SMALL))
})

test('a client that leaves ends it, and nothing stays taken', async () => {
  const pool = new Buffers()
  const sent = await run(new TestSink(0, 300), 200_000_000, pool)
  assert.ok(sent > 10_000_000 && sent < 200_000_000)
  assert.equal(pool.large, 0)
})

test('a read that fails is thrown, and nothing stays taken', async () => {
  const pool = new Buffers()
  let reads = 0
  const failing = {
    read: (into: Uint8Array) => (++reads > 300 ? Promise.reject(new Error('gone')) : Promise.resolve(into.length)),
    close: () => Promise.resolve(),
  }
  await assert.rejects(run(new TestSink(0), 200_000_000, pool, failing), { message: 'gone' })
  assert.equal(pool.large, 0)
})

test('a slowed transfer keeps its own chunk size', async () => {
  const slice = new FileSlice(source, { start: 0, end: 1_000_000 })
  slice.chunk = 10_000
  const pool = new Buffers()
  const first = await fill(slice, 0, pool.take(SMALL), pool)
  assert.ok(first)
  const sink = new TestSink(0)
  assert.equal(await pump(sink, slice, first, pool), 1_000_000)
  assert.equal(Math.max(...sink.sizes), 10_000)
})

test('memory for large buffers is bounded; when it is used up everybody gets small ones', () => {
  const pool = new Buffers()
  const taken = Array.from({ length: 200 }, () => pool.take(LARGE))
  assert.equal(taken.filter((buffer) => buffer.length === LARGE).length, 64)
  assert.equal(pool.large, 64 * LARGE)
  for (const buffer of taken) pool.give(buffer)
  assert.equal(pool.large, 0)
  assert.ok(taken.includes(pool.take(LARGE)))
})

/** A client to which the system may send; it takes `room` bytes of its own accord before it is full, each time. */
class DirectSink extends TestSink {
  alone = 0
  readonly #room: number
  #left = 0

  constructor(room: number) {
    super(0)
    this.#room = room
  }

  override direct(send: (descriptor: number) => number | undefined): number | undefined {
    if (this.#left <= 0) {
      this.#left = this.#room
      return 0
    }
    const count = send(1)
    this.#left -= count ?? 0
    this.alone += count ?? 0
    return count
  }
}

const sendable = { ...source, sendTo: (_socket: number, _position: number, count: number) => Math.min(count, 100_000) }

test('what the system sends by itself goes through no buffer, and a full client waits with a tiny one', async () => {
  const sink = new DirectSink(1_000_000)
  const pool = new Buffers()
  assert.equal(await run(sink, 50_000_000, pool, sendable), 50_000_000)
  assert.equal(sink.alone + sink.sizes.reduce((sum, size) => sum + size, 0), 50_000_000)
  assert.ok(sink.alone > 45_000_000)
  assert.ok(sink.sizes.slice(2).every((size) => size <= TINY))
})

test('where the system cannot send, the rest is read and written', async () => {
  const sink = new DirectSink(1_000_000)
  let position = 0
  const shy = {
    ...sendable,
    sendTo: (_socket: number, at: number, count: number) =>
      (position = at) < 10_000_000 ? Math.min(count, 100_000) : undefined,
  }
  assert.equal(await run(sink, 200_000_000, new Buffers(), shy), 200_000_000)
  assert.ok(position >= 10_000_000)
  assert.ok(sink.sizes.includes(LARGE))
})

test('what the system sends is counted and slowed like all else', async () => {
  const slice = new FileSlice(sendable, { start: 0, end: 5_000_000 })
  let counted = 0
  slice.observe((bytes) => {
    counted += bytes
    return Promise.resolve()
  })
  const pool = new Buffers()
  const first = await fill(slice, 0, pool.take(SMALL), pool)
  assert.ok(first)
  const sink = new DirectSink(Infinity)
  assert.equal(await pump(sink, slice, first, pool), 5_000_000)
  assert.equal(counted, 5_000_000)
  assert.ok(sink.sizes.length >= 40, 'each wait is followed by a write')
})
