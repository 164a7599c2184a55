import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import * as fs from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { collect } from '../../base/body.ts'
import { toAppError } from '../../base/error.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { bytesAt, fileAt, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import type { recordingLogger } from '../../core/testing.ts'
import { temporary } from './testing.ts'

function tree(base: string): void {
  fs.mkdirSync(join(base, 'root/dir'), { recursive: true })
  fs.mkdirSync(join(base, 'outside/dir'), { recursive: true })
  fs.mkdirSync(join(base, 'root-twin'))
  fs.writeFileSync(join(base, 'root/dir/in.txt'), 'inside')
  fs.writeFileSync(join(base, 'outside/secret.txt'), 'secret')
  fs.writeFileSync(join(base, 'root-twin/secret.txt'), 'secret')
  const links: Record<string, string> = {
    'file-in': 'dir/in.txt',
    'dir-in': 'dir',
    'file-out': '../outside/secret.txt',
    'dir-out': '../outside',
    'file-abs': join(base, 'outside/secret.txt'),
    twin: '../root-twin',
    up: '..',
    loop: 'loop',
    dangling: 'nothing',
    'dir/back': '..',
    'to-link': 'file-out',
    proc: '/proc/self',
  }
  for (const [name, target] of Object.entries(links)) fs.symlinkSync(target, join(base, 'root', name))
}

const insideLinks = ['file-in', 'dir-in', 'dir-in/in.txt', 'dir/back', 'dir/back/dir/in.txt']
const outsideLinks = [
  'file-out',
  'dir-out',
  'dir-out/secret.txt',
  'file-abs',
  'twin',
  'twin/secret.txt',
  'up',
  'up/outside/secret.txt',
  'up/root/dir/in.txt',
  'loop',
  'loop/x',
  'dangling',
  'to-link',
  'proc/environ',
]

test('without --copy-links no link is listed, looked up or followed, and one notice says so', async (t) => {
  const { ctx, remote, base } = temporary(t)
  tree(base)
  assert.deepEqual([...(await listed(ctx, remote, '')).keys()], ['dir'])
  await listed(ctx, remote, 'dir')
  for (const path of [...insideLinks, ...outsideLinks]) {
    assert.equal(await remote.stat(ctx, path), undefined, path)
    await rejectsWith(collectGhost(path), 'not-found')
    await rejectsWith(listed(ctx, remote, path), 'not-found')
  }
  const { lines } = ctx.log as ReturnType<typeof recordingLogger>
  assert.equal(lines.filter((line) => line.startsWith('notice')).length, 1)

  async function collectGhost(path: string) {
    return await collect(await remote.open(ctx, { kind: 'file', path, size: 6, modTime: 0n }))
  }
})

test('with --copy-links a link is followed inside the root and is not there when it leads out', async (t) => {
  const { ctx, remote, base } = temporary(t, { copyLinks: true })
  tree(base)
  assert.deepEqual([...(await listed(ctx, remote, '')).keys()].sort(), ['dir', 'dir-in', 'file-in'])
  assert.deepEqual([...(await listed(ctx, remote, 'dir-in')).keys()].sort(), ['dir-in/back', 'dir-in/in.txt'])
  for (const path of insideLinks) assert.ok(await remote.stat(ctx, path), path)
  assert.equal((await bytesAt(ctx, remote, 'file-in')).toString(), 'inside')
  for (const path of outsideLinks.filter((path) => path !== 'up/root/dir/in.txt')) {
    assert.equal(await remote.stat(ctx, path), undefined, path)
    await rejectsWith(remote.open(ctx, { kind: 'file', path, size: 6, modTime: 0n }), 'not-found')
  }
})

test('with --copy-links-outside links may lead anywhere', async (t) => {
  const { ctx, remote, base } = temporary(t, { copyLinks: true, copyLinksOutside: true })
  tree(base)
  assert.equal((await bytesAt(ctx, remote, 'file-out')).toString(), 'secret')
  assert.equal((await bytesAt(ctx, remote, 'dir-out/secret.txt')).toString(), 'secret')
  assert.equal(await remote.stat(ctx, 'loop'), undefined)
})

test('with --links a link is a small file that says where it leads', async (t) => {
  const { ctx, remote, base } = temporary(t, { links: true })
  tree(base)
  assert.ok((await listed(ctx, remote, '')).has('file-out.rclonelink'))
  assert.equal((await bytesAt(ctx, remote, 'file-out.rclonelink')).toString(), '../outside/secret.txt')
  assert.equal(await remote.stat(ctx, 'file-out'), undefined)
  assert.equal(await remote.stat(ctx, 'dir.rclonelink'), undefined)
})

test('the root itself may be a link, and may be led elsewhere while it is open', async (t) => {
  const { ctx, remote, base, root } = temporary(t)
  for (const release of ['one', 'two']) {
    fs.mkdirSync(join(base, release))
    fs.writeFileSync(join(base, release, 'version'), release)
  }
  fs.symlinkSync('one', root)
  assert.equal((await bytesAt(ctx, remote, 'version')).toString(), 'one')
  fs.symlinkSync('two', `${root}.new`)
  fs.renameSync(`${root}.new`, root)
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(remote.peek('version'), undefined)
  assert.equal((await bytesAt(ctx, remote, 'version')).toString(), 'two')
  assert.deepEqual([...(await listed(ctx, remote, '')).keys()], ['version'])
})

test('fifos, sockets and devices do not exist, and never make anybody wait', async (t) => {
  const { ctx, remote, root } = temporary(t)
  fs.mkdirSync(root)
  execFileSync('mkfifo', [join(root, 'fifo')])
  const server = createServer().listen(join(root, 'socket'))
  t.after(() => server.close())
  await new Promise((resolve) => server.once('listening', resolve))
  fs.writeFileSync(join(root, 'file'), 'x')
  if (process.getuid?.() === 0) execFileSync('mknod', [join(root, 'zero'), 'c', '1', '5'])
  assert.deepEqual([...(await listed(ctx, remote, '')).keys()], ['file'])
  for (const path of ['fifo', 'socket', 'zero']) {
    assert.equal(await remote.stat(ctx, path), undefined)
    await rejectsWith(remote.open(ctx, { kind: 'file', path, size: 1, modTime: 0n }), 'not-found')
  }
})

test('names that no disk can hold are not found', async (t) => {
  const { ctx, remote, root } = temporary(t)
  fs.mkdirSync(root)
  for (const path of ['x'.repeat(256), 'y/'.repeat(3000) + 'y', '\ud800', 'tail\udfff'])
    assert.equal(await remote.stat(ctx, path), undefined)
  for (const path of ['x'.repeat(256), '\ud800']) await assert.rejects(putText(ctx, remote, path, 'x'))
})

test('names that are not UTF-8 are listed, looked up, read and written', async (t) => {
  const { ctx, remote, root } = temporary(t)
  fs.mkdirSync(root)
  const raw = Buffer.concat([Buffer.from(`${root}/gro`), Buffer.of(0xdf)])
  fs.mkdirSync(raw)
  fs.writeFileSync(Buffer.concat([raw, Buffer.from('/'), Buffer.of(0xff, 0x61)]), 'bytes')
  fs.writeFileSync(join(root, 'new\nline\ttab'), 'control')
  assert.deepEqual([...(await listed(ctx, remote, '')).keys()].sort(), ['gro‛DF', 'new\nline\ttab'])
  assert.deepEqual([...(await listed(ctx, remote, 'gro‛DF')).keys()], ['gro‛DF/‛FFa'])
  assert.equal((await bytesAt(ctx, remote, 'gro‛DF/‛FFa')).toString(), 'bytes')
  assert.equal((await bytesAt(ctx, remote, 'new\nline\ttab')).toString(), 'control')
  await putText(ctx, remote, 'gro‛DF/‛FE', 'written')
  assert.equal(fs.readFileSync(Buffer.concat([raw, Buffer.from('/'), Buffer.of(0xfe)]), 'utf8'), 'written')
  await remote.purge(ctx, 'gro‛DF')
  assert.deepEqual([...(await listed(ctx, remote, '')).keys()], ['new\nline\ttab'])
})

test(
  'a directory without permission is denied',
  { skip: process.getuid?.() === 0 && 'root may read all' },
  async (t) => {
    const { ctx, remote, root } = temporary(t)
    fs.mkdirSync(join(root, 'closed'), { recursive: true })
    fs.chmodSync(join(root, 'closed'), 0)
    await rejectsWith(listed(ctx, remote, 'closed'), 'denied')
  },
)

/** Swaps a directory and a link to the outside as fast as it can, in a process of its own. */
const swapper = `
import fs from 'node:fs'
const [base] = process.argv.slice(1)
const [real, link, at] = ['real', 'link', 'root/way'].map((name) => base + '/' + name)
// A writer may make the way anew while it is missing: then all is set up again.
function reset() {
  fs.rmSync(at, { recursive: true, force: true })
  if (!fs.existsSync(real)) { fs.mkdirSync(real); fs.writeFileSync(real + '/name', 'inside') }
  fs.rmSync(link, { force: true }); fs.symlinkSync(base + '/outside', link)
  fs.renameSync(real, at)
}
process.stdout.write('go')
for (let end = Date.now() + 1500; Date.now() < end;)
  try {
    fs.renameSync(at, real); fs.renameSync(link, at)
    fs.renameSync(at, link); fs.renameSync(real, at)
  } catch { try { reset() } catch {} }`

async function swapping(base: string, attack: () => Promise<void>): Promise<number> {
  fs.mkdirSync(join(base, 'root/way'), { recursive: true })
  fs.mkdirSync(join(base, 'outside'))
  fs.writeFileSync(join(base, 'root/way/name'), 'inside')
  fs.writeFileSync(join(base, 'outside/name'), 'secret')
  fs.symlinkSync(join(base, 'outside'), join(base, 'link'))
  const { spawn } = await import('node:child_process')
  const child = spawn(process.execPath, ['--input-type=module', '-e', swapper, base], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  await new Promise((resolve) => child.stdout.once('data', resolve))
  let rounds = 0
  for (; child.exitCode === null; rounds++) {
    await attack()
    await new Promise((resolve) => setImmediate(resolve))
  }
  await ended
  return rounds
}

for (const copyLinks of [false, true])
  test(`a link that is swapped in while a file is read never shows the outside (copyLinks ${copyLinks})`, async (t) => {
    const { ctx, remote, base } = temporary(t, { copyLinks })
    let read = 0
    await swapping(base, async () => {
      const ghost: FileEntry = { kind: 'file', path: 'way/name', size: 6, modTime: 0n }
      const entry = (await remote.stat(ctx, 'way/name')) ?? ghost
      if (entry.kind !== 'file') assert.fail('not a file')
      try {
        const bytes = await collect(await remote.open(ctx, entry))
        assert.equal(Buffer.from(bytes).toString(), 'inside')
        read++
      } catch (error) {
        assert.ok(['not-found', 'not-directory'].includes(toAppError(error).code), String(error))
      }
    })
    assert.ok(read > 0)
  })

test('a link that is swapped in while a file is written never leads the bytes outside', async (t) => {
  const { ctx, remote, base } = temporary(t)
  let written = 0
  await swapping(base, async () => {
    try {
      await putText(ctx, remote, 'way/new', 'content')
      written++
      await remote.remove(ctx, await fileAt(ctx, remote, 'way/new'))
    } catch {
      // not found, or already a file: what counts is where nothing may be
    }
    assert.deepEqual(fs.readdirSync(join(base, 'outside')), ['name'])
  })
  assert.ok(written > 0)
  assert.equal(fs.readFileSync(join(base, 'outside/name'), 'utf8'), 'secret')
})
