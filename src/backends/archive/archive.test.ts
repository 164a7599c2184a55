import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { bodyOf, collect } from '../../base/body.ts'
import { testContext } from '../../core/testing.ts'
import { zip, type ZipItem, type ZipMethod } from '../../origin/zip.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { fixture } from '../../../test/conformance/fixture.ts'
import { listed, rejectsWith } from '../../../test/conformance/helpers.ts'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { missing } from '../../../test/peers.ts'
import { localOptions } from '../local/index.ts'
import { LocalRemote } from '../local/remote.ts'
import { defaultsOf } from '../../schema/option.ts'
import { ArchiveRemote } from './remote.ts'

const items: readonly ZipItem[] = fixture.map(({ path, bytes, modTime }) => ({
  name: path,
  size: bytes.length,
  modTime,
  open: () => Promise.resolve(bodyOf(bytes)),
}))

const local = { name: 'local', openRemote: () => Promise.reject(new Error('opens no other remote')) }

async function openArchive(dir: string, root = ''): Promise<Remote> {
  const config = defaultsOf(localOptions)
  const openRemote = (root: string) => Promise.resolve(LocalRemote.open(testContext(), { ...local, root, config }))
  return await ArchiveRemote.open(testContext(), {
    name: ':archive',
    root,
    config: { remote: join(dir, 'a.zip') },
    openRemote,
  })
}

for (const method of ['store', 'deflate'] as const)
  remoteBehaviour(`a zip (${method})`, {
    readOnly: true,
    async open() {
      const dir = mkdtempSync(join(tmpdir(), 'sluice-archive-'))
      writeFileSync(join(dir, 'a.zip'), await collect(zip(items, method)))
      return {
        ctx: testContext(),
        remote: await openArchive(dir),
        close: () => Promise.resolve(rmSync(dir, { recursive: true })),
      }
    },
  })

function scratch(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-archive-'))
  t.after(() => rmSync(dir, { recursive: true }))
  return dir
}

async function write(dir: string, names: Readonly<Record<string, string>>, method: ZipMethod = 'store') {
  const all = Object.entries(names).map(([name, text]) => ({
    name,
    size: name.endsWith('/') ? 0 : Buffer.byteLength(text),
    modTime: 1_600_000_000_000_000_000n,
    ...(name.endsWith('/') ? {} : { open: () => Promise.resolve(bodyOf(text)) }),
  }))
  writeFileSync(join(dir, 'a.zip'), await collect(zip(all, method)))
}

async function read(remote: Remote, path: string): Promise<string> {
  const file = (await remote.stat(testContext(), path)) as FileEntry
  return Buffer.from(await collect(await remote.open(testContext(), file))).toString()
}

test('members whose names lead out of the archive are left out', async (t) => {
  const dir = scratch(t)
  await write(dir, { '../up.txt': 'x', '/abs.txt': 'x', 'a/../../b.txt': 'x', 'a//b': 'x', 'good/file.txt': 'good' })
  const remote = await openArchive(dir)
  assert.deepEqual([...(await listed(testContext(), remote, '')).keys()], ['good'])
  assert.equal(await read(remote, 'good/file.txt'), 'good')
})

test('a root within the archive is shown as the top, and directories that no member names are there', async (t) => {
  const dir = scratch(t)
  await write(dir, { 'build/': '', 'build/static/js/app.js': 'js', 'build/index.html': '<p>' })
  const remote = await openArchive(dir, 'build')
  assert.deepEqual([...(await listed(testContext(), remote, '')).keys()].sort(), ['index.html', 'static'])
  assert.deepEqual([...(await listed(testContext(), remote, 'static')).keys()], ['static/js'])
  assert.equal(await read(remote, 'static/js/app.js'), 'js')
})

test('where two members are at odds the first one counts', async (t) => {
  const dir = scratch(t)
  await write(dir, { a: 'first', 'a/b': 'below a file', 'd/x': 'x', d: 'a file' })
  const remote = await openArchive(dir)
  assert.deepEqual([...(await listed(testContext(), remote, '')).keys()].sort(), ['a', 'd'])
  assert.equal(await read(remote, 'a'), 'first')
  assert.equal(await read(remote, 'd/x'), 'x')
  writeFileSync(join(dir, 'a.zip'), await collect(zip(twice('t', ['one', 'two']), 'store')))
  assert.equal(await read(await openArchive(dir), 't'), 'one')
})

function* twice(name: string, texts: readonly string[]): Generator<ZipItem> {
  for (const text of texts) yield { name, size: text.length, modTime: 1n, open: () => Promise.resolve(bodyOf(text)) }
}

test('a file that is no zip is said to be none', async (t) => {
  const dir = scratch(t)
  writeFileSync(join(dir, 'a.zip'), 'this is no archive at all, but long enough to be looked into')
  await rejectsWith(openArchive(dir), 'invalid')
})

test('an archive that is replaced is read again', async (t) => {
  const dir = scratch(t)
  await write(dir, { 'a.txt': 'one' })
  const remote = await openArchive(dir)
  assert.equal(await read(remote, 'a.txt'), 'one')
  t.mock.method(performance, 'now', () => 1e9)
  await write(dir, { 'a.txt': 'another' })
  assert.equal(await read(remote, 'a.txt'), 'another')
})

test('a zip of Info-ZIP reads as it was written', { skip: missing('zip') }, async (t) => {
  const dir = scratch(t)
  writeFileSync(join(dir, 'text.txt'), 'some text '.repeat(1000))
  execFileSync('zip', ['-q', 'a.zip', 'text.txt'], { cwd: dir })
  assert.equal(await read(await openArchive(dir), 'text.txt'), 'some text '.repeat(1000))
})
