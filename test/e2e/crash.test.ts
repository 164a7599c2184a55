import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { rcd, scratch, sluice } from '../program.ts'

const program = join(import.meta.dirname, '..', '..', 'bin', 'sluice.js')
const ROUNDS = 50
/** As many rounds as fit in this time, ms; never fewer than the least. */
const TIME = 30_000
const LEAST = 10

/** A generator of numbers below `n` that gives the same ones each time. */
function dice(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

/** Path → checksum of all files of a tree, but for those that are hidden because they are not whole. */
function snapshot(dir: string): Map<string, string> {
  const paths = existsSync(dir) ? readdirSync(dir, { recursive: true, encoding: 'utf8' }) : []
  const all = paths.filter((path) => !path.includes('.sluice-') && statSync(join(dir, path)).isFile())
  return new Map(all.sort().map((path) => [path, sumOf(readFileSync(join(dir, path)))]))
}

function sumOf(bytes: Uint8Array): string {
  return createHash('sha1').update(bytes).digest('hex')
}

test('a sync that is killed at any moment loses nothing, leaves no half file, and the next one completes', async (t) => {
  const dir = scratch(t)
  const [source, target] = [join(dir, 's'), join(dir, 'd')]
  const roll = dice(7)
  const content = (round: number, i: number) => `${round} ${i} `.repeat(1 + roll(i % 3 === 0 ? 60_000 : 200))
  let killed = 0
  const begun = performance.now()
  for (let round = 0; round < ROUNDS; round++) {
    if (round >= LEAST && performance.now() - begun > TIME) break
    // Some files are new, some changed, some gone.
    for (let i = 0; i < 24; i++) {
      const path = join(source, `dir ${i % 4}`, `file ${roll(60)}`)
      mkdirSync(join(source, `dir ${i % 4}`), { recursive: true })
      if (roll(5) === 0) rmSync(path, { force: true })
      else writeFileSync(path, content(round, i))
    }
    const [before, old] = [snapshot(source), snapshot(target)]
    const child = spawn(process.execPath, [program, 'sync', '-v', '--delete-during', source, target], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const exited = once(child, 'exit')
    const after = roll(24)
    let lines = 0
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      lines += text.split(/Copied|Deleted/).length - 1
      if (lines >= after) child.kill('SIGKILL')
    })
    if (after === 0) setTimeout(() => child.kill('SIGKILL'), 100 + roll(300)).unref()
    const [, signal] = (await exited) as [number | null, string | null]
    if (signal === 'SIGKILL') killed++
    assert.deepEqual(snapshot(source), before, 'the source is as it was')
    for (const [path, text] of snapshot(target))
      assert.ok(text === before.get(path) || text === old.get(path), `${path} is whole`)
  }
  assert.ok(killed >= LEAST / 2, `${killed} were killed`)
  assert.equal((await sluice(['sync', source, target])).code, 0)
  assert.deepEqual(snapshot(target), snapshot(source))
})

/** A small file system in memory; undefined where this user may not mount one. */
function smallDisk(t: TestContext, size: string): string | undefined {
  const place = mkdtempSync(join(tmpdir(), 'sluice-disk-'))
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'none', place], { stdio: 'ignore' })
  } catch {
    rmSync(place, { recursive: true })
    return undefined
  }
  t.after(() => {
    execFileSync('umount', ['-l', place], { stdio: 'ignore' })
    rmSync(place, { recursive: true })
  })
  return place
}

test('a full disk is told as such: what fits is there and whole, the job is remembered as failed', async (t) => {
  const disk = smallDisk(t, '600k')
  if (disk === undefined) return t.skip('needs the right to mount a tmpfs')
  const dir = scratch(t)
  const [source, target] = [join(dir, 's'), join(disk, 'd')]
  mkdirSync(source)
  for (let i = 0; i < 8; i++) writeFileSync(join(source, `f${i}`), Buffer.alloc(150_000, i))
  writeFileSync(join(disk, 'other'), 'not ours')
  const server = await rcd(t)
  const ends = { srcFs: source, dstFs: target, _config: { Retries: 1, Transfers: 2 } }
  const { jobid } = (await server.call('sync/sync', { ...ends, _async: true })).body
  let status: Record<string, unknown> = {}
  while (!status.finished) status = (await server.call('job/status', { jobid })).body
  assert.match(String(status.error), /no space left on device/i)
  const stored = snapshot(target)
  assert.ok(stored.size >= 1 && stored.size < 8)
  for (const [path, text] of stored) assert.equal(text, sumOf(readFileSync(join(source, path))))
  const { counts } = (await server.call('job/report', { jobid })).body as { counts: Record<string, { files: number }> }
  assert.equal((counts.new?.files ?? 0) + (counts.failed?.files ?? 0), 8)
  assert.equal(counts.new?.files, stored.size)
  const { jobs } = (await server.call('job/history')).body as { jobs: Record<string, unknown>[] }
  assert.partialDeepStrictEqual(jobs[0], { id: jobid, success: false, path: 'sync/sync', error: status.error })
  const cli = await sluice(['copy', '--retries', '1', source, target])
  assert.notEqual(cli.code, 0)
  assert.match(cli.stderr, /no space left on device/i)
  // With room again, what failed is done.
  execFileSync('mount', ['-o', 'remount,size=8m', disk], { stdio: 'ignore' })
  const again = (await server.call('job/retry', { jobid })).body
  status = {}
  while (!status.finished) status = (await server.call('job/status', { jobid: again.jobid })).body
  assert.equal(status.error, '')
  assert.deepEqual(snapshot(target), snapshot(source))
})

test('a file that vanishes from the source meanwhile is an error of its own, and deletes nothing', async (t) => {
  const dir = scratch(t)
  const [source, target] = [join(dir, 's'), join(dir, 'd')]
  mkdirSync(source)
  mkdirSync(target)
  writeFileSync(join(source, 'a'), Buffer.alloc(2_000_000))
  writeFileSync(join(source, 'b'), 'b')
  writeFileSync(join(source, 'c'), 'c')
  writeFileSync(join(target, 'extra'), 'extra')
  const server = await rcd(t, ['--rc-no-auth', '--bwlimit', '500k'])
  const ends = { srcFs: source, dstFs: target, _config: { Retries: 1, Transfers: 1 } }
  const { jobid } = (await server.call('sync/sync', { ...ends, _async: true })).body
  const group = `job/${String(jobid)}`
  for (let moving: unknown; !moving;) moving = (await server.call('core/stats', { group })).body.transferring
  rmSync(join(source, 'b'))
  await server.call('core/bwlimit', { rate: 'off' })
  let status: Record<string, unknown> = {}
  while (!status.finished) status = (await server.call('job/status', { jobid })).body
  assert.match(String(status.error), /b (does not exist|was removed)|not found|no such file/i)
  assert.deepEqual(readdirSync(target).sort(), ['a', 'c', 'extra'])
  const { files } = (await server.call('job/report', { jobid, what: 'failed' })).body as { files: { path: string }[] }
  assert.deepEqual(files.map(({ path }) => path).sort(), ['b', 'extra'])
})
