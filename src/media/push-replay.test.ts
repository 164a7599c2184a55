import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Replay } from './push-replay.ts'

const { signal } = new AbortController()
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

/** An input of which a test says when it goes on; `taken` counts the chunks that were asked for. */
function source(chunks: readonly string[]) {
  const state = { taken: 0 }
  async function* input() {
    for (const chunk of chunks) {
      state.taken++
      yield Buffer.from(chunk)
    }
  }
  return { state, input: input() }
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = ''
  for await (const chunk of body) text += Buffer.from(chunk).toString()
  return text
}

test('what was read can be read again for as long as it is held', async () => {
  const replay = new Replay({ most: 100, drop: false })
  await replay.fill(source(['one ', 'two ', 'three']).input, signal)
  assert.equal(await textOf(replay.from(0, signal)), 'one two three')
  assert.equal(await textOf(replay.from(5, signal)), 'wo three')
  assert.deepEqual([replay.start, replay.position], [0, 13])
})

test('an input waits while nobody reads, and no byte of it is lost', async () => {
  const { state, input } = source(Array.from({ length: 50 }, (_, i) => String(i).padStart(10)))
  const replay = new Replay({ most: 100, drop: false })
  const filling = replay.fill(input, signal)
  for (let i = 0; i < 20; i++) await turn()
  assert.ok(state.taken < 10, `${state.taken}`)
  const text = await textOf(replay.from(0, signal))
  await filling
  assert.equal(text.length, 500)
  assert.ok(text.endsWith('        49'))
  assert.ok(replay.start >= 400)
})

test('an input that must not wait loses its oldest bytes, which is told', async () => {
  const lost: number[] = []
  const replay = new Replay({ most: 100, drop: true, dropped: (bytes) => lost.push(bytes) })
  await replay.fill(source(Array.from({ length: 50 }, (_, i) => String(i).padStart(10))).input, signal)
  assert.equal((await textOf(replay.from(0, signal))).length, 100)
  assert.deepEqual(lost, [400])
})

test('an error of the input comes behind its bytes, and a reader that is left lets the input end', async () => {
  async function* broken() {
    yield Buffer.from('before')
    throw new Error('the input broke')
  }
  const replay = new Replay({ most: 100, drop: false })
  await replay.fill(broken(), signal)
  const reader = replay.from(0, signal)
  assert.equal(Buffer.from((await reader.next()).value as Uint8Array).toString(), 'before')
  await assert.rejects(reader.next(), /the input broke/)

  const waiting = new Replay({ most: 10, drop: false })
  const filling = waiting.fill(source(Array(20).fill('ten bytes.')).input, signal)
  await turn()
  waiting.stop()
  await filling
})
