import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { bodyOf, collect } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import { asCanonical, parentOf } from '../base/path.ts'
import type { Range } from '../base/range.ts'
import { recordingLogger, testContext } from '../core/testing.ts'
import { KeptListings } from '../remote/kept-listings.ts'
import type { Entry, FileEntry, Remote, Trait } from '../remote/remote.ts'
import { defaultsOf } from '../schema/option.ts'
import { vfsOptions, type VfsOptions } from './options.ts'
import { Vfs } from './vfs.ts'

/** A storage of files by path that counts what it is asked. */
class Shelf {
  readonly files = new Map<string, string>()
  readonly asked: string[] = []
  readonly watchers = new Map<string, () => void>()
  readonly remote: Remote

  constructor(traits: Partial<Record<Trait, true>> = {}) {
    this.remote = {
      info: { name: 'shelf', type: 'shelf', root: '', description: 'shelf', hashes: ['md5'], traits },
      list: (_ctx, dir) => this.#list(dir),
      stat: async (_ctx, path) => {
        this.asked.push(`stat ${path}`)
        if (this.files.has(path)) return this.#file(path)
        const directory = [...this.files.keys()].some((file) => file.startsWith(`${path}/`))
        return directory ? { kind: 'directory', path, modTime: 0n } : undefined
      },
      open: async (_ctx, file, range) => this.#open(file, range),
      put: () => Promise.reject(new AppError('unsupported', 'put')),
      remove: () => Promise.reject(new AppError('unsupported', 'remove')),
      mkdir: () => Promise.reject(new AppError('unsupported', 'mkdir')),
      rmdir: () => Promise.reject(new AppError('unsupported', 'rmdir')),
    }
  }

  watched(): this {
    this.remote.watch = (dir, changed) => {
      this.watchers.set(dir, changed)
      return () => this.watchers.delete(dir)
    }
    return this
  }

  async *#list(dir: string): AsyncGenerator<Entry> {
    this.asked.push(`list ${dir}`)
    const seen = new Set<string>()
    for (const path of this.files.keys()) {
      if (parentOf(path) === dir) yield this.#file(path)
      const below = dir === '' ? path : path.startsWith(`${dir}/`) ? path.slice(dir.length + 1) : ''
      const name = below.includes('/') ? below.slice(0, below.indexOf('/')) : ''
      if (name === '' || seen.has(name)) continue
      seen.add(name)
      yield { kind: 'directory', path: dir === '' ? name : `${dir}/${name}`, modTime: 0n }
    }
  }

  #file(path: string): FileEntry {
    return { kind: 'file', path, size: this.files.get(path)?.length ?? -1, modTime: 1n, hashes: { md5: 'wrong' } }
  }

  #open(file: FileEntry, range: Range = { start: 0, end: Infinity }) {
    this.asked.push(`open ${file.path} ${range.start}-${range.end}`)
    const content = this.files.get(file.path)
    if (content === undefined) throw new AppError('not-found', 'gone')
    return bodyOf(content.slice(range.start, range.end))
  }
}

function vfsOver(shelf: Shelf, options: Partial<VfsOptions> = {}, log = recordingLogger()) {
  const ctx = testContext({ log })
  return { ctx, log, vfs: new Vfs(ctx, shelf.remote, { ...defaultsOf(vfsOptions), ...options }, 1024) }
}

async function text(
  vfs: Vfs,
  ctx: ReturnType<typeof testContext>,
  path: string,
  range?: Range,
): Promise<string | undefined> {
  const node = await vfs.lookup(ctx, asCanonical(path))
  return node?.kind === 'file' ? Buffer.from(await collect(await node.open(ctx, range))).toString() : undefined
}

/** Has the VFS hold the listing of a directory. */
async function list(vfs: Vfs, ctx: ReturnType<typeof testContext>, dir: string): Promise<void> {
  const node = await vfs.lookup(ctx, asCanonical(dir))
  if (node?.kind === 'directory') await node.entries(ctx)
}

test('a few files of a directory are looked up one by one, more of them by its listing, which is read once for all', async () => {
  const shelf = new Shelf()
  const names = Array.from({ length: 20 }, (_, i) => `a/${i}`)
  for (const name of names) shelf.files.set(name, name)
  const { vfs, ctx } = vfsOver(shelf)
  const nodes = await Promise.all([...names, 'a/no'].map((path) => vfs.lookup(ctx, asCanonical(path))))
  assert.deepEqual(
    nodes.map((node) => node?.entry.path),
    [...names, undefined],
  )
  assert.equal(shelf.asked.filter((what) => what === 'list a').length, 1)
  assert.equal(shelf.asked.filter((what) => what.startsWith('stat')).length, 4)
})

test('a listing that was begun before a change is neither kept nor joined', async () => {
  const shelf = new Shelf()
  shelf.files.set('a/x', 'one')
  const { vfs, ctx } = vfsOver(shelf)
  const early = list(vfs, ctx, 'a')
  await Promise.resolve()
  vfs.forget()
  shelf.files.set('a/new', 'new')
  await list(vfs, ctx, 'a')
  await early
  assert.equal((await vfs.lookup(ctx, asCanonical('a/new')))?.entry.path, 'a/new')
})

test('forget makes the next look go to the storage', async () => {
  const shelf = new Shelf()
  shelf.files.set('a/x', 'one')
  const { vfs, ctx } = vfsOver(shelf)
  await list(vfs, ctx, 'a')
  shelf.files.set('a/new', 'new')
  assert.equal(await vfs.lookup(ctx, asCanonical('a/new')), undefined)
  assert.deepEqual(vfs.forget('a'), ['a'])
  assert.equal((await vfs.lookup(ctx, asCanonical('a/new')))?.entry.path, 'a/new')
})

test('refresh reads again and says how each directory went', async () => {
  const shelf = new Shelf()
  shelf.files.set('a/b/x', 'one')
  const { vfs, ctx } = vfsOver(shelf)
  assert.deepEqual(await vfs.refresh(ctx, '', true), { '': 'OK', a: 'OK', 'a/b': 'OK' })
})

test('a local disk is asked each time for files, and its listings are held only while they are watched', async () => {
  const plain = new Shelf({ isLocal: true })
  plain.files.set('x', 'one')
  const unwatched = vfsOver(plain)
  const root = async (vfs: Vfs, ctx: ReturnType<typeof testContext>) => {
    const node = await vfs.lookup(ctx, asCanonical(''))
    return node?.kind === 'directory' ? await node.entries(ctx) : undefined
  }
  await root(unwatched.vfs, unwatched.ctx)
  await root(unwatched.vfs, unwatched.ctx)
  assert.equal(plain.asked.filter((what) => what === 'list ').length, 2)

  const shelf = new Shelf({ isLocal: true }).watched()
  shelf.files.set('x', 'one')
  const { vfs, ctx } = vfsOver(shelf)
  const first = await root(vfs, ctx)
  assert.equal(await root(vfs, ctx), first, 'the same array while nothing changed')
  shelf.files.set('y', 'two')
  shelf.watchers.get('')?.()
  assert.equal((await root(vfs, ctx))?.length, 2)
})

test('a name is found in another Unicode form, and in another case when asked to', async () => {
  const shelf = new Shelf()
  shelf.files.set('u\u0308ber/Grün.txt', 'found')
  const { vfs, ctx } = vfsOver(shelf)
  assert.equal(await text(vfs, ctx, '\u00fcber/Gru\u0308n.txt'), 'found')
  assert.equal(await text(vfs, ctx, '\u00fcber/grün.txt'), undefined)
  const folded = vfsOver(shelf, { caseInsensitive: true })
  assert.equal(await text(folded.vfs, folded.ctx, '\u00dcBER/GRÜN.TXT'), 'found')
  const strict = vfsOver(shelf, { noUnicodeNormalization: true })
  assert.equal(await text(strict.vfs, strict.ctx, '\u00fcber/Gru\u0308n.txt'), undefined)
})

test('two names that would do are an error, but an exact one wins', async () => {
  const shelf = new Shelf()
  shelf.files.set('File', '1').set('FILE', '2')
  const { vfs, ctx } = vfsOver(shelf, { caseInsensitive: true })
  assert.equal(await text(vfs, ctx, 'FILE'), '2')
  await assert.rejects(vfs.lookup(ctx, asCanonical('file')), { code: 'busy' })
})

test('a range is read in pieces, and only the bytes of the range', async () => {
  const shelf = new Shelf()
  shelf.files.set('f', 'abcdefghijklmnopqrstuvwxyz')
  const { vfs, ctx } = vfsOver(shelf, { chunkSize: 4, chunkSizeLimit: 8 })
  assert.equal(await text(vfs, ctx, 'f', { start: 2, end: 20 }), 'cdefghijklmnopqrst')
  assert.deepEqual(
    shelf.asked.filter((what) => what.startsWith('open')),
    ['open f 2-6', 'open f 6-14', 'open f 14-20'],
  )
})

test('a checksum that differs is an error in the log, unless checksums are off', async () => {
  const shelf = new Shelf()
  shelf.files.set('f', 'abc')
  const { vfs, ctx, log } = vfsOver(shelf)
  await text(vfs, ctx, 'f')
  assert.match(log.lines.join(), /error: f: corrupted on transfer: md5 hashes differ/)
  const off = vfsOver(shelf, { noChecksum: true })
  await text(off.vfs, off.ctx, 'f')
  assert.deepEqual(off.log.lines, [])
})

test('a file that is gone when it is opened is not found, and its directory is read again', async () => {
  const shelf = new Shelf()
  shelf.files.set('f', 'abc')
  const { vfs, ctx } = vfsOver(shelf)
  const node = await vfs.lookup(ctx, asCanonical('f'))
  shelf.files.delete('f')
  await assert.rejects(async () => node?.kind === 'file' && (await node.open(ctx)), { code: 'not-found' })
  assert.equal(await vfs.lookup(ctx, asCanonical('f')), undefined)
})

test('metadata is shown as a file when asked to', async () => {
  const shelf = new Shelf()
  shelf.files.set('f', 'abc')
  const { vfs, ctx } = vfsOver(shelf, { metadataExtension: '.meta' })
  assert.equal(await text(vfs, ctx, 'f.meta'), '{}')
  assert.equal(await text(vfs, ctx, 'g.meta'), undefined)
})

test('listings that are kept on disk are there after a restart, until they are old or something changes', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-listings-'))
  t.after(() => rmSync(dir, { recursive: true }))
  const shelf = new Shelf()
  shelf.files.set('dir/a', 'abc')
  const open = () => KeptListings.open(join(dir, 'listings.sqlite'))
  const begin = (options: Partial<VfsOptions> = {}) => {
    const ctx = testContext()
    return { ctx, vfs: new Vfs(ctx, shelf.remote, { ...defaultsOf(vfsOptions), ...options }, 0, open) }
  }
  async function listedAnew(options?: Partial<VfsOptions>, forget?: string): Promise<number> {
    const { ctx, vfs } = begin(options)
    shelf.asked.length = 0
    if (forget !== undefined) vfs.forget(forget)
    await list(vfs, ctx, 'dir')
    await vfs.close()
    return shelf.asked.filter((asked) => asked === 'list dir').length
  }
  assert.equal(await listedAnew(), 1)
  assert.equal(await listedAnew(), 0)
  assert.equal(await listedAnew({}, 'dir/a'), 1)
  assert.equal(await listedAnew(), 0)
  assert.equal(await listedAnew({ dirCacheTime: 0 }), 1)
})
