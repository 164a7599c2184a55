import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf, collect } from './body.ts'
import { fanOut } from './fan-out.ts'

test('all readers get all bytes, although one of them is slow', async () => {
  const branches = fanOut(bodyOf('one', 'two', 'three'), 3)
  const texts = await Promise.all(
    branches.map(async ({ body }, i) => {
      let text = ''
      for await (const chunk of body) {
        text += Buffer.from(chunk).toString()
        if (i === 1) await new Promise((resolve) => setImmediate(resolve))
      }
      return text
    }),
  )
  assert.deepEqual(texts, ['onetwothree', 'onetwothree', 'onetwothree'])
})

test('the source is never more than a chunk ahead of the slowest reader', async () => {
  let asked = 0
  async function* counted() {
    for (; asked < 5; asked++) yield Buffer.from('x')
  }
  const [fast, slow] = fanOut(counted(), 2)
  const [a, b] = [fast, slow].map((branch) => branch?.body[Symbol.asyncIterator]())
  await a?.next()
  const second = a?.next()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(asked, 0)
  await b?.next()
  void b?.next()
  await second
  assert.equal(asked, 1)
})

test('a reader that leaves, or never begins, keeps nobody waiting', async () => {
  const [stays, early, never] = fanOut(bodyOf('a', 'b', 'c'), 3)
  never?.leave()
  const left = (async () => {
    for await (const _ of early?.body ?? []) break
  })()
  assert.equal(Buffer.from(await collect(stays?.body ?? bodyOf())).toString(), 'abc')
  await left
})

test('the source is closed when the last reader has left', async () => {
  let closed = false
  async function* source() {
    try {
      yield Buffer.from('x')
      yield Buffer.from('y')
    } finally {
      closed = true
    }
  }
  const [one, other] = fanOut(source(), 2)
  other?.leave()
  for await (const _ of one?.body ?? []) break
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(closed)
})

test('a source that fails fails for every reader', async () => {
  async function* broken() {
    yield Buffer.from('x')
    throw new Error('gone')
  }
  const results = await Promise.allSettled(fanOut(broken(), 2).map(({ body }) => collect(body)))
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'rejected'],
  )
})
