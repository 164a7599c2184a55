import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { aliasBackend } from '../backends/alias.ts'
import { combineBackend } from '../backends/combine.ts'
import { httpBackend } from '../backends/http/index.ts'
import { localBackend, localOptions } from '../backends/local/index.ts'
import { memoryBackend } from '../backends/memory/index.ts'
import type { Filter } from '../core/filter.ts'
import { recordingLogger, testContext } from '../core/testing.ts'
import { OptionSet } from '../schema/options.ts'
import { bytesAt, listed, putText, rejectsWith } from '../../test/conformance/helpers.ts'
import { Remotes, type RemotesParts } from './open.ts'

const fs = { mkdirSync, writeFileSync }

function directory(t: TestContext): string {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-open-')))
  t.after(() => rmSync(dir, { recursive: true }))
  fs.mkdirSync(join(dir, 'sub'))
  fs.writeFileSync(join(dir, 'a.txt'), 'file a')
  fs.writeFileSync(join(dir, 'sub/b.txt'), 'file b')
  return dir
}

type Sections = Record<string, Record<string, string>>

function remotes(sections: Sections = {}, parts: Partial<RemotesParts> = {}, now?: () => number): Remotes {
  return new Remotes(
    {
      ctx: testContext(),
      backends: [aliasBackend, combineBackend, httpBackend, localBackend(), memoryBackend()],
      config: async () => ({ get: (name) => sections[name] }),
      options: new OptionSet([]),
      env: {},
      ...parts,
    },
    now,
  )
}

const ctx = testContext()

test('texts for one place have one canonical text, whatever names it has', async () => {
  const open = remotes({
    disk: { type: 'local' },
    other: { type: 'local', encoding: 'None' },
    mem: { type: 'memory' },
    also: { type: 'alias', remote: 'again:x' },
    again: { type: 'alias', remote: '/srv' },
    all: { type: 'combine', upstreams: 'm=mem:b l=also:' },
    own: { type: 'alias', remote: ':http,url=x:' },
    loop: { type: 'alias', remote: 'loop2:' },
    loop2: { type: 'alias', remote: 'loop:' },
  })
  for (const text of [
    '/srv/x/y',
    ':local:/srv/x/y',
    'disk:/srv/x/y',
    'also:y',
    'also:/y/',
    'all:l/y',
    ":alias,remote='also:':y",
  ])
    assert.equal(await open.canonical(text), '/srv/x/y', text)
  assert.equal(await open.canonical('all:m/y'), 'mem:b/y')
  for (const text of ['all:', 'mem:b', 'other:/srv', 'own:y', ':http,url=x:'])
    assert.equal(await open.canonical(text), text)
  assert.match(await open.canonical('loop:'), /^loop2?:/)
  await rejectsWith(open.canonical('none:'), 'invalid')
})

test('paths, on-the-fly remotes and configured ones are opened from their texts', async (t) => {
  const dir = directory(t)
  const open = remotes({
    disk: { type: 'local' },
    mem: { type: 'memory' },
    also: { type: 'alias', remote: `${dir}/sub` },
  })
  assert.deepEqual([...(await listed(ctx, await open.open(dir), '')).keys()].sort(), ['a.txt', 'sub'])
  for (const text of [`:local:${dir}/sub`, `disk:${dir}/sub`, 'also:', `:alias,remote="${dir}":sub`, `${dir}/sub`])
    assert.deepEqual([...(await listed(ctx, await open.open(text), '')).keys()], ['b.txt'], text)
  await putText(ctx, await open.open('mem:bucket'), 'x', 'in memory')
  assert.equal((await bytesAt(ctx, await open.open('mem:'), 'bucket/x')).toString(), 'in memory')
  assert.equal(await (await open.open(':memory:')).stat(ctx, 'bucket'), undefined)
})

test('what is wrong in a text is said', async () => {
  const open = remotes({
    odd: { type: 'nosuch' },
    loop: { type: 'alias', remote: 'pool:x' },
    pool: { type: 'alias', remote: 'loop:y' },
  })
  for (const [text, pattern] of [
    ['', /can't use empty string as a path/],
    ['nope:x', /didn't find section in config file \("nope"\)/],
    [':nosuch:x', /didn't find backend called "nosuch"/],
    ['odd:', /didn't find backend called "nosuch"/],
    [':local,copy_links=maybe:/x', /copy_links.*maybe|maybe.*copy_links/],
    ['loop:', /refers to itself/],
    [':http:', /url/],
    [':alias:', /empty remote/],
  ] as const)
    await assert.rejects(open.open(text), pattern, text)
})

test('an option that a backend does not have is ignored and named in the log', async (t) => {
  const log = recordingLogger()
  await remotes({}, { ctx: testContext({ log }) }).open(`:local,nonsense=1:${directory(t)}`)
  assert.ok(log.lines.some((line) => line.includes('nonsense')))
})

test('a value comes from the connection string, then flag, environment, configuration and default', async (t) => {
  const dir = directory(t)
  fs.writeFileSync(join(dir, 'c.txt'), '')
  const hashes = async (text: string, env: Record<string, string> = {}, flag?: string[]) => {
    const options = new OptionSet([localOptions])
    if (flag) options.set(localOptions, 'hashes', flag, 'flag')
    return (
      await remotes({ disk: { type: 'local', hashes: 'sha512' } }, { env, options }).open(text)
    ).info.hashes.join()
  }
  const env = { RCLONE_LOCAL_HASHES: 'sha1', RCLONE_CONFIG_DISK_HASHES: 'crc32' }
  assert.equal(await hashes(`disk,hashes=md5:${dir}`, env, ['sha256']), 'md5')
  assert.equal(await hashes(`disk:${dir}`, env, ['sha256']), 'sha256')
  assert.equal(await hashes(`disk:${dir}`, env), 'crc32')
  assert.equal(await hashes(`disk:${dir}`, { RCLONE_LOCAL_HASHES: 'sha1' }), 'sha1')
  assert.equal(await hashes(`disk:${dir}`), 'sha512')
  assert.equal(await hashes(dir), 'md5,sha1,crc32,sha256,sha512')
})

test('a value that is left empty is the default', async (t) => {
  const dir = directory(t)
  fs.writeFileSync(join(dir, 'c.txt'), '')
  const opened = (text: string, values: Record<string, string>) =>
    remotes({ disk: { type: 'local', ...values } }).open(text)
  const { info } = await opened(`disk:${dir}`, { hashes: '', links: '', encoding: '' })
  assert.equal(info.hashes.join(), 'md5,sha1,crc32,sha256,sha512')
  await opened(`disk,links=:${dir}`, { links: 'true' })
})

test('a text that names a file gives its directory with that file alone', async (t) => {
  const dir = directory(t)
  const open = remotes({ also: { type: 'alias', remote: dir }, all: { type: 'combine', upstreams: `here=${dir}` } })
  for (const text of [`${dir}/sub/b.txt`, 'also:sub/b.txt', 'all:here/sub/b.txt', `:local:${dir}/sub/b.txt`]) {
    const { remote, file } = await open.openAt(text)
    assert.equal(file?.path, 'b.txt', text)
    assert.deepEqual([...(await listed(ctx, remote, '')).keys()], ['b.txt'])
    assert.equal((await bytesAt(ctx, remote, 'b.txt')).toString(), 'file b')
    assert.equal(await remote.stat(ctx, 'other'), undefined)
  }
  const top = await open.openAt(`${dir}/a.txt`)
  assert.equal(await top.remote.stat(ctx, 'sub/b.txt'), undefined)
  assert.equal(top.remote.peek?.('sub/b.txt'), undefined)
  assert.equal((await open.openAt(dir)).file, undefined)
})

test('a remote is opened once, and anew when it was not asked for in a while', async (t) => {
  const dir = directory(t)
  let now = 0
  const open = remotes({}, {}, () => now)
  const first = await open.open(dir)
  assert.equal(await open.open(`${dir}/.`), first)
  assert.equal(open.size, 1)
  now += 4 * 60_000
  assert.equal(await open.open(dir), first)
  now += 6 * 60_000
  assert.notEqual(await open.open(dir), first)
  assert.deepEqual((await bytesAt(ctx, first, 'a.txt')).toString(), 'file a', 'the first one goes on')
  await open.close()
  assert.equal(open.size, 0)
})

test('the filter is about the paths of the outermost remote', async (t) => {
  const dir = directory(t)
  const filter: Filter = {
    empty: false,
    markers: [],
    includes: (path) => path !== 'here/a.txt' && path !== 'sub/b.txt',
    includesDirectory: (path) => path !== 'sub',
  }
  const context = testContext({ filter })
  const open = remotes({}, { ctx: context })
  const whole = await open.open(`:combine,upstreams="here=${dir}":`)
  assert.equal(await whole.stat(context, 'here/a.txt'), undefined)
  assert.equal((await whole.stat(context, 'here/sub/b.txt'))?.kind, 'file')
  assert.equal(await (await open.open(dir)).stat(context, 'sub/b.txt'), undefined)
})

test('a file that is named itself is found whatever the filter says, which its folder then obeys', async (t) => {
  const dir = directory(t)
  const filter: Filter = { empty: false, markers: [], includes: () => false, includesDirectory: () => true }
  const context = testContext({ filter })
  const { remote, file } = await remotes({}, { ctx: context }).openAt(`${dir}/a.txt`)
  assert.equal(file?.path, 'a.txt')
  assert.equal((await listed(context, remote, '')).size, 0)
})

test('what fails to open is tried again by the next one who asks', async () => {
  const sections: Sections = {}
  const open = remotes(sections)
  await rejectsWith(open.open('late:'), 'invalid')
  sections.late = { type: 'memory' }
  assert.equal((await open.open('late:')).info.type, 'memory')
})
