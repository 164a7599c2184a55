import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { FileSlice, collect } from '../../base/body.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { defaultsOf } from '../../schema/option.ts'
import { bytesAt, fileAt, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { Disk } from './disk.ts'
import { OpenFiles } from './files.ts'
import { localOptions } from './index.ts'
import { Looks } from './looks.ts'
import { LocalRemote } from './remote.ts'
import { temporary } from './testing.ts'
import { Directory } from './tree.ts'

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve))
/** Until a change is old enough that times tell of the next one. */
const settle = () => new Promise<void>((resolve) => setTimeout(resolve, 60))
/** Open files and directories; a thread has descriptors of other kinds. */
const openFds = () =>
  fs.readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith('/')
    } catch {
      return false // that of this very look
    }
  }).length
const statsOf = (path: string) => fs.statSync(path, { bigint: true })
const linux = process.platform === 'linux' ? false : 'needs /proc'

test('peek gives one entry object for as long as a file is unchanged, and none after a change', async (t) => {
  const { ctx, remote, root } = temporary(t)
  await putText(ctx, remote, 'a.txt', 'first')
  await settle()
  assert.equal(remote.peek('a.txt'), undefined, 'nobody has looked yet')
  const entry = await fileAt(ctx, remote, 'a.txt')
  for (let i = 0; i < 5; i++, await nextTurn()) assert.equal(remote.peek('a.txt'), entry)
  assert.equal(await remote.stat(ctx, 'a.txt'), entry)
  fs.writeFileSync(join(root, 'a.txt'), 'other')
  await nextTurn()
  assert.equal(remote.peek('a.txt'), undefined)
  const next = await fileAt(ctx, remote, 'a.txt')
  assert.notEqual(next, entry)
  assert.notEqual(next.version, entry.version)
  fs.rmSync(join(root, 'a.txt'))
  await nextTurn()
  assert.equal(remote.peek('a.txt'), undefined)
})

test('within one turn of the event loop a file is looked at once', async (t) => {
  const { ctx, remote, root } = temporary(t)
  await putText(ctx, remote, 'a.txt', 'first')
  await settle()
  const entry = await fileAt(ctx, remote, 'a.txt')
  await nextTurn()
  assert.equal(remote.peek('a.txt'), entry)
  fs.rmSync(join(root, 'a.txt'))
  assert.equal(remote.peek('a.txt'), entry)
  await nextTurn()
  assert.equal(remote.peek('a.txt'), undefined)
})

test('a file that is changed in a tight loop is never stale', async (t) => {
  const { ctx, remote, root } = temporary(t)
  fs.mkdirSync(root)
  const path = join(root, 'f')
  const cache = new WeakMap<FileEntry, string>()
  for (let i = 0; i < 400; i++) {
    const text = `version ${String(i).padStart(4, '0')}`
    if (i % 2 === 0) fs.writeFileSync(path, text)
    else {
      fs.writeFileSync(`${path}.new`, text)
      fs.renameSync(`${path}.new`, path)
    }
    await nextTurn()
    // As a server does that keeps what it made of an entry with the entry.
    const entry = remote.peek('f') ?? (await fileAt(ctx, remote, 'f'))
    const got = cache.get(entry) ?? Buffer.from(await collect(await remote.open(ctx, entry))).toString()
    cache.set(entry, got)
    assert.equal(got, text)
  }
})

test('a change that keeps size and modification time is seen', async (t) => {
  const { ctx, remote, root } = temporary(t)
  await putText(ctx, remote, 'a.txt', 'one', { modTime: 1_000_000_000_000_000_000n })
  const before = await fileAt(ctx, remote, 'a.txt')
  fs.writeFileSync(join(root, 'a.txt'), 'two')
  fs.utimesSync(join(root, 'a.txt'), 1_000_000_000, 1_000_000_000)
  const entry = await fileAt(ctx, remote, 'a.txt')
  assert.equal(entry.modTime, before.modTime)
  assert.notEqual(entry.version, before.version)
  await rejectsWith(remote.open(ctx, before), 'not-found')
  assert.equal((await bytesAt(ctx, remote, 'a.txt')).toString(), 'two')
})

test('a file that shrinks while it is read throws instead of ending', async (t) => {
  const { ctx, remote, root } = temporary(t)
  await putText(ctx, remote, 'log', 'x'.repeat(600_000))
  const body = await remote.open(ctx, await fileAt(ctx, remote, 'log'))
  fs.truncateSync(join(root, 'log'), 300_000)
  await assert.rejects(collect(body), /ended at byte 300000/)
})

test('a file that grows while it is read gives the bytes it had', async (t) => {
  const { ctx, remote, root } = temporary(t)
  await putText(ctx, remote, 'log', 'x'.repeat(1000))
  const body = await remote.open(ctx, await fileAt(ctx, remote, 'log'))
  fs.appendFileSync(join(root, 'log'), 'y'.repeat(1000))
  assert.equal(Buffer.from(await collect(body)).toString(), 'x'.repeat(1000))
})

test('files larger than 4 GiB are read at any place', async (t) => {
  const { ctx, remote, root } = temporary(t)
  fs.mkdirSync(root)
  const size = 5 * 1024 ** 3
  const fd = fs.openSync(join(root, 'sparse'), 'w')
  fs.ftruncateSync(fd, size)
  fs.writeSync(fd, 'needle', 2 ** 32 - 3)
  fs.closeSync(fd)
  const file = await fileAt(ctx, remote, 'sparse')
  assert.equal(file.size, size)
  const at = async (start: number, end: number) =>
    Buffer.from(await collect(await remote.open(ctx, file, { start, end }))).toString()
  assert.equal(await at(2 ** 32 - 3, 2 ** 32 + 3), 'needle')
  assert.equal(await at(size - 2, Infinity), '\0\0')
})

test('small reads of one file share one open file, which is closed when idle', { skip: linux }, async () => {
  const files = new OpenFiles(new Disk(false), { maxIdle: 2, idleMs: 20 })
  const before = openFds()
  const sources = ['a', 'b', 'c'].map((key) => files.add(key, fs.openSync('/dev/null', 'r'), statsOf('/dev/null')))
  const second = files.take('a')
  assert.ok(second)
  assert.equal(openFds(), before + 3)
  for (const source of [...sources, second, second]) await source.close()
  assert.equal(files.take('missing'), undefined)
  const deadline = Date.now() + 2000
  while (openFds() > before && Date.now() < deadline) await settle()
  assert.equal(openFds(), before)
  const late = files.add('late', fs.openSync('/dev/null', 'r'), statsOf('/dev/null'))
  await files.close()
  await late.close()
  assert.equal(openFds(), before)
})

test('nothing stays open after reading, leaving early, failing and writing', { skip: linux }, async (t) => {
  const { ctx, remote, root } = temporary(t)
  await putText(ctx, remote, 'dir/a.txt', 'x'.repeat(500_000))
  await settle()
  const before = openFds()
  for (let i = 0; i < 100; i++) {
    const file = await fileAt(ctx, remote, 'dir/a.txt')
    const body = await remote.open(ctx, file, { start: i, end: 400_000 })
    assert.ok(body instanceof FileSlice)
    if (i % 3 === 0) await body.close()
    else for await (const chunk of body) if (chunk.length > 0) break
    await rejectsWith(remote.open(ctx, { ...file, path: 'dir/none' }), 'not-found')
    await rejectsWith(remote.open(ctx, { ...file, version: 'other' }), 'not-found')
    await rejectsWith(remote.open(ctx, { ...file, path: 'dir' }), 'is-directory')
    for await (const entry of remote.list(ctx, 'dir')) if (entry) break
    await putText(ctx, remote, `dir/${i}`, 'new')
  }
  assert.ok(openFds() <= before + 1, 'only the one hot file is open')
  await remote.close()
  assert.equal(openFds(), before)
  assert.ok(fs.readdirSync(join(root, 'dir')).every((name) => !name.startsWith('.sluice-')))
})

test('files being written are not listed, not looked up and not deleted; those of killed processes are', async (t) => {
  const { ctx, remote, root } = temporary(t)
  fs.mkdirSync(root)
  const other = join(root, '.sluice-00000000-1-1-0123456789abcdef.part')
  fs.writeFileSync(other, 'of another machine')
  const writer = await remote.openWriter(ctx, 'f', { size: 3 })
  const own = fs.readdirSync(root).find((name) => name.includes(`-${process.pid}-`)) ?? ''
  const dead = own.replace(/-\d+-(\d+)-/, '-4194303-$1-')
  fs.writeFileSync(join(root, dead), 'of a killed process')
  assert.deepEqual([...(await listed(ctx, remote, '')).keys()], [])
  for (const name of [own, dead]) assert.equal(await remote.stat(ctx, name), undefined)
  await assert.rejects(putText(ctx, remote, own, 'x'))
  const again = temporary(t)
  fs.rmSync(again.root, { recursive: true, force: true })
  fs.symlinkSync(root, again.root)
  await putText(again.ctx, again.remote, 'g', 'sweeps')
  const deadline = Date.now() + 2000
  while (fs.existsSync(join(root, dead)) && Date.now() < deadline) await settle()
  assert.deepEqual(fs.readdirSync(root).sort(), [own, '.sluice-00000000-1-1-0123456789abcdef.part', 'g'].sort())
  await writer.write(0, Buffer.from('abc'))
  await writer.commit()
  await writer.close()
  assert.equal((await bytesAt(ctx, remote, 'f')).toString(), 'abc')
})

test('entries that were looked at in another thread are what a look at each of them gives', async (t) => {
  const { ctx, remote, root } = temporary(t)
  const odd = ['ünï ☃', 'plain', 'a b']
  for (const name of odd) fs.mkdirSync(join(root, 'many', name), { recursive: true })
  for (let i = 0; i < 3000; i++) fs.writeFileSync(join(root, 'many', `${i}`), 'x'.repeat(i % 7))
  fs.writeFileSync(Buffer.from(`${root}/many/gro\xdf`, 'latin1'), 'no UTF-8')
  fs.symlinkSync('plain', join(root, 'many', 'link'))
  const looks = new Looks()
  looks.count(10_000)
  while (!looks.ready) await settle()
  const far = LocalRemote.open(ctx, { name: 'local', root, config: defaultsOf(localOptions) }, looks)
  const entries = await listed(ctx, far, 'many')
  assert.equal(entries.size, 3004)
  for (const entry of entries.values()) assert.deepEqual(entry, await remote.stat(ctx, entry.path))
  // Whoever leaves early leaves nothing open.
  const before = openFds()
  for await (const entry of far.list(ctx, 'many')) if (entry) break
  assert.equal(openFds(), before)
})

test('nobody waits for the end of a thread that was begun and had nothing to do', async () => {
  const waitedFor = () => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length
  const before = waitedFor()
  const looks = new Looks()
  looks.count(10_000)
  assert.equal(waitedFor(), before)
  while (!looks.ready) await settle()
  assert.equal(waitedFor(), before)
})

test('a listing of 20,000 entries never keeps the event loop for long', async (t) => {
  const { ctx, remote, root } = temporary(t)
  fs.mkdirSync(root)
  for (let i = 0; i < 20_000; i++) fs.writeFileSync(join(root, `file-${i}`), '')
  let turns = 0
  let running = true
  const tick = () => {
    turns++
    if (running) setImmediate(tick)
  }
  setImmediate(tick)
  let count = 0
  const start = performance.now()
  for await (const entry of remote.list(ctx, '')) count += entry.path.length > 0 ? 1 : 0
  running = false
  t.diagnostic(`${(performance.now() - start).toFixed(0)} ms in ${turns} turns`)
  assert.equal(count, 20_000)
  assert.ok(turns >= 10, `${turns} turns`)
})

test('looking at a directory tells its watch at once of changes and of another directory in its place', async (t) => {
  const { ctx, remote, root, base } = temporary(t)
  fs.mkdirSync(join(base, 'one/dir'), { recursive: true })
  fs.mkdirSync(join(base, 'two/dir'), { recursive: true })
  fs.symlinkSync('one', root)
  const changes: [string, () => void][] = [
    ['a child is added', () => fs.writeFileSync(join(base, 'one/dir/new'), 'x')],
    ['the root leads elsewhere', () => (fs.rmSync(root), fs.symlinkSync('two', root))],
    [
      'a parent is replaced',
      () => (
        fs.renameSync(join(base, 'two'), join(base, 'old')),
        fs.cpSync(join(base, 'old'), join(base, 'two'), { recursive: true })
      ),
    ],
  ]
  for (const [what, change] of changes) {
    let fired = 0
    const stop = remote.watch('dir', () => fired++)
    assert.ok(stop)
    await remote.stat(ctx, 'dir')
    assert.equal(fired, 0)
    change()
    await nextTurn()
    await remote.stat(ctx, 'dir')
    assert.equal(fired, 1, what)
    stop()
  }
})

test('a slow disk is asked through the thread pool until it was given a rest', async () => {
  let now = 0
  let queued = 0
  const disk = new Disk(
    false,
    () => now,
    () => queued,
  )
  const call = (ms: number) =>
    disk.run(
      () => {
        now += ms
        return 'direct'
      },
      async () => 'pooled',
    )
  assert.equal(await call(1), 'direct')
  assert.equal(await call(20), 'direct')
  assert.equal(await call(1), 'pooled')
  now += 2000
  assert.equal(await call(1), 'direct')
  queued += 20
  assert.equal(await call(20), 'direct', 'the processor was busy')
  assert.equal(await call(20), 'direct')
  assert.equal(await call(1), 'pooled')
  assert.equal(
    await new Disk(true).run(
      () => 'direct',
      async () => 'pooled',
    ),
    'pooled',
  )
})

test('a directory that is closed twice leaves alone whatever got its number', async (t) => {
  const { root } = temporary(t)
  fs.mkdirSync(root)
  for (const again of ['close', 'closeNow'] as const) {
    const fd = fs.openSync(root, 'r')
    const directory = new Directory(fd, root, { device: 0n, network: false })
    directory.closeNow()
    const other = fs.openSync(root, 'r')
    assert.equal(other, fd, 'the number is given out again')
    await directory[again]()
    assert.doesNotThrow(() => fs.fstatSync(other))
    fs.closeSync(other)
  }
})
