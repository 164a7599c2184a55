import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Expected } from './expected.ts'
import { Holds } from './holds.ts'
import { parseManifest } from './manifest.ts'

function holds(most = 60_000) {
  const state = { expected: true, there: false, looks: 0, onLook: () => {} }
  const one = new Holds({
    most,
    expects: () => (state.expected ? Infinity : undefined),
    known: () => false,
    exists: () => {
      state.looks++
      const { there } = state
      state.onLook()
      return Promise.resolve(there)
    },
  })
  return { one, state }
}
const never = new AbortController().signal

test('all who wait for one file are let go together, and those who leave are forgotten', async () => {
  const { one, state } = holds()
  const leaving = new AbortController()
  const left = assert.rejects(one.wait('a', leaving.signal), { code: 'aborted' })
  const waiting = Array.from({ length: 100 }, () => one.wait('a', never))
  await new Promise((resolve) => setImmediate(resolve))
  leaving.abort()
  await left
  state.there = true
  one.notify('a')
  assert.deepEqual(new Set(await Promise.all(waiting)), new Set([true]))
})

test('a change that comes while it is looked for the file is not missed', async () => {
  const { one, state } = holds()
  state.onLook = () => {
    if (state.looks !== 1) return
    state.there = true
    one.notify('a')
  }
  assert.equal(await one.wait('a', never), false)
})

test('nobody waits for what is not expected, or is not expected any more, or longer than allowed', async () => {
  const { one, state } = holds()
  const waiting = one.wait('a', never)
  await new Promise((resolve) => setImmediate(resolve))
  state.expected = false
  one.notifyAll()
  assert.equal(await waiting, true)
  assert.equal(await one.wait('a', never), false)
  const short = holds(20)
  assert.equal(await short.one.wait('a', never), true)
  assert.equal(await holds(0).one.wait('a', never), false)
})

test('a DASH segment is expected at its time, before any has come', () => {
  const clock = { now: Date.parse('2026-01-01T00:01:00Z') }
  const expected = new Expected(() => clock.now)
  const manifest = parseManifest(
    'a.mpd',
    `<MPD type="dynamic" availabilityStartTime="2026-01-01T00:00:00Z"><Period start="PT0S"><AdaptationSet><Representation id="1">
     <SegmentTemplate timescale="1" duration="2" startNumber="1" availabilityTimeOffset="1.8" media="s$Number$.m4s"/></Representation></AdaptationSet></Period></MPD>`,
  )
  assert.ok(manifest)
  expected.manifest('a.mpd', manifest)
  // A minute after the start segment 30 has just ended, and 31 is on its way.
  const now = (number: number) => expected.expects(`s${number}.m4s`)
  assert.deepEqual([now(31), now(33), now(40), now(20), now(0)], [2000, 2000, undefined, undefined, undefined])
  expected.begun('s31.m4s')
  assert.deepEqual([now(31), now(32), now(33)], [undefined, 2000, undefined])
  expected.removed('s32.m4s')
  assert.equal(now(32), undefined)
  expected.begun('s32.m4s')
  assert.equal(now(33), 2000)
})

test('a sequence goes on for some time, and what is no media must have been seen to count', () => {
  const clock = { now: 0 }
  const expected = new Expected(() => clock.now)
  expected.begun('v7.ts')
  assert.equal(expected.expects('v8.ts'), Infinity)
  clock.now = 2000
  expected.begun('v8.ts')
  assert.deepEqual([expected.expects('v9.ts'), expected.expects('v10.ts')], [2000, undefined])
  clock.now = 2010
  expected.begun('v9.ts')
  expected.begun('w1.ts')
  clock.now++
  expected.begun('w2.ts')
  // What was held up on its way comes all at once: the next one takes its time.
  assert.deepEqual(
    ['v10.ts', 'w3.ts', 'w03.ts'].map((name) => expected.expects(name)),
    [2000, 1000, undefined],
  )
  clock.now = 42_000
  assert.equal(expected.expects('v10.ts'), undefined)
  for (const name of ['x1.txt', 'x2.txt']) expected.begun(name)
  assert.equal(expected.expects('x3.txt'), Infinity)
  expected.begun('y1.txt')
  assert.equal(expected.expects('y2.txt'), undefined)
})
