import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { memoryBackend, memoryOptions } from '../../backends/memory/index.ts'
import type { Body } from '../../base/body.ts'
import type { AppError } from '../../base/error.ts'
import { testContext } from '../../core/testing.ts'
import type { Range } from '../../base/range.ts'
import { extend } from '../../layers/extend.ts'
import type { Remote } from '../../remote/remote.ts'
import { defaultsOf } from '../../schema/option.ts'
import { type VfsOptions, vfsOptions } from '../options.ts'
import { FileCache } from './cache.ts'
import { layoutOf } from './layout.ts'
import { cachedRemote } from './remote.ts'

/** Memory that is not taken for something near: a storage for tests, named `far:`. */
export async function farRemote(): Promise<Remote> {
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  const config = defaultsOf(memoryOptions)
  const memory = await memoryBackend().open(testContext(), { name: 'far', root: '', config, openRemote })
  const { isLocal: _, ...traits } = memory.info.traits
  return Object.assign(memory, { info: { ...memory.info, traits } })
}

/** A storage that notes what is read of it, and can be told to fail. */
export interface Watched {
  readonly remote: Remote
  /** Bytes that were pulled out of it. */
  readonly fetched: Range[]
  /** Errors for the next calls of a method; the last one stays. */
  fails: Partial<Record<'list' | 'stat' | 'open' | 'put' | 'remove', AppError>>
  /** Paths that were stored, in order. */
  readonly stored: string[]
}

export function watched(inner: Remote): Watched {
  const fetched: Range[] = []
  const stored: string[] = []
  const out: Watched = { remote: inner, fetched, stored, fails: {} }
  const check = (name: keyof Watched['fails']) => {
    const error = out.fails[name]
    if (error) throw error
  }
  const remote = extend(inner, {
    async *list(ctx, dir) {
      check('list')
      yield* inner.list(ctx, dir)
    },
    async stat(ctx, path) {
      check('stat')
      return await inner.stat(ctx, path)
    },
    async open(ctx, file, range) {
      check('open')
      return noted(await inner.open(ctx, file, range), range?.start ?? 0, fetched)
    },
    async put(ctx, path, body, info) {
      check('put')
      const entry = await inner.put(ctx, path, body, info)
      stored.push(path)
      return entry
    },
    async remove(ctx, file) {
      check('remove')
      await inner.remove(ctx, file)
    },
  })
  return Object.assign(out, { remote })
}

/** In small pieces, with other work in between, as from a network. */
async function* noted(body: Body, start: number, fetched: Range[]): AsyncGenerator<Uint8Array> {
  let at = start
  for await (const bytes of body)
    for (let from = 0; from < bytes.length; from += PIECE) {
      const piece = bytes.subarray(from, from + PIECE)
      await nextTurn()
      fetched.push({ start: at, end: at + piece.length })
      at += piece.length
      yield piece
    }
}

const PIECE = 16 * 1024

/** A directory for caches, removed at the end of the test. */
export function cacheDir(t: Pick<TestContext, 'after'>): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-cache-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

/** A remote through its cache in a directory; nothing is read ahead unless `options` says so. */
export async function openCached(dir: string, inner: Remote, options: Partial<VfsOptions> = {}, ctx = testContext()) {
  const all = {
    ...defaultsOf(vfsOptions),
    cacheMode: 'full' as const,
    handleCaching: 0,
    cachePollInterval: 0,
    ...options,
  }
  let id = 0
  const layout = layoutOf(dir, 'far:', inner.info)
  const cache = await FileCache.open({
    ctx,
    remote: inner,
    options: all,
    bufferSize: 0,
    transfers: 4,
    layout,
    nextId: () => ++id,
  })
  await cache.ready
  const writes = all.cacheMode === 'full' || all.cacheMode === 'writes'
  return { ctx, cache, layout, remote: cachedRemote(inner, cache, { writes, options: all, bufferSize: 0 }) }
}
