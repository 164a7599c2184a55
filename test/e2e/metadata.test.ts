import assert from 'node:assert/strict'
import { chmodSync, chownSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { missing } from '../peers.ts'
import { files, rcd, run, scratch, sluice } from '../program.ts'

const TIME = 1_000_000_000.25
const ACCESS = 1_100_000_000.5

/** A folder with one file, of which nothing is as it would be by itself. */
function place(t: TestContext): string {
  const dir = scratch(t)
  files(dir, { 'in/a.txt': 'hello', 'in/plain.txt': 'hello' })
  const file = join(dir, 'in/a.txt')
  chmodSync(file, 0o640)
  utimesSync(file, ACCESS, TIME)
  return dir
}

async function ok(args: readonly string[], env: Record<string, string> = {}): Promise<string> {
  const { code, stdout, stderr } = await sluice(args, { env })
  assert.equal(code, 0, stderr)
  return stdout
}

const seconds = ({ mode, atimeMs, mtimeMs }: ReturnType<typeof statSync> & object) => ({
  mode: (Number(mode) & 0o7777).toString(8),
  atime: Number(atimeMs) / 1000,
  mtime: Number(mtimeMs) / 1000,
})

test('metadata of local files is listed as rclone lists it', { skip: missing('rclone') }, async (t) => {
  const dir = place(t)
  const env = { TZ: 'Asia/Kolkata', RCLONE_CONFIG: '/nonexistent/rclone.conf' }
  for (const command of [
    ['lsjson', '-M', join(dir, 'in')],
    ['lsjson', '-M', '--stat', join(dir, 'in/a.txt')],
    ['lsf', '--format', 'pM', join(dir, 'in')],
  ]) {
    const theirs = await run('rclone', command, { env })
    assert.equal(await ok(command, env), theirs.stdout)
    assert.match(theirs.stdout, /"mode":\s*"100640"/)
  }
})

test('a copy keeps permissions and times with --metadata, and only then', async (t) => {
  const dir = place(t)
  const [from, to] = [join(dir, 'in'), join(dir, 'out')]
  await ok(['copy', from, join(dir, 'plain')])
  assert.notEqual(seconds(statSync(join(dir, 'plain/a.txt'))).mode, '640')
  utimesSync(join(from, 'a.txt'), ACCESS, TIME)
  await ok(['copy', '-M', from, to])
  assert.deepEqual(seconds(statSync(join(to, 'a.txt'))), { mode: '640', atime: ACCESS, mtime: TIME })
  const set = ['--metadata-set', 'mode=104600', '--metadata-set', 'mtime=2020-01-02T03:04:05Z', '--metadata-set', 'x=y']
  await ok(['copyto', '-M', ...set, join(from, 'a.txt'), join(to, 'b.txt')])
  // Nothing that comes with a file makes it run as somebody else.
  assert.partialDeepStrictEqual(seconds(statSync(join(to, 'b.txt'))), { mode: '600', mtime: 1_577_934_245 })
})

test('a file keeps its owner where this user may give it away', { skip: process.getuid?.() !== 0 }, async (t) => {
  const dir = place(t)
  chownSync(join(dir, 'in/a.txt'), 1234, 1235)
  await ok(['copy', '-M', join(dir, 'in'), join(dir, 'out')])
  const { uid, gid } = statSync(join(dir, 'out/a.txt'))
  assert.deepEqual({ uid, gid }, { uid: 1234, gid: 1235 })
})

test('files are chosen by their metadata', async (t) => {
  const dir = place(t)
  const list = async (...flags: readonly string[]) => await ok(['lsf', ...flags, join(dir, 'in')])
  assert.equal(await list('--metadata-include', 'mode=*640'), 'a.txt\n')
  assert.equal(await list('--metadata-exclude', 'mode=*640'), 'plain.txt\n')
  assert.equal(await list('--metadata-include', 'none=*'), '')
})

test('the remote control lists metadata, and sets it on copies', async (t) => {
  const dir = place(t)
  const server = await rcd(t)
  const fs = join(dir, 'in')
  const { body } = await server.call('operations/list', { fs, remote: '', opt: { metadata: true } })
  assert.partialDeepStrictEqual(body, { list: [{ Path: 'a.txt', Metadata: { mode: '100640' } }] })
  const { body: one } = await server.call('operations/stat', { fs, remote: 'a.txt', opt: { metadata: true } })
  assert.partialDeepStrictEqual(one, { item: { Path: 'a.txt', Metadata: { mode: '100640' } } })
  const _config = { Metadata: true, MetadataSet: { mode: '0604' } }
  const { status } = await server.call('sync/copy', { srcFs: fs, dstFs: join(dir, 'out'), _config })
  assert.equal(status, 200)
  assert.equal(seconds(statSync(join(dir, 'out/a.txt'))).mode, '604')
})
