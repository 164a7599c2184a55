import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rejectsWith } from '../../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { bodyOf, collect } from '../../base/body.ts'
import { testContext } from '../../core/testing.ts'
import { extend } from '../../layers/extend.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { defaultsOf, type Values } from '../../schema/option.ts'
import { memoryBackend, memoryOptions } from '../memory/index.ts'
import { unionBackend, unionOptions } from './index.ts'
import { picked, policies } from './policy.ts'
import { Upstream } from './upstream.ts'

const ctx = testContext()

/** A union over as many memories as there are modes; `''` is one without. */
async function union(modes: readonly string[], settings: Partial<Values<typeof unionOptions>> = {}) {
  const memory = memoryBackend()
  const below = await Promise.all(modes.map((_, i) => memory.open(ctx, args(`m${i}`))))
  const upstreams = modes.map((mode, i) => `m${i}:${mode && `:${mode}`}`)
  const remote = await unionBackend.open(ctx, {
    name: 'u',
    root: '',
    config: { ...defaultsOf(unionOptions), upstreams, ...settings },
    openRemote: async (spec) => below[Number(/\d+/.exec(spec)?.[0])] as Remote,
  })
  return { remote, below: below as [Remote, Remote, Remote] }

  function args(name: string) {
    return { name, root: name, config: defaultsOf(memoryOptions), openRemote: () => Promise.reject(new Error('no')) }
  }
}

async function put(remote: Remote, path: string, text: string): Promise<void> {
  await remote.put(ctx, path, bodyOf(text), { size: text.length })
}

async function text(remote: Remote, path: string): Promise<string | undefined> {
  const entry = await remote.stat(ctx, path)
  return entry && Buffer.from(await collect(await remote.open(ctx, entry as FileEntry))).toString()
}

for (const [name, modes, settings] of [
  ['of one', [''], {}],
  ['of two', ['', ''], {}],
  ['that writes to all', ['', '', ''], { createPolicy: 'all' }],
  ['of a read-only one and another', ['ro', ''], { createPolicy: 'ff' }],
] as const)
  remoteBehaviour(`union ${name}`, {
    async open() {
      const { remote } = await union(modes, settings)
      await remote.mkdir(ctx, '')
      return { ctx, remote, close: async () => {} }
    },
  })

test('files of all upstreams are there, and the first upstream that has one gives it', async () => {
  const { remote, below } = await union(['', 'ro'])
  await put(below[0], 'd/same', 'one')
  await put(below[1], 'd/same', 'two')
  await put(below[1], 'd/other', 'b')
  const names = (await Array.fromAsync(remote.list(ctx, 'd'))).map(({ path }) => path)
  assert.deepEqual(names.toSorted(), ['d/other', 'd/same'])
  assert.equal(await text(remote, 'd/same'), 'one')
  assert.equal(await text(remote, 'd/other'), 'b')
})

test('a change reaches every upstream that has the file, and none that is read only', async () => {
  const { remote, below } = await union(['', '', 'ro'])
  for (const one of below) await put(one, 'f', 'old')
  await put(remote, 'f', 'new')
  assert.deepEqual(await Promise.all(below.map((one) => text(one, 'f'))), ['new', 'new', 'old'])
  await remote.remove(ctx, (await remote.stat(ctx, 'f')) as FileEntry)
  assert.deepEqual(await Promise.all(below.map((one) => text(one, 'f'))), [undefined, undefined, 'old'])
  await rejectsWith(remote.remove(ctx, (await remote.stat(ctx, 'f')) as FileEntry), 'denied')
})

test('a new file goes to an upstream that takes new files, where its folder is', async () => {
  const { remote, below } = await union(['nc', '', ''])
  await below[0].mkdir(ctx, 'd')
  await below[2].mkdir(ctx, 'd')
  await put(remote, 'd/f', 'x')
  assert.deepEqual(await Promise.all(below.map((one) => text(one, 'd/f'))), [undefined, undefined, 'x'])
  await rejectsWith(put((await union(['ro', 'nc'])).remote, 'f', 'x'), 'denied')
})

test('with createPolicy all a new file is stored everywhere, from one reading of its source', async () => {
  const { remote, below } = await union(['', ''], { createPolicy: 'all' })
  await put(remote, 'a/b', 'x'.repeat(10_000))
  assert.deepEqual(
    await Promise.all(below.slice(0, 2).map((one) => text(one, 'a/b').then((t) => t?.length))),
    [10_000, 10_000],
  )
})

test('when one of the upstreams fails to store a file, that is an error, and the others are not kept waiting', async () => {
  const { below } = await union(['', ''])
  const full = extend(below[0], { put: () => Promise.reject(new Error('full')) })
  const remote = await unionBackend.open(ctx, {
    name: 'u',
    root: '',
    config: { ...defaultsOf(unionOptions), upstreams: ['a', 'b'], createPolicy: 'all' },
    openRemote: async (spec) => (spec === 'a' ? full : below[1]),
  })
  await assert.rejects(put(remote, 'f', 'x'), /full/)
  assert.equal(await text(below[1], 'f'), 'x')
})

test('an upstream that fails makes the listing fail: its files would seem to be gone', async () => {
  const { below } = await union(['', ''])
  const down = extend(below[0], {
    // oxlint-disable-next-line require-yield -- fails before its first entry
    async *list() {
      throw new Error('down')
    },
  })
  const remote = await unionBackend.open(ctx, {
    name: 'u',
    root: '',
    config: { ...defaultsOf(unionOptions), upstreams: ['a', 'b'] },
    openRemote: async (spec) => (spec === 'a' ? down : below[1]),
  })
  await put(below[1], 'f', 'x')
  await assert.rejects(Array.fromAsync(remote.list(ctx, '')), /down/)
})

test('what is read elsewhere is copied to a writeback upstream', async () => {
  const { remote, below } = await union(['', 'writeback'])
  await put(below[0], 'f', 'x')
  assert.equal(await text(remote, 'f'), 'x')
  assert.equal(await text(below[1], 'f'), 'x')
})

test('policies pick by space, use, count and time', async () => {
  const sizes = [
    { free: 10, used: 5, objects: 3 },
    { free: 30, used: 1, objects: 9 },
    { free: 2, used: 7, objects: 1 },
  ]
  const candidates = sizes.map((usage, i) => {
    const remote = { about: async () => usage } as unknown as Remote
    const entry = { kind: 'file', path: 'f', size: 1, modTime: BigInt(i === 0 ? 9 : i) } as const
    return { upstream: new Upstream(remote, undefined, { cacheMs: 1000, minFreeSpace: 5 }), entry }
  })
  const chosen: Record<string, number[]> = {}
  for (const policy of policies) {
    const found = await picked(ctx, policy, candidates, () => 0.5)
    chosen[policy] = found.map((one) => candidates.indexOf(one))
  }
  const one = { ff: [0], lfs: [0], lus: [1], lno: [2], mfs: [1], rand: [1], all: [0, 1, 2] }
  const ep = Object.fromEntries(Object.entries(one).map(([name, value]) => [`ep${name}`, value]))
  assert.deepEqual(chosen, { ...one, ...ep, newest: [0] })
})

test('a union of nothing is refused', async () => {
  await rejectsWith(union([]), 'invalid')
})
