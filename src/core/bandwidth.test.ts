import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bandwidth } from './bandwidth.ts'
import { bandwidth as timetable } from './timetable.ts'

const never = () => new AbortController().signal
const off = timetable.parse('off')

test('the limit in force is that of the time of day', () => {
  const at = (clock: string) =>
    new Bandwidth(timetable.parse('08:00,512k 19:00,off'), off, () => new Date(`2026-11-20T${clock}:00`))
  assert.deepEqual(at('12:00').rates, { tx: 524_288, rx: 524_288 })
  assert.equal(at('20:00').unlimited, true)
})

test('a transfer that runs already is held to a limit that comes later', async () => {
  const bandwidth = new Bandwidth(off, off)
  const pass = bandwidth.pass('tx', never)
  assert.equal(pass.take(1e9), undefined)
  bandwidth.set(timetable.parse('100k'))
  assert.ok(pass.chunk <= 102_400)
  const begin = performance.now()
  await pass.take(30_000)
  assert.ok(performance.now() - begin > 100)
})

test('the limit can be turned off and on again', () => {
  const bandwidth = new Bandwidth(timetable.parse('1M:2M'), off)
  assert.equal(bandwidth.toggle(), false)
  assert.equal(bandwidth.unlimited, true)
  assert.equal(bandwidth.toggle(), true)
  assert.deepEqual(bandwidth.rates, { tx: 1_048_576, rx: 2_097_152 })
})

test('a limit for each file holds each alone', () => {
  const bandwidth = new Bandwidth(off, timetable.parse('1k'))
  assert.equal(bandwidth.unlimited, false)
  assert.equal(bandwidth.pass('tx', never).chunk, 1024)
})

test('waiting ends when the client leaves', async () => {
  const bandwidth = new Bandwidth(timetable.parse('1k'), off)
  const client = new AbortController()
  const waiting = bandwidth.pass('tx', () => client.signal).take(100_000)
  client.abort()
  await assert.rejects(async () => await waiting, { name: 'AbortError' })
})
