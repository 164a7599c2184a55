import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { missing } from '../peers.ts'
import { files, rcd, scratch } from '../program.ts'
import { rcloneRcd } from '../rclone.ts'

/** A call, and, where the answers or what they do are meant to differ, why. */
type Case = readonly [method: string, input: Readonly<Record<string, unknown>>, differs?: string]

const why = {
  words: 'our words, without the paths and calls of the system in them',
  status: 'what is not there is 404, as rclone itself says elsewhere',
  slashes: 'slashes too many are taken off; rclone finds nothing then',
  outside: 'a path that leads out of the remote is refused by name',
  root: 'the time of the root is the one it has; rclone gives the time of the call',
  both: 'files only and folders only together are both; rclone shows nothing',
  filter: 'what the filter hides is hidden from direct access as well',
  file: 'rmdir and rmdirs leave a file alone; rclone 1.60 deletes it',
  newer: 'rclone 1.60 has no such method or feature',
  form: 'the parameters of an upload are in the URL; rclone takes JSON, and then stores nothing',
  features: 'features that differ, and those of newer versions',
} as const

/** The calls, about a folder `src` with a few files and an empty `dst`. */
function cases(src: string, dst: string): Case[] {
  const place = (remote: string, more: object = {}) => ({ fs: src, remote, ...more })
  const shown = (opt: unknown) => place('', { opt })
  const none = `${src}/none`
  const aFile = `${src}/a.txt`
  const listings = (method: string): Case[] => [
    [method, { fs: aFile, remote: '' }],
    [method, place('dir')],
    [method, place('none')],
    [method, { fs: none, remote: '' }],
    [method, { fs: none, remote: 'x' }],
    [method, place('dir', { opt: { recurse: true } })],
    [method, place('dir', { opt: { filesOnly: true } })],
    [method, place('dir', { opt: { noModTime: true, noMimeType: true } })],
    [method, shown({ recurse: 'true' })],
    [method, shown([])],
    [method, shown(5)],
    [method, shown({ hashTypes: 'md5' })],
    [method, shown({ hashTypes: [5] })],
    [method, shown({ hashTypes: ['zzz'], showHash: true })],
    [method, place('dir', { opt: null })],
    [method, place('dir', { opt: '{"dirsOnly":true}' })],
    [method, place('dir', { opt: { DIRSONLY: true } })],
    [method, place('dir', { opt: { showOrigIDs: true } })],
    [method, shown({ showEncrypted: true }), why.words],
    [method, place('/dir/'), why.slashes],
    [method, place('../src'), why.outside],
    [method, place('dir/..'), why.outside],
    [method, { fs: src }],
    [method, { remote: 'x' }],
    [method, { fs: src, remote: 3 }],
    [method, { fs: 'nope:', remote: '' }],
    [method, { fs: ':nope:', remote: '' }],
    [method, { fs: '', remote: '' }],
    [method, { fs: { type: 'local', _root: src }, remote: 'dir' }],
    [method, { fs: { type: 5 }, remote: '' }],
    [method, { fs: { type: 'local', _root: true }, remote: '' }],
    [method, { fs: { x: 'local' }, remote: '' }],
    [method, { fs: {}, remote: '' }],
    [method, { fs: [], remote: '' }],
    [method, { fs: null, remote: '' }],
    [method, { fs: 5, remote: '' }],
    [method, { fs: { _name: 'zz', _root: src }, remote: '' }],
    [method, { fs: { type: 'zz' }, remote: '' }],
  ]
  const removals = (method: string): Case[] => [
    [method, { fs: aFile, remote: '' }],
    [method, { fs: 1 }],
    [method, { remote: 1 }],
    [method, {}],
    [method, place('empty')],
  ]
  const wholes = (method: string): Case[] => [
    [method, { fs: aFile }],
    [method, { fs: 'nope:' }],
    [method, { fs: 'bad name,:' }],
    [method, {}],
  ]
  const copies = (method: string): Case[] => {
    const ends = (srcRemote: string, dstRemote: string, more: object = {}) => ({
      srcFs: src,
      srcRemote,
      dstFs: dst,
      dstRemote,
      ...more,
    })
    return [
      [method, ends('a.txt', 'x/y')],
      [method, ends('none', 'x')],
      [method, ends('dir', 'x')],
      [method, ends('', 'x')],
      [method, ends('a.txt', '')],
      [method, { ...ends('a.txt', 'dir'), dstFs: src }],
      [method, { ...ends('a.txt', 'a.txt'), dstFs: src }],
      [method, { ...ends('a.txt', 'x'), srcFs: aFile }],
      [method, { ...ends('a.txt', 'x'), dstFs: aFile }],
      [method, { ...ends('a.txt', 'x'), srcFs: none }],
      [method, { srcFs: '/', srcRemote: aFile.slice(1), dstFs: '/', dstRemote: `${dst}/x`.slice(1) }],
      [method, ends('a.txt', 'x', { _config: { DryRun: true } })],
      [method, {}],
      [method, { srcFs: src }],
      [method, { srcRemote: 'x' }],
      [method, { srcRemote: 'x', srcFs: src }],
      [method, { srcRemote: 'x', srcFs: src, dstRemote: 'y' }],
    ]
  }
  const trees = (method: string): Case[] => {
    const ends = (more: object = {}) => ({ srcFs: src, dstFs: dst, ...more })
    return [
      [method, ends()],
      [method, ends({ dstFs: `${dst}/new` })],
      [method, ends({ createEmptySrcDirs: true })],
      [method, ends({ createEmptySrcDirs: 'zz' })],
      [method, ends({ srcFs: aFile })],
      [method, ends({ dstFs: aFile })],
      [method, ends({ dstFs: src })],
      [method, ends({ srcFs: none })],
      [method, ends({ srcFs: 'nope:' })],
      [method, ends({ _config: { DryRun: true } })],
      [method, ends({ _filter: { ExcludeRule: ['dir/**'] } })],
      [method, {}],
      [method, { srcFs: src }],
      [method, { dstFs: src }],
    ]
  }
  const commands = [
    { command: 'noop', opt: { echo: 'true', blue: '' }, arg: ['p1', 'p2'] },
    { command: 'noop', opt: { echo: '' } },
    { command: 'noop', opt: { error: 'boom' } },
    { command: 'noop', opt: { error: '' } },
    { command: 'noop', arg: '["a"]', opt: '{"echo":""}' },
    { command: 'noop' },
    { command: 'zz' },
    {},
  ]
  return [
    ...['operations/list', 'operations/stat'].flatMap(listings),
    ['operations/list', place('')],
    ['operations/list', shown({ dirsOnly: true })],
    ['operations/list', shown({ recurse: true, filesOnly: true })],
    ['operations/list', shown({ hashTypes: ['MD5', 'SHA-1'] })],
    ['operations/list', shown({ showHash: true, hashTypes: ['crc32'] })],
    ['operations/list', shown({ filesOnly: true, dirsOnly: true }), why.both],
    ['operations/list', place('a.txt'), why.words],
    ['operations/list', place('', { _filter: { IncludeRule: ['*.txt'] } })],
    ['operations/list', place('dir', { _filter: { ExcludeRule: ['b.txt'] } })],
    ['operations/list', place('', { opt: { recurse: true }, _config: { MaxDepth: 1 } })],
    ['operations/stat', place('a.txt', { opt: { showHash: true, hashTypes: ['MD5', 'SHA-1'] } })],
    ['operations/stat', place('a.txt', { opt: { dirsOnly: true } })],
    ['operations/stat', place(''), why.root],
    ['operations/stat', place('dir/b.txt', { _filter: { ExcludeRule: ['b.txt'] } }), why.filter],
    ...['mkdir', 'rmdir', 'rmdirs', 'purge', 'deletefile'].flatMap((name) => removals(`operations/${name}`)),
    ['operations/mkdir', place('none/sub')],
    ['operations/mkdir', place('dir')],
    ['operations/mkdir', { fs: none, remote: '' }],
    ['operations/mkdir', place('a.txt/x'), why.words],
    ['operations/rmdir', place('dir'), why.words],
    ['operations/rmdir', place('none'), why.status],
    ['operations/rmdir', place('a.txt'), why.file],
    ['operations/rmdirs', place('')],
    ['operations/rmdirs', place('', { leaveRoot: true })],
    ['operations/rmdirs', place('empty', { leaveRoot: true })],
    ['operations/rmdirs', place('empty', { leaveRoot: 'zz' })],
    ['operations/rmdirs', place('none'), why.status],
    ['operations/rmdirs', place('a.txt'), why.file],
    ['operations/purge', place('dir')],
    ['operations/purge', place('')],
    ['operations/purge', place('none')],
    ['operations/purge', place('a.txt'), why.words],
    ['operations/deletefile', place('a.txt')],
    ['operations/deletefile', place('none')],
    ['operations/deletefile', place('')],
    ['operations/deletefile', place('a.txt/x'), why.status],
    ...['about', 'size', 'cleanup', 'delete', 'fsinfo'].flatMap((name) => wholes(`operations/${name}`)),
    ['operations/about', { fs: none }],
    ['operations/size', { fs: src }],
    ['operations/size', { fs: none }],
    ['operations/size', { fs: src, _filter: { IncludeRule: ['b*'] } }],
    ['operations/cleanup', { fs: src }],
    ['operations/delete', { fs: src }],
    ['operations/delete', { fs: none }],
    ['operations/delete', { fs: src, _filter: { IncludeRule: ['b*'] } }],
    ['operations/delete', { fs: src, _config: { DryRun: true } }],
    ['operations/fsinfo', { fs: src }, why.features],
    ['operations/publiclink', place('')],
    ['operations/publiclink', place('', { expire: '5m', unlink: true })],
    ['operations/publiclink', place('', { expire: 5 })],
    ['operations/settier', { fs: src, tier: 'x' }, why.newer],
    ...['operations/copyfile', 'operations/movefile'].flatMap(copies),
    ...['sync/copy', 'sync/sync', 'sync/move'].flatMap(trees),
    ['sync/sync', { srcFs: src, dstFs: `${src}/dir` }],
    ['sync/move', { srcFs: src, dstFs: `${src}/dir` }],
    ['sync/move', { srcFs: src, dstFs: dst, deleteEmptySrcDirs: true }],
    ['sync/move', { srcFs: none, dstFs: `${dst}/none` }, why.status],
    ...commands.map((input): Case => ['backend/command', { fs: src, ...input }]),
    ['backend/command', { fs: aFile, command: 'noop' }],
    ['backend/command', { command: 'x' }],
    ['backend/command', { fs: ':memory:', command: 'x' }],
    ...['1M', '1M:10M', '10M:1M', '1M:off', 'off:1M', 'Mon-00:00,1M', '00:00,1M', '1M 2M', 'zz', '', 'off'].map(
      (rate): Case => ['core/bwlimit', { rate }],
    ),
    ['rc/error', { a: [1e6, 12345678, 999999, 1e21, 0.0001, 1e-5, 1.5], b: { z: null, a: true } }],
    ...['x', ' 1', '1.5', '0x1', '+1000000', '99999999999999999999', 9.3e18, -1, true, null, [1]].map((jobid): Case => [
      'job/status',
      { jobid },
    ]),
    ['rc/noop', { _filter: { MaxSize: 'x' } }, why.words],
    ['operations/copyurl', place('x')],
    ['operations/uploadfile', place('x'), why.form],
  ]
}

interface Answer {
  readonly status: number
  readonly body: Record<string, unknown>
  /** What is there afterwards. */
  readonly tree: readonly string[]
}

async function ask(url: string, [method, input]: Case, dir: string): Promise<Answer> {
  for (const name of ['src', 'dst']) rmSync(join(dir, name), { recursive: true, force: true })
  files(dir, { 'src/a.txt': 'hello\n', 'src/dir/b.txt': 'world\n', 'src/empty/': '', 'dst/': '' })
  for (const path of ['src/dir/b.txt', 'src/a.txt', 'src/dir', 'src/empty', 'src'])
    utimesSync(join(dir, path), 1e9, 1e9)
  const response = await fetch(url + method, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(input),
  })
  const { input: _input, path: _path, ...body } = (await response.json()) as Record<string, unknown>
  const tree = readdirSync(dir, { recursive: true, encoding: 'utf8' })
  return { status: response.status, body, tree: tree.map((path) => describe(dir, path)).sort() }
}

function describe(dir: string, path: string): string {
  const stats = statSync(join(dir, path))
  return stats.isDirectory() ? `${path}/` : `${path} ${stats.mtimeMs}`
}

/** True when two answers say the same; an error of ours may say more. */
function alike(theirs: Answer, ours: Answer): boolean {
  const [a, b] = [theirs.body.error, ours.body.error]
  const more = typeof a === 'string' && typeof b === 'string' && b.startsWith(a)
  const body = more ? { ...ours.body, error: a } : ours.body
  try {
    assert.deepEqual({ ...ours, body }, theirs)
    return true
  } catch {
    return false
  }
}

test("answers are those of rclone's own server, and so is what they do", { skip: missing('rclone') }, async (t) => {
  const dir = scratch(t)
  mkdirSync(join(dir, 'src'))
  const [rclone, server] = [await rcloneRcd(t), await rcd(t)]
  const wrong: unknown[] = []
  for (const one of cases(join(dir, 'src'), join(dir, 'dst'))) {
    const [theirs, ours] = [await ask(rclone, one, dir), await ask(server.url, one, dir)]
    if (alike(theirs, ours) === (one[2] === undefined)) continue
    wrong.push({ call: one, theirs, ours })
  }
  assert.deepEqual(wrong, [])
})

test('parameters in a URL and in a form are taken apart as by rclone', { skip: missing('rclone') }, async (t) => {
  const [rclone, server] = [await rcloneRcd(t), await rcd(t)]
  const form = { 'content-type': 'application/x-www-form-urlencoded' }
  const json = { 'content-type': 'application/json' }
  for (const [query, headers, body] of [
    ['a=1&a=2&b&=x&&?c=%41+%2B', {}, ''],
    ['a=%zz&b=1&c;d=2&e=%FF', {}, ''],
    ['x=u', form, 'x=f&y=%C3%BC'],
    ['', form, 'x=%zz'],
    ['', form, 'a=1;b=2'],
    ['', json, '{"b":1e21,"c":1e-7,"a":"\\u2028"}{"d":1}'],
  ] as const) {
    const [theirs, ours] = await Promise.all(
      [rclone, server.url].map(async (url) => {
        const response = await fetch(`${url}rc/noop?${query}`, { method: 'POST', headers, body })
        return [response.status, await response.json()]
      }),
    )
    assert.deepEqual(ours, theirs, `${query} ${body}`)
  }
})
