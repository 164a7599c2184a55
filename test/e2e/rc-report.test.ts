import assert from 'node:assert/strict'
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { files, rcd, type Rcd, scratch, touch } from '../program.ts'

async function ended(server: Rcd, jobid: unknown): Promise<Record<string, unknown>> {
  for (;;) {
    const { body } = await server.call('job/status', { jobid })
    if (body.finished) return body
  }
}

interface Report {
  readonly counts: Record<string, { files: number; bytes: number }>
  readonly files: { path: string; what: string; error?: string }[]
}

async function report(server: Rcd, input: object): Promise<Report> {
  return (await server.call('job/report', input)).body as unknown as Report
}

const lines = ({ files }: Report) => files.map(({ path, what }) => `${what} ${path}`).sort()

/** A source and a destination that has something of each kind; `taken` can't be copied. */
function plant(dir: string): { srcFs: string; dstFs: string } {
  files(dir, {
    'src/new': 'new',
    'src/changed': 'more',
    'src/same': 'same',
    'src/taken': 'x',
    'src/sub/deep': 'deep',
    'dst/changed': 'old',
    'dst/same': 'same',
    'dst/taken/by a folder': '',
    'dst/extra': 'extra',
  })
  for (const path of ['src/same', 'dst/same']) touch(join(dir, path), '2020-01-01T00:00:00Z')
  return { srcFs: join(dir, 'src'), dstFs: join(dir, 'dst') }
}

test('a job tells what became of each file, and job/retry does what failed again, and nothing else', async (t) => {
  const dir = scratch(t)
  const ends = plant(dir)
  const server = await rcd(t)
  const { jobid } = (await server.call('sync/sync', { ...ends, _async: true })).body
  assert.equal((await ended(server, jobid)).success, false)
  const first = await report(server, { jobid })
  assert.deepEqual(lines(first), [
    'changed changed',
    'failed extra',
    'failed taken',
    'failed taken/by a folder',
    'matched same',
    'new new',
    'new sub/deep',
  ])
  assert.deepEqual(first.counts.new, { files: 2, bytes: 7 })
  const failed = await report(server, { jobid, what: 'failed' })
  assert.deepEqual(
    failed.files.map(({ error }) => error),
    [
      "can't overwrite directory with file",
      'not deleting files as there were IO errors',
      'not deleting files as there were IO errors',
    ],
  )

  rmSync(join(dir, 'dst/taken'), { recursive: true })
  // It is not among those that failed, so that it shows whether all is done again.
  writeFileSync(join(dir, 'src/later'), 'later')
  const again = (await server.call('job/retry', { jobid })).body
  assert.equal(again.files, 3)
  assert.equal((await ended(server, again.jobid)).success, true)
  assert.deepEqual(readdirSync(join(dir, 'dst')).sort(), ['changed', 'new', 'same', 'sub', 'taken'])
  assert.deepEqual(lines(await report(server, { jobid: again.jobid })), ['deleted extra', 'new taken'])
  const none = await server.call('job/retry', { jobid: again.jobid })
  assert.equal(none.body.error, `nothing of job ${String(again.jobid)} failed`)
})

test('job/retry never narrows what deletes by what the filter hides', async (t) => {
  const dir = scratch(t)
  const ends = plant(dir)
  const server = await rcd(t)
  const call = { ...ends, _filter: { ExcludeRule: ['hidden'], DeleteExcluded: true }, _async: true }
  const { jobid } = (await server.call('sync/sync', call)).body
  await ended(server, jobid)
  rmSync(join(dir, 'dst/taken'), { recursive: true })
  const again = (await server.call('job/retry', { jobid })).body
  assert.equal((await ended(server, again.jobid)).success, true)
  assert.deepEqual(readdirSync(join(dir, 'dst')).sort(), ['changed', 'new', 'same', 'sub', 'taken'])
})

test('of a batch the calls that failed are done again', async (t) => {
  const dir = scratch(t)
  files(dir, { 'src/a': 'a' })
  const server = await rcd(t)
  const copy = (from: string, to: string) => ({
    _path: 'operations/copyfile',
    srcFs: join(dir, 'src'),
    srcRemote: from,
    dstFs: join(dir, 'dst'),
    dstRemote: to,
  })
  const { jobid } = (await server.call('job/batch', { inputs: [copy('a', '1'), copy('b', '2')], _async: true })).body
  await ended(server, jobid)
  assert.deepEqual(readdirSync(join(dir, 'dst')), ['1'])
  rmSync(join(dir, 'dst/1'))
  files(dir, { 'src/b': 'b' })
  const again = (await server.call('job/retry', { jobid })).body
  await ended(server, again.jobid)
  assert.deepEqual(readdirSync(join(dir, 'dst')), ['2'])
})

test('checks, deletions and single files have reports too, and those of a group are one', async (t) => {
  const dir = scratch(t)
  const ends = plant(dir)
  const server = await rcd(t)
  const _group = 'mine'
  await server.call('operations/check', { ...ends, _group })
  assert.deepEqual(lines(await report(server, { group: 'mine' })), [
    'changed changed',
    'deleted extra',
    'deleted taken/by a folder',
    'matched same',
    'new new',
    'new sub/deep',
    'new taken',
  ])
  assert.ok(existsSync(join(dir, 'dst/extra')))
  await server.call('core/stats-delete', { group: 'mine' })
  await server.call('operations/delete', { fs: ends.dstFs, _filter: { IncludeRule: ['extra'] }, _group })
  const move = { srcFs: ends.srcFs, srcRemote: 'new', dstFs: ends.dstFs, dstRemote: 'there', _group }
  await server.call('operations/movefile', move)
  assert.deepEqual(lines(await report(server, { group: 'mine' })), ['deleted extra', 'new new'])
  assert.match(
    String((await server.call('job/report', { group: 'mine', what: 'blue' })).body.error),
    /use new, changed/,
  )
})

test('a job that still runs, or is not known, is not done again', async (t) => {
  const dir = scratch(t)
  files(dir, { 'src/big': new Uint8Array(4_000_000) })
  const server = await rcd(t, ['--rc-no-auth', '--bwlimit', '1M'])
  const call = { srcFs: join(dir, 'src'), dstFs: join(dir, 'dst'), _async: true }
  const { jobid } = (await server.call('sync/copy', call)).body
  assert.match(String((await server.call('job/retry', { jobid })).body.error), /still runs/)
  await server.call('job/stop', { jobid })
  await ended(server, jobid)
  await server.call('core/bwlimit', { rate: 'off' })
  const again = (await server.call('job/retry', { jobid })).body
  assert.equal((await ended(server, again.jobid)).success, true)
  assert.ok(existsSync(join(dir, 'dst/big')))
  assert.equal((await server.call('job/retry', { jobid: 999 })).body.error, 'job not found')
})
