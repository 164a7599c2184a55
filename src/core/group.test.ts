import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf, collect, FileSlice } from '../base/body.ts'
import { Groups } from './groups.ts'
import { report } from './report.ts'

type Stats = Record<string, unknown>

function clocked() {
  let now = 1_000_000
  return { host: { now: () => now }, pass: (ms: number) => (now += ms) }
}

test('a transfer counts its bytes in its group and in the sum', async () => {
  const { host, pass } = clocked()
  const groups = new Groups(host)
  const transfer = groups.get('job/1').transfer('a.txt', 10)
  pass(2000)
  await collect(transfer.account(bodyOf('hello', 'world')))
  const during = groups.snapshot() as Stats
  assert.equal(during.bytes, 10)
  assert.equal(during.speed, 5)
  assert.deepEqual((during.transferring as Stats[])[0], {
    bytes: 10,
    eta: 0,
    group: 'job/1',
    name: 'a.txt',
    percentage: 100,
    size: 10,
    speed: 5,
    speedAvg: 5,
  })
  transfer.done()
  const after = groups.get('job/1').snapshot() as Stats
  assert.equal(after.transfers, 1)
  assert.equal('transferring' in after, false)
})

test('what waits to be transferred is in the totals and in the time that is left', () => {
  const { host, pass } = clocked()
  const group = new Groups(host).get('g')
  const itsTurn = [group.queued(60), group.queued(-1)]
  group.passed(20)
  pass(2000)
  const { totalTransfers, totalBytes, eta, transfers } = group.snapshot() as Stats
  assert.deepEqual(
    { totalTransfers, totalBytes, eta, transfers },
    { totalTransfers: 2, totalBytes: 80, eta: 6, transfers: 0 },
  )
  for (const take of itsTurn) take()
  const after = group.snapshot() as Stats
  assert.deepEqual([after.totalTransfers, after.totalBytes, after.eta], [0, 20, null])
})

test('a finished transfer is remembered with its error', () => {
  const group = new Groups(clocked().host).get('g')
  group.transfer('bad', 3).done(new Error('broken'))
  group.transfer('good', 3).done()
  const list = group.transferred() as Stats[]
  assert.deepEqual(
    list.map(({ name, error }) => [name, error]),
    [
      ['bad', 'broken'],
      ['good', ''],
    ],
  )
  assert.equal((group.snapshot() as Stats).errors, 1)
  assert.equal((group.snapshot() as Stats).lastError, 'broken')
})

test('a file slice stays one when it is counted', async () => {
  const source = { read: async (into: Uint8Array) => into.fill(1).length, close: async () => {} }
  const group = new Groups().get('g')
  const transfer = group.transfer('f', 5)
  const body = transfer.account(new FileSlice(source, { start: 0, end: 5 }))
  assert.ok(body instanceof FileSlice)
  assert.equal((await collect(body)).length, 5)
  assert.equal(transfer.bytes, 5)
})

test('the oldest group is forgotten beyond the limit', () => {
  const groups = new Groups({}, 2)
  for (const name of ['a', 'b', 'c']) groups.get(name)
  assert.deepEqual(groups.names, ['b', 'c'])
})

test('the summary is the block that users of rclone know', () => {
  const snapshot = {
    bytes: 2_097_152,
    totalBytes: 4_194_304,
    speed: 1_048_576,
    eta: 2,
    errors: 1,
    transfers: 1,
    totalTransfers: 2,
    elapsedTime: 2,
    transferring: [{ name: 'f1', percentage: 50, size: 2_097_152, speedAvg: 524_288, eta: 2 }],
  }
  const settings = { oneLine: false, unit: 'bytes', nameLength: 10 } as const
  assert.deepEqual(report(snapshot, settings), [
    'Transferred:   \t        2 MiB / 4 MiB, 50%, 1 MiB/s, ETA 2s',
    'Errors:                 1 (no need to retry)',
    'Transferred:            1 / 2, 50%',
    'Elapsed time:         2.0s',
    'Transferring:',
    ' *         f1: 50% /2Mi, 512 KiB/s, 2s',
  ])
  assert.deepEqual(report(snapshot, { ...settings, oneLine: true, unit: 'bits' }), [
    '        2 MiB / 4 MiB, 50%, 8 Mibit/s, ETA 2s',
  ])
  const [waiting] = report({ ...snapshot, totalTransfers: 6 }, { ...settings, oneLine: true })
  assert.match(waiting ?? '', /ETA 2s \(xfr#1\/6\)$/)
})
