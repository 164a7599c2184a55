import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Piece } from '../http/pushed.ts'
import { defaultsOf } from '../schema/option.ts'
import { Channel } from './channel.ts'
import { Delays } from './delays.ts'
import type { Listener } from './listener.ts'
import { parseMount } from './mount.ts'
import { liveOptions, mountDefaults } from './options.ts'

const defaults = mountDefaults(defaultsOf(liveOptions))

function channelOf(text: string): Channel {
  let id = 0
  const channel: Channel = new Channel({
    mount: parseMount(text, defaults),
    find: () => undefined,
    isFallback: () => false,
    changed: () => channel.settle(),
    passed: () => {},
    happened: () => {},
    delays: new Delays(),
    nextId: () => ++id,
    now: () => 0,
  })
  return channel
}

/** A stream that the test writes to. */
function publisher(channel: Channel) {
  let push: (chunk: string | undefined) => void = () => {}
  async function* body() {
    for (;;) {
      const chunk = await new Promise<string | undefined>((resolve) => (push = resolve))
      if (chunk === undefined) return
      yield Buffer.from(chunk)
    }
  }
  const incoming = { type: 'text/plain', station: {}, address: '', agent: '', body: body() }
  const over = channel.publish({ ...incoming, signal: new AbortController().signal })
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    async write(chunk: string) {
      await turn()
      push(chunk)
      await turn()
    },
    async end() {
      await turn()
      push(undefined)
      await over
    },
  }
}

function hear(listener: Listener) {
  const pieces: Piece[] = []
  const heard = { pieces, text: () => pieces.map(({ bytes }) => Buffer.from(bytes).toString()).join(''), ended: false }
  listener.attach({ offer: (piece) => pieces.push(piece) > 0, end: () => (heard.ended = true) })
  return heard
}

const who = { address: '', agent: '', user: undefined, wantsTitles: false }

test('few listeners get each chunk as it comes, and share its bytes; for many, chunks are gathered', async () => {
  for (const [count, gathers] of [
    [3, false],
    [1500, true],
  ] as const) {
    const channel = channelOf('/a.txt')
    const source = publisher(channel)
    await source.write('first.')
    const all = Array.from({ length: count }, () => hear(channel.join(who, 'text/plain')))
    for (let i = 0; i < 5; i++) await source.write(`${i}.`)
    await source.end()
    const [one, other] = [all[0], all.at(-1)]
    assert.deepEqual([one?.text(), other?.text(), one?.ended], ['first.0.1.2.3.4.', 'first.0.1.2.3.4.', true])
    assert.equal(one?.pieces[1], other?.pieces[1])
    assert.equal(one?.pieces.length === 6, !gathers)
  }
})

test('a source without a listener is not kept waiting, unless its mount holds', async () => {
  const free = channelOf('/a.txt')
  const source = publisher(free)
  await source.write('lost')
  assert.equal(free.counts.received, 4)
  await source.end()
  const held = channelOf('/a.txt,hold')
  const waiting = publisher(held)
  await waiting.write('kept')
  assert.equal(held.counts.received, 0)
  const listener = hear(held.join(who, undefined))
  await waiting.write('kept')
  await waiting.end()
  assert.equal(listener.text(), 'kept')
  assert.equal(listener.ended, true)
})
