import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultsOf } from '../schema/option.ts'
import { testContext } from '../core/testing.ts'
import { bytesAt, listed, putText, rejectsWith } from '../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../test/conformance/remote.ts'
import { rooted } from '../../test/conformance/rooted.ts'
import { combine, combineBackend } from './combine.ts'
import { memoryBackend, memoryOptions } from './memory/index.ts'

const ctx = testContext()

/** A combination of memory remotes; each spec is the name of one. */
function combined(upstreams: string[], root = '') {
  const memory = memoryBackend()
  const openRemote = async (name: string) =>
    await memory.open(ctx, { name, root: '', config: defaultsOf(memoryOptions), openRemote })
  return combineBackend.open(ctx, { name: 'all', root, config: { upstreams }, openRemote })
}

remoteBehaviour('combine', {
  open: async () => ({ ctx, remote: rooted(await combined(['one=/one', 'two=/two']), 'one'), close: async () => {} }),
})

test('the root shows its upstreams and nothing can be put there', async () => {
  const remote = await combined(['one=/one', 'two words=/two'])
  assert.deepEqual([...(await listed(ctx, remote, '')).keys()], ['one', 'two words'])
  assert.equal((await remote.stat(ctx, 'one'))?.kind, 'directory')
  assert.equal(await remote.stat(ctx, 'three'), undefined)
  await rejectsWith(putText(ctx, remote, 'file', 'x'), 'denied')
  await rejectsWith(remote.rmdir(ctx, 'one'), 'denied')
  await rejectsWith(listed(ctx, remote, 'three'), 'not-found')
})

test('a file moves and is copied from one upstream to another', async () => {
  const remote = await combined(['one=/one', 'two=/two'])
  const file = await putText(ctx, remote, 'one/a.txt', 'across', { modTime: 5_000_000_000n })
  assert.equal((await remote.copy?.(ctx, file, 'two/copied.txt'))?.modTime, 5_000_000_000n)
  await remote.move?.(ctx, file, 'two/moved.txt')
  assert.equal((await bytesAt(ctx, remote, 'two/copied.txt')).toString(), 'across')
  assert.equal((await bytesAt(ctx, remote, 'two/moved.txt')).toString(), 'across')
  assert.equal(await remote.stat(ctx, 'one/a.txt'), undefined)
})

test('usage is that of all upstreams, and what is in no upstream is not there', async () => {
  const about = async () => ({ total: 3, used: 1, free: 2 })
  const one = Object.assign(await combined(['one=/one', 'two=/two'], 'one'), { about })
  const remote = combine(
    new Map([
      ['one', one],
      ['two', one],
    ]),
    'c',
  )
  assert.deepEqual(await remote.about?.(ctx), { total: 6, used: 2, free: 4 })
  assert.ok(!remote.poll, 'none of them tells of changes')
  await rejectsWith(remote.rmdir(ctx, 'none/a'), 'not-found')
  await rejectsWith(remote.rmdir(ctx, 'one'), 'denied')
})

test('an unchanged file is peeked as the same object', async () => {
  const remote = await combined(['one=/one'])
  await putText(ctx, remote, 'one/a.txt', 'x')
  assert.ok(remote.peek?.('one/a.txt'))
  assert.equal(remote.peek?.('one/a.txt'), remote.peek?.('one/a.txt'))
  assert.equal(remote.peek?.('one'), undefined)
})

test('upstreams that make no sense are refused', async () => {
  for (const upstreams of [[], ['one'], ['=x:'], ['a/b=x:'], ['..=x:'], ['one=x:', 'one=y:'], ['one=']])
    await rejectsWith(combined(upstreams), 'invalid')
  await rejectsWith(combined(['one=/one'], 'two'), 'not-found')
})
