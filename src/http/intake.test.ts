import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { intake } from './intake.ts'

async function sizes(chunks: readonly Buffer[]): Promise<number[]> {
  const source = new Readable({ read() {}, highWaterMark: 1 << 20 })
  for (const chunk of chunks) source.push(chunk)
  source.push(null)
  const settings = { idle: Infinity, length: undefined, begin() {}, isComplete: () => true, late() {} }
  const taken: number[] = []
  let all = Buffer.alloc(0)
  for await (const chunk of intake(source, settings)) {
    taken.push(chunk.length)
    all = Buffer.concat([all, chunk])
  }
  assert.deepEqual(all, Buffer.concat(chunks))
  return taken
}

test('tiny chunks that are there already are taken together, large ones as they are', async () => {
  const tiny = Array.from({ length: 20_000 }, (_, i) => Buffer.of(i & 255))
  assert.deepEqual(await sizes(tiny), [16_384, 3616])
  const large = [Buffer.alloc(60_000, 1), Buffer.alloc(70_000, 2)]
  assert.deepEqual(await sizes(large), [60_000, 70_000])
})

test('chunks that come one after the other in the same turn, as those of one packet do, are taken together', async () => {
  const source = new Readable({ read() {} })
  const settings = { idle: Infinity, length: undefined, begin() {}, isComplete: () => true, late() {} }
  const body = intake(source, settings)
  const first = body.next()
  for (let i = 0; i < 100; i++) {
    source.push(Buffer.of(i))
    await new Promise<void>((done) => process.nextTick(done))
  }
  assert.equal((await first).value?.length, 100)
  await body.return(undefined)
})
