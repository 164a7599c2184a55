import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { files, rcd, type Rcd, scratch } from '../program.ts'

function treeOf(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()
}

async function ended(server: Rcd, jobid: unknown): Promise<Record<string, unknown>> {
  for (;;) {
    const { body } = await server.call('job/status', { jobid })
    if (body.finished) return body
  }
}

test('copy, sync and move do as the commands of that name, by the options and filters of the call', async (t) => {
  const dir = scratch(t)
  const [src, dst] = [join(dir, 'src'), join(dir, 'dst')]
  files(dir, { 'src/a': 'a', 'src/d/b': 'b', 'src/e/': '', 'dst/old': 'old' })
  const server = await rcd(t)
  const call = (method: string, more: object = {}) => server.call(`sync/${method}`, { srcFs: src, dstFs: dst, ...more })
  assert.deepEqual((await call('copy', { _config: { DryRun: true } })).body, {})
  assert.deepEqual(readdirSync(dst), ['old'])
  assert.deepEqual((await call('copy', { _filter: { ExcludeRule: ['d/**'] } })).body, {})
  assert.deepEqual(readdirSync(dst).sort(), ['a', 'old'])
  assert.deepEqual((await call('sync', { createEmptySrcDirs: true })).body, {})
  assert.deepEqual(treeOf(dst), ['a', 'd', 'd/b', 'e'])
  writeFileSync(join(src, 'a'), 'changed')
  assert.deepEqual((await call('sync', { _config: { BackupDir: join(dir, 'kept') } })).body, {})
  assert.equal(readFileSync(join(dir, 'kept/a'), 'utf8'), 'a')
  rmSync(dst, { recursive: true })
  files(dir, { 'dst/x': '' })
  assert.deepEqual((await call('move', { deleteEmptySrcDirs: true })).body, {})
  assert.deepEqual(readdirSync(src), [])
  assert.deepEqual(treeOf(dst), ['a', 'd', 'd/b', 'x'])
})

test('remotes may be objects of settings', async (t) => {
  const dir = scratch(t)
  files(dir, { 'src/a': 'a' })
  const server = await rcd(t)
  const srcFs = { type: 'local', _root: join(dir, 'src') }
  const dstFs = { type: 'memory', _root: 'b' }
  assert.deepEqual((await server.call('sync/copy', { srcFs, dstFs })).body, {})
  const { body } = await server.call('operations/stat', { fs: dstFs, remote: 'a' })
  assert.partialDeepStrictEqual(body, { item: { Name: 'a', Size: 1 } })
  const wrong = await server.call('sync/copy', { srcFs: { x: 'y' }, dstFs })
  assert.deepEqual([wrong.status, wrong.body.error], [500, `couldn't find "type" or "_name" in JSON config definition`])
})

test('a job that runs tells what it copies from where to where, and job/stop ends it', async (t) => {
  const dir = scratch(t)
  files(dir, { 'src/big': new Uint8Array(4_000_000) })
  const server = await rcd(t, ['--rc-no-auth', '--bwlimit', '1M'])
  const ends = { srcFs: join(dir, 'src'), dstFs: join(dir, 'dst') }
  const { jobid } = (await server.call('sync/copy', { ...ends, _async: true })).body
  let items: object[] = []
  while (items.length === 0) {
    const { transferring } = (await server.call('core/stats', { group: `job/${String(jobid)}` })).body
    items = (transferring as object[] | undefined) ?? []
  }
  assert.partialDeepStrictEqual(items, [{ name: 'big', size: 4_000_000, ...ends, srcRemote: 'big', dstRemote: 'big' }])
  await server.call('job/stop', { jobid })
  assert.partialDeepStrictEqual(await ended(server, jobid), { success: false, error: 'context canceled' })
  assert.equal(existsSync(join(dir, 'dst/big')), false)
})

test('what fails is tried again as often as the call says', async (t) => {
  const dir = scratch(t)
  files(dir, { 'src/taken': 'x', 'src/free': 'y', 'dst/taken/by a folder': '' })
  const server = await rcd(t)
  const call = { srcFs: join(dir, 'src'), dstFs: join(dir, 'dst') }
  const { status, body } = await server.call('sync/copy', { ...call, _config: { Retries: 2 } })
  assert.deepEqual([status, body.error], [500, "can't overwrite directory with file"])
  await server.logged(/Attempt 2\/2 failed/)
  assert.ok(existsSync(join(dir, 'dst/free')))
  await server.call('sync/copy', call)
  await server.logged(/Attempt 3\/3 failed/)
})

test('a source that is not there is 404', async (t) => {
  const dir = scratch(t)
  const server = await rcd(t)
  const { status, body } = await server.call('sync/copy', { srcFs: join(dir, 'none'), dstFs: join(dir, 'dst') })
  assert.deepEqual([status, body.error], [404, 'directory not found'])
})

test('bisync says when it comes and what does instead', async (t) => {
  const server = await rcd(t)
  const { status, body } = await server.call('sync/bisync', { path1: '/a', path2: '/b' })
  assert.equal(status, 500)
  assert.match(String(body.error), /later release.*sync\/copy.*UpdateOlder/)
  assert.equal((await server.call('sync/bisync', { path1: '/a' })).body.error, `Didn't find key "path2" in input`)
})
