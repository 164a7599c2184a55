import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf, collect } from '../base/body.ts'
import { AppError, toAppError } from '../base/error.ts'
import { memoryBackend, memoryOptions } from '../backends/memory/index.ts'
import type { Filter, FilterFacts } from '../core/filter.ts'
import { testContext } from '../core/testing.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { defaultsOf } from '../schema/option.ts'
import { noise } from '../../test/conformance/fixture.ts'
import { bytesAt, fileAt, hanging, listed, putText, rejectsWith } from '../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../test/conformance/remote.ts'
import { chaos } from './chaos.ts'
import { extend } from './extend.ts'
import { filtered } from './filtered.ts'
import { limited } from './limit.ts'
import { logged } from './logged.ts'
import { only } from './only.ts'
import { paced } from './pacer.ts'
import { readonly } from './readonly.ts'
import { retrying } from './retry.ts'

const ctx = testContext()
const policy = { tries: 10, first: 0, longest: 0, random: () => 0 }
const openRemote = () => Promise.reject(new Error('opens no other remote'))

async function memory(): Promise<Remote> {
  return await memoryBackend().open(ctx, { name: 'm', root: '', config: defaultsOf(memoryOptions), openRemote })
}

for (const seed of [1, 2])
  remoteBehaviour(`memory that fails now and then, with retries (seed ${seed})`, {
    async open() {
      const layers = [
        filtered(ctx.filter),
        limited({ calls: 4, perSecond: 0, burst: 1 }),
        retrying(policy),
        logged(),
        chaos({ seed, percent: 20 }),
      ]
      const remote = layers.reduceRight((inner, layer) => layer(inner), await memory())
      return { ctx, remote, close: async () => {} }
    },
  })

test('a read that breaks goes on at its offset, within its range', async () => {
  const inner = await memory()
  const bytes = noise(2_000_000, 'resume')
  await inner.put(ctx, 'f', bodyOf(bytes), {})
  const starts: number[] = []
  const counting = extend(inner, {
    open: (ctx, file, range) => {
      starts.push(range?.start ?? 0)
      return inner.open(ctx, file, range)
    },
  })
  const remote = retrying(policy)(chaos({ seed: 7, percent: 30 })(counting))
  const file = await fileAt(ctx, inner, 'f')
  const got = await collect(await remote.open(ctx, file, { start: 1000, end: 1_999_000 }))
  assert.ok(Buffer.from(got).equals(bytes.subarray(1000, 1_999_000)))
  assert.ok(starts.length > 2 && starts.every((start, i) => i === 0 || start >= (starts[i - 1] ?? 0)))
})

test('retries end after the tries of the policy, and at once for what they cannot help', async () => {
  const inner = await memory()
  let calls = 0
  const failing = (error: AppError) =>
    retrying({ ...policy, tries: 4 })(
      extend(inner, {
        async stat() {
          calls++
          throw error
        },
        list() {
          calls++
          throw error
        },
      }),
    )
  const tries = async (error: AppError, work: (remote: Remote) => Promise<unknown>) => {
    calls = 0
    await assert.rejects(work(failing(error)), error)
    return calls
  }
  const passing = new AppError('io', 'passes', { retry: 'now' })
  assert.equal(await tries(passing, (remote) => remote.stat(ctx, 'x')), 4)
  assert.equal(await tries(passing, (remote) => listed(ctx, remote, '')), 4)
  assert.equal(await tries(new AppError('denied', 'stays'), (remote) => remote.stat(ctx, 'x')), 1)
  const stopped = ctx.with({ signal: AbortSignal.abort() })
  assert.equal(await tries(passing, (remote) => remote.stat(stopped, 'x')), 1)
})

test('a retry waits as long as the storage asks, and an abort ends the wait', async () => {
  const inner = await memory()
  const busy = new AppError('rate-limited', 'later', { retry: { afterMs: 60_000 } })
  const remote = retrying(policy)(extend(inner, { stat: () => Promise.reject(busy) }))
  const stop = new AbortController()
  const waiting = remote.stat(ctx.with({ signal: stop.signal }), 'x')
  setImmediate(() => stop.abort())
  await rejectsWith(waiting, 'aborted')
})

test('no more calls than allowed run at once, and those who leave the line free their place', async () => {
  let running = 0
  let most = 0
  const inner = await memory()
  const remote = limited({ calls: 2, perSecond: 0, burst: 1 })(
    extend(inner, {
      async stat() {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        return undefined
      },
    }),
  )
  const stop = new AbortController()
  const leaving = Array.from({ length: 5 }, () => remote.stat(ctx.with({ signal: stop.signal }), 'x'))
  const staying = Array.from({ length: 5 }, () => remote.stat(ctx, 'x'))
  stop.abort()
  const left = await Promise.allSettled(leaving)
  assert.ok(left.filter(({ status }) => status === 'rejected').length >= 3)
  await Promise.all(staying)
  assert.equal(most, 2)
})

test('a read-only remote gives what is there and takes nothing', async () => {
  const inner = await memory()
  const file = await putText(ctx, inner, 'f', 'x')
  const remote = readonly(Object.assign(inner, { setTier: async () => {} }))
  assert.equal((await bytesAt(ctx, remote, 'f')).toString(), 'x')
  for (const work of [
    putText(ctx, remote, 'g', 'x'),
    remote.remove(ctx, file),
    remote.mkdir(ctx, 'd'),
    remote.move?.(ctx, file, 'g'),
    remote.purge?.(ctx, ''),
    remote.setTier?.(ctx, file, 'COLD'),
  ])
    await rejectsWith(Promise.resolve(work), 'denied')
})

test('of a remote that shows one file nothing else is found', async () => {
  const inner = await memory()
  await putText(ctx, inner, 'f', 'x')
  await putText(ctx, inner, 'g/h', 'x')
  const remote = only('f')(inner)
  assert.deepEqual([...(await listed(ctx, remote, '')).keys()], ['f'])
  assert.ok(remote.peek?.('f'))
  assert.equal(remote.peek?.('g/h'), undefined)
  assert.equal(await remote.stat(ctx, 'g/h'), undefined)
  await rejectsWith(listed(ctx, remote, 'g'), 'not-found')
})

const hiding: Filter = {
  empty: false,
  markers: [],
  includes: (path, file) => !path.endsWith('.secret') && (file?.size ?? 0) < 100,
  includesDirectory: (path) => path !== 'hidden',
}

test('a filter by age judges files by their own times, which listings may lack', async () => {
  const inner = await memory()
  for (const [path, modTime] of [
    ['old', 1n],
    ['new', 5n],
  ] as const)
    await putText(ctx, inner, path, 'x', { modTime })
  const late = extend(inner, {
    async *list(ctx, dir) {
      for await (const entry of inner.list(ctx, dir))
        yield entry.kind === 'file' ? { ...entry, modTime: 9n, timeOfUpload: true } : entry
    },
  })
  const young = { ...hiding, times: true, includes: (_path: string, file?: FilterFacts) => (file?.modTime ?? 0n) > 3n }
  const shown = await listed(ctx.with({ filter: young }), filtered(young)(late), '')
  assert.deepEqual(
    [...shown.values()].map(({ path, modTime }) => [path, modTime]),
    [['new', 5n]],
  )
})

test('what the filter excludes is not listed, not found, not peeked', async () => {
  const inner = await memory()
  for (const path of ['a.txt', 'b.secret', 'hidden/a.txt', 'dir/a.txt', 'dir/b.secret'])
    await putText(ctx, inner, path, 'x')
  await putText(ctx, inner, 'large', 'x'.repeat(200))
  const own = ctx.with({ filter: hiding })
  const remote = filtered(hiding)(inner)
  assert.deepEqual([...(await listed(own, remote, '')).keys()].sort(), ['a.txt', 'dir'])
  assert.deepEqual([...(await listed(own, remote, 'dir')).keys()], ['dir/a.txt'])
  await rejectsWith(listed(own, remote, 'hidden'), 'not-found')
  for (const path of ['b.secret', 'hidden', 'hidden/a.txt', 'dir/b.secret', 'large']) {
    assert.equal(await remote.stat(own, path), undefined, path)
    assert.equal(remote.peek?.(path), undefined, path)
  }
  assert.equal(remote.peek?.('dir/a.txt'), inner.peek?.('dir/a.txt'))
})

test('a directory with a marker file is hidden with all below it', async () => {
  const inner = await memory()
  for (const path of ['a/f', 'b/.ignore', 'b/f', 'b/c/f']) await putText(ctx, inner, path, 'x')
  const marking: Filter = { ...hiding, includes: () => true, includesDirectory: () => true, markers: ['.ignore'] }
  const own = ctx.with({ filter: marking })
  const remote = filtered(marking)(inner)
  assert.deepEqual([...(await listed(own, remote, '')).keys()], ['a'])
  for (const path of ['b', 'b/f', 'b/.ignore', 'b/c', 'b/c/f'])
    assert.equal(await remote.stat(own, path), undefined, path)
  for (const path of ['b', 'b/c']) await rejectsWith(listed(own, remote, path), 'not-found')
  assert.equal((await remote.stat(own, 'a/f'))?.kind, 'file')
})

test('layers keep what they do not touch, and a body that is never read holds nothing', async () => {
  const inner = await memory()
  const file: FileEntry = await putText(ctx, inner, 'f', 'x')
  let closed = 0
  const held = extend(inner, {
    open: async () => ({
      [Symbol.asyncIterator]: () => ({
        next: () => hanging('x').next(),
        async return() {
          closed++
          return { done: true as const, value: undefined }
        },
      }),
    }),
  })
  const remote = retrying(policy)(chaos({ seed: 1, percent: 0 })(held))
  const body = await remote.open(ctx, file)
  await body[Symbol.asyncIterator]().return?.()
  assert.equal(closed, 1)
  assert.equal(remote.info, inner.info)
  assert.equal(toAppError(new Error('x')).code, 'io')
})

test('a storage that is asked too often is asked less often, by all, until it answers again', async () => {
  const begun: number[] = []
  let refusals = 2
  const busy = extend(await memory(), {
    async stat() {
      begun.push(performance.now())
      if (refusals-- > 0) throw new AppError('rate-limited', 'slow down', { retry: { afterMs: 60 } })
      return await Promise.resolve(undefined)
    },
  })
  const remote = paced({ first: 20, longest: 80, now: () => performance.now() })(busy)
  await assert.rejects(remote.stat(ctx, 'a'), { code: 'rate-limited' })
  await assert.rejects(remote.stat(ctx, 'b'), { code: 'rate-limited' })
  await Promise.all(['c', 'd', 'e', 'f', 'g'].map((path) => remote.stat(ctx, path)))
  // A busy machine may be late, never early but for the rounding of timers: the second waits for as long as the storage said, those behind it in turn.
  const [first = 0, second = 0, ...others] = begun
  assert.ok(second - first >= 57, `${second - first} ms`)
  for (const [i, at] of others.entries())
    assert.ok(at - second >= 57 + 40 * i, `call ${i} began after ${at - second} ms`)
  begun.length = 0
  await remote.stat(ctx, 'h')
  await remote.stat(ctx, 'i')
  assert.equal(begun.length, 2)
})

test('whoever leaves does not wait for a storage that is asked too often', async () => {
  const busy = extend(await memory(), {
    stat: () => Promise.reject(new AppError('rate-limited', 'slow down', { retry: { afterMs: 60_000 } })),
  })
  const remote = paced({ first: 20, longest: 80, now: () => performance.now() })(busy)
  await assert.rejects(remote.stat(ctx, 'a'), { code: 'rate-limited' })
  const signal = AbortSignal.timeout(5)
  await assert.rejects(remote.stat(ctx.with({ signal }), 'a'), { code: 'aborted' })
})
