import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ordered } from '../base/ordered.ts'
import { Workers } from './workers.ts'

/** Tasks that end when they are told to. */
function gates() {
  const open: (() => void)[] = []
  const seen: number[] = []
  const task = (n: number) => async () => {
    seen.push(n)
    await new Promise<void>((resolve) => void open.push(resolve))
  }
  return { open, seen, task }
}

test('no more tasks run at once than there are slots, and whoever adds waits for room', async () => {
  const { open, seen, task } = gates()
  const workers = new Workers<undefined>({ slots: 2, backlog: 1 })
  let added = 0
  const adding = (async () => {
    for (let n = 0; n < 5; n++) {
      await workers.add(undefined, task(n))
      added++
    }
  })()
  await new Promise(setImmediate)
  assert.deepEqual(seen, [0, 1])
  assert.equal(added, 3)
  while (seen.length < 5 || open.length > 0) {
    open.shift()?.()
    await new Promise(setImmediate)
  }
  await adding
  await workers.idle()
  assert.deepEqual(seen, [0, 1, 2, 3, 4])
})

test('a closed queue begins when it is opened, in the order of its rule', async () => {
  const seen: number[] = []
  const order = { compare: (a: number, b: number) => b - a, share: 1 }
  const workers = new Workers<number>({ slots: 1, backlog: Infinity, order, closed: true })
  for (const n of [2, 5, 1, 5, 3]) await workers.add(n, async () => void seen.push(n))
  assert.deepEqual(seen, [])
  workers.open()
  await workers.idle()
  assert.deepEqual(seen, [5, 5, 3, 2, 1])
})

test('a share of the slots begins at one end of the queue, the others at the other one', async () => {
  const { open, seen, task } = gates()
  const order = { compare: (a: number, b: number) => a - b, share: 0.25 }
  const workers = new Workers<number>({ slots: 4, backlog: Infinity, order, closed: true })
  for (const n of [3, 1, 8, 6, 2, 7, 5, 4]) void workers.add(n, task(n))
  workers.open()
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    [1, 6, 7, 8],
  )
  while (seen.length < 8 || open.length > 0) {
    open.shift()?.()
    await new Promise(setImmediate)
  }
  await workers.idle()
  assert.deepEqual(
    seen.sort((a, b) => a - b),
    [1, 2, 3, 4, 5, 6, 7, 8],
  )
})

test('results come in the order of the items, whatever ends first', async () => {
  async function* items() {
    yield* [30, 1, 20, 2]
  }
  const results: number[] = []
  let running = 0
  let most = 0
  for await (const n of ordered(items(), 2, async (n) => {
    most = Math.max(most, ++running)
    for (let turn = 0; turn < n; turn++) await Promise.resolve()
    running--
    return n
  }))
    results.push(n)
  assert.deepEqual(results, [30, 1, 20, 2])
  assert.equal(most, 2)
})
