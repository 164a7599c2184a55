import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { chmodSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { rfc3339Nano } from '../../src/base/local-time.ts'
import { missing } from '../peers.ts'
import { files, run, scratch, serve, sluice, touch } from '../program.ts'
import { swift, swiftPrograms } from '../servers/swift.ts'

const skip = missing('rclone', ...swiftPrograms)

/** Names and sizes at which stores and programs could differ. */
const tree = {
  'hello.txt': 'hello',
  empty: '',
  'a folder/with blanks/and ünïcode 日本 😀.txt': 'x',
  'odd/100% + a&b=c?d#e;f:g.txt': 'odd',
  'odd/ blank at both ends ': 'blank',
  'odd/quotes \' and " and `': 'quotes',
  'odd/back\\slash': 'backslash',
  'odd/-v2001-02-03-040506-123.txt': 'looks like a version',
  'parts.bin': randomBytes(11 * 1024 * 1024 + 7),
  'one part.bin': randomBytes(5 * 1024 * 1024),
}

/** A folder with the tree in it, and a configuration with the remote `s3`; what is said goes to both programs. */
async function place(t: TestContext, settings: Readonly<Record<string, string>> = {}) {
  const dir = scratch(t)
  files(join(dir, 'in'), tree)
  for (const path of Object.keys(tree)) touch(join(dir, 'in', path), '2001-02-03T04:05:06.123456Z')
  const { url, user, key } = await swift()
  const values = {
    type: 's3',
    provider: 'Other',
    endpoint: url,
    access_key_id: user,
    secret_access_key: key,
    ...settings,
  }
  const lines = Object.entries(values).map(([name, value]) => `${name} = ${value}`)
  files(dir, { 'r.conf': `[s3]\n${lines.join('\n')}\n` })
  const config = ['--config', join(dir, 'r.conf'), '--s3-upload-cutoff', '6M']
  return {
    dir,
    source: join(dir, 'in'),
    config,
    ours: (...args: string[]) => works(sluice([...args, ...config])),
    rclone: (...args: string[]) => works(run('env', ['-u', 'AWS_CA_BUNDLE', 'rclone', ...args, ...config])),
  }
}

async function works(what: ReturnType<typeof run>): Promise<string> {
  const { code, stdout, stderr } = await what
  assert.equal(code, 0, stderr)
  return stdout
}

const sorted = (text: string) => text.split('\n').sort().join('\n')

test(
  'rclone finds what is copied to s3 whole, with times and checksums; then nobody has anything to copy',
  { skip },
  async (t) => {
    const { source, ours, rclone, config } = await place(t)
    await ours('copy', source, 's3:written')
    await rclone('check', source, 's3:written')
    const listing = ['lsf', '-R', '--format', 'pst', '--files-only']
    assert.equal(sorted(await rclone(...listing, 's3:written')), sorted(await rclone(...listing, source)))
    const again = ['copy', '-v', source, 's3:written', ...config]
    for (const ended of [run('env', ['-u', 'AWS_CA_BUNDLE', 'rclone', ...again]), sluice(again)]) {
      const { code, stderr } = await ended
      assert.equal(code, 0, stderr)
      assert.match(stderr, /There was nothing to transfer/)
    }
  },
)

test('what rclone copies to s3 is listed, checked and read', { skip }, async (t) => {
  const { dir, source, ours, rclone } = await place(t)
  await rclone('copy', source, 's3:read')
  await ours('check', source, 's3:read')
  const listing = ['lsf', '-R', '--format', 'pst', '--files-only']
  assert.equal(sorted(await ours(...listing, 's3:read')), sorted(await rclone(...listing, 's3:read')))
  assert.equal(sorted(await ours('md5sum', 's3:read')), sorted(await rclone('md5sum', 's3:read')))
  await ours('copy', 's3:read', join(dir, 'out'))
  await rclone('check', '--download', source, join(dir, 'out'))
  assert.equal(sorted(await rclone(...listing, join(dir, 'out'))), sorted(await rclone(...listing, source)))
})

test('metadata of local files goes to the store and comes back, by rclone as by us', { skip }, async (t) => {
  const { dir, source, ours, rclone } = await place(t)
  const file = join(source, 'hello.txt')
  chmodSync(file, 0o604)
  utimesSync(file, 1_100_000_000.5, 1_000_000_000.25)
  const looks = (out: string) => {
    const { mode, mtimeMs } = statSync(join(out, 'hello.txt'))
    return { mode: mode & 0o7777, mtimeMs }
  }
  const before = looks(source)
  const set = ['--metadata-set', 'cache-control=no-cache', '--metadata-set', 'content-type=text/x-greeting']
  await ours('copyto', '-M', ...set, file, 's3:described/hello.txt')
  await rclone('copy', '-M', 's3:described', join(dir, 'theirs'))
  await ours('copy', '-M', 's3:described', join(dir, 'ours'))
  assert.deepEqual([looks(join(dir, 'theirs')), looks(join(dir, 'ours'))], [before, before])
  const [listed] = JSON.parse(await ours('lsjson', '-M', 's3:described')) as [Record<string, unknown>]
  assert.partialDeepStrictEqual(listed, {
    MimeType: 'text/x-greeting',
    Metadata: { mode: '100604', atime: rfc3339Nano(1_100_000_000_500_000_000n), 'cache-control': 'no-cache' },
  })
  assert.equal(await ours('lsf', '--metadata-include', 'mode=*604', 's3:described'), 'hello.txt\n')
  assert.equal(await ours('lsf', '--metadata-exclude', 'mode=*604', 's3:described'), '')
})

test('a bucket is served: ranges, conditions, times, and uploads', { skip }, async (t) => {
  const { source, ours, rclone, config } = await place(t)
  await ours('copy', source, 's3:served')
  const { url } = await serve(t, ['serve', 'http', 's3:served', '--write', 's3:served', ...config])
  const parts = await fetch(`${url}parts.bin`, { headers: { range: 'bytes=5242870-5242889' } })
  assert.equal(parts.status, 206)
  assert.deepEqual([...new Uint8Array(await parts.arrayBuffer())], [...tree['parts.bin'].subarray(5242870, 5242890)])
  assert.equal(parts.headers.get('last-modified'), 'Sat, 03 Feb 2001 04:05:06 GMT')
  const again = await fetch(`${url}parts.bin`, { headers: { 'if-none-match': parts.headers.get('etag') ?? '' } })
  assert.equal(again.status, 304)
  assert.match(await (await fetch(url)).text(), /hello\.txt/)
  assert.equal((await fetch(`${url}missing`)).status, 404)

  const bytes = randomBytes(7 * 1024 * 1024)
  const put = await fetch(`${url}new/streamed.bin`, { method: 'PUT', body: new Blob([bytes]).stream(), duplex: 'half' })
  assert.equal(put.status, 201, await put.text())
  assert.ok(Buffer.from(await (await fetch(`${url}new/streamed.bin`)).arrayBuffer()).equals(bytes))
  assert.equal((await fetch(`${url}new/streamed.bin`, { method: 'DELETE' })).status, 204)
  assert.equal(await rclone('lsf', 's3:served/new'), '')
})
