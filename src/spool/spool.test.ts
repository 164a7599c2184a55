import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { collect } from '../base/body.ts'
import { DiskStore } from './disk.ts'
import { MemoryStore } from './memory.ts'
import { Spool, type SpoolOptions } from './spool.ts'
import type { Store } from './store.ts'
import { TailStore } from './tail.ts'

const stores: readonly (readonly [name: string, open: () => Promise<Store>])[] = [
  ['memory', () => Promise.resolve(new MemoryStore())],
  ['disk', () => DiskStore.open(tmpdir())],
]
const text = async (body: AsyncIterable<Uint8Array>) => Buffer.from(await collect(body)).toString()
const bytes = (value: string) => Buffer.from(value)

for (const [name, open] of stores)
  describe(`a spool in ${name}`, () => {
    const spool = async (options: SpoolOptions = {}) => new Spool(await open(), options)

    test('gives a reader what was written and what is yet to come, to the end', async () => {
      const one = await spool()
      await one.write(bytes('abc'))
      const early = text(one.follow())
      await one.write(bytes('def'))
      const late = text(one.follow({ start: 4, end: Infinity }))
      await one.write(bytes('ghi'))
      one.complete()
      assert.equal(await early, 'abcdefghi')
      assert.equal(await late, 'efghi')
      assert.equal(await text(one.follow({ start: 2, end: 5 })), 'cde')
      await one.close()
    })

    test('ends its readers with an error when the writer fails, behind the bytes that came', async () => {
      const one = await spool()
      await one.write(bytes('abc'))
      const reader = one.follow()
      assert.equal((await reader.next()).value?.toString(), 'abc')
      const rest = assert.rejects(reader.next(), { message: 'the writer is gone' })
      one.fail(new Error('the writer is gone'))
      await rest
      await assert.rejects(text(one.follow()), { message: 'the writer is gone' })
      await assert.rejects(one.write(bytes('x')), { message: 'the writer is gone' })
      await one.close()
    })

    test('lets a reader that leaves go at once, and forgets it', async () => {
      const one = await spool()
      const leaving = new AbortController()
      const reader = text(one.follow(undefined, { signal: leaving.signal }))
      assert.equal(one.readers, 1)
      leaving.abort()
      await assert.rejects(reader, { code: 'aborted' })
      assert.equal(one.readers, 0)
      one.complete()
      await one.close()
    })

    test('waits for bytes in a hole, and asks for them', async () => {
      const needed: unknown[] = []
      const one = await spool({ size: 9, need: (range) => needed.push(range) })
      await one.write(bytes('ghi'), 6)
      const reader = text(one.follow())
      await new Promise((resolve) => setImmediate(resolve))
      assert.deepEqual(needed, [{ start: 0, end: 6 }])
      await one.write(bytes('def'), 3)
      await one.write(bytes('abc'), 0)
      assert.equal(await reader, 'abcdefghi')
      one.complete()
      await one.close()
    })

    test('fails readers of an object that ended before it was whole', async () => {
      const one = await spool({ size: 9 })
      await one.write(bytes('ghi'), 6)
      one.complete(9)
      await assert.rejects(text(one.follow()), { code: 'io' })
      await one.close()
    })

    test('reads the same from any place, whatever the order and the size of the writes', async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.uint8Array({ minLength: 1, maxLength: 200 }),
          fc.array(fc.nat(200), { maxLength: 12 }),
          fc.nat(200),
          fc.infiniteStream(fc.nat()),
          async (whole, cuts, from, random) => {
            const one = await spool({ size: whole.length })
            const places = [0, ...cuts.filter((at) => at < whole.length), whole.length].toSorted((a, b) => a - b)
            const parts = places.slice(1).map((end, i) => ({ at: places[i] ?? 0, end }))
            const order = parts
              .map((part) => ({ part, key: random.next().value ?? 0 }))
              .toSorted((a, b) => a.key - b.key)
            const start = from % whole.length
            const reader = collect(one.follow({ start, end: Infinity }))
            for (const { part } of order) await one.write(whole.slice(part.at, part.end), part.at)
            one.complete()
            assert.deepEqual(Buffer.from(await reader), Buffer.from(whole.subarray(start)))
            await one.close()
          },
        ),
        { numRuns: 60 },
      )
    })
  })

test('a reader that fell behind the window gets an error, or the oldest byte that is held', async () => {
  const store = new MemoryStore()
  const one = new Spool(store, { window: 4 })
  for (const part of ['abc', 'def', 'ghi']) await one.write(bytes(part))
  one.complete()
  assert.equal(store.held, 6, 'whole chunks are held')
  await assert.rejects(text(one.follow()), { code: 'range' })
  assert.equal(await text(one.follow({ start: 0, end: Infinity }, { behind: 'skip' })), 'fghi')
})

test('readers in memory share the bytes of the writer', async () => {
  const one = new Spool(new MemoryStore())
  const chunk = bytes('abc')
  await one.write(chunk)
  one.complete()
  for await (const got of one.follow()) assert.equal(got.buffer, chunk.buffer)
})

test('a thousand readers wait without a timer and all get every byte', async () => {
  const one = new Spool(new MemoryStore())
  const readers = Array.from({ length: 1000 }, () => text(one.follow()))
  for (let i = 0; i < 10; i++) await one.write(bytes(String(i)))
  one.complete()
  assert.deepEqual(new Set(await Promise.all(readers)), new Set(['0123456789']))
})

test('a store is closed when its last reader has left', async () => {
  const one = new Spool(await DiskStore.open(tmpdir()))
  await one.write(Buffer.alloc(1 << 20, 'x'))
  one.complete()
  const reader = one.follow()
  await reader.next()
  const closed = one.close()
  assert.equal(one.readers, 1)
  let left = 0
  for await (const chunk of reader) left += chunk.length
  assert.ok(left > 0)
  await closed
})

test('memory of what was read from a socket is given back as soon as it is stored, but not what a reader has got', async () => {
  const store = new TailStore(await DiskStore.open(tmpdir()))
  const chunk = (fill: number) => new Uint8Array(64 * 1024).fill(fill)
  const [kept, free, last] = [chunk(1), chunk(2), chunk(3)]
  await store.write(0, kept)
  const got = await store.read(10, 5)
  await store.write(kept.length, free)
  await store.write(2 * kept.length, last)
  assert.deepEqual([...got], [1, 1, 1, 1, 1])
  assert.equal(free.length, 0)
  assert.equal(last.length, 64 * 1024)
  assert.equal((await store.read(kept.length, 5))[0], 2)
  await store.close()
})

test('bytes that come one by one stay readable: the newest from memory, all from where they were stored', async () => {
  const store = new TailStore(await DiskStore.open(tmpdir()))
  for (let i = 0; i < 1000; i++) await store.write(i, Uint8Array.of(i & 255))
  for (const at of [0, 500, 999]) assert.equal((await store.read(at, 1))[0], at & 255)
  await store.close()
})
