import { createHash } from 'node:crypto'
import { join as joinDisk } from 'node:path'
import type { Body } from '../../base/body.ts'
import { derive } from '../../base/derive.ts'
import { AppError } from '../../base/error.ts'
import type { Json } from '../../base/json.ts'
import { asCanonical, join } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import { cacheDirOf } from '../../core/cache-dir.ts'
import type { Context } from '../../core/context.ts'
import { mainOptions } from '../../core/options.ts'
import { extend } from '../../layers/extend.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { specBelow } from '../../remote/below.ts'
import { type Hasher, hasher, hashKinds } from '../../remote/hash.ts'
import type { FileEntry, PutInfo, Remote, RemoteInfo } from '../../remote/remote.ts'
import { runCommand } from './commands.ts'
import type { hasherOptions } from './index.ts'
import { type Sums, SumStore } from './store.ts'
import { KeptSums } from './sums.ts'

/** Opens a hasher; its database is in the cache directory, one for each remote that is wrapped. */
export async function openHasher(ctx: Context, args: OpenArgs<typeof hasherOptions>): Promise<Remote> {
  const { name, config } = args
  const root = asCanonical(args.root.replace(/^\/+|\/+$/g, ''))
  const kinds = config.hashes.map((kind) => kind.trim().toLowerCase())
  for (const kind of kinds)
    if (!hashKinds.includes(kind))
      throw new AppError(
        'invalid',
        `hasher: unknown checksum ${JSON.stringify(kind)}, use some of: ${hashKinds.join(', ')}`,
      )
  const inner = await args.openRemote(specBelow(config.remote, root))
  const store = new SumStore(databaseOf(ctx, config.remote))
  const { traits, hashes } = inner.info
  const { isLocal: _, slowHash, ...kept } = traits
  const info: RemoteInfo = {
    ...inner.info,
    name,
    type: 'hasher',
    root,
    description: `Hashed '${name}:${root}'`,
    hashes: hashKinds.filter((kind) => kinds.includes(kind) || hashes.includes(kind)),
    traits: { ...kept, ...(slowHash && hashes.some((kind) => !kinds.includes(kind)) ? { slowHash } : {}) },
  }
  const sums = new KeptSums({ inner, store, root, kinds: config.maxAge > 0 ? kinds : [], maxAge: config.maxAge })
  return remembering(inner, info, {
    sums,
    store,
    root,
    autoSize: config.autoSize,
    openRemote: (spec) => args.openRemote(spec),
  })
}

function databaseOf(ctx: Context, remote: string): string {
  // The text may hold a password.
  const id = createHash('sha256').update(remote).digest('hex').slice(0, 16)
  return joinDisk(cacheDirOf(ctx.get(mainOptions).cacheDir, process.env), 'hasher', `${id}.db`)
}

interface Memory {
  readonly sums: KeptSums
  readonly store: SumStore
  readonly root: string
  /** Bytes up to which a file is read for its checksum. */
  readonly autoSize: number
  readonly openRemote: (spec: string) => Promise<Remote>
}

/** The remote below, with checksums that are remembered. */
function remembering(inner: Remote, info: RemoteInfo, memory: Memory): Remote {
  const { sums, store, root, openRemote } = memory
  const contents = remembered(inner, memory)
  const remote: Remote = Object.assign(extend(inner, { ...contents, ...followed(inner, memory) }), {
    info,
    hash: contents.hash,
    command: async (ctx: Context, name: string, args: readonly string[]): Promise<Json> => {
      const keep = (file: FileEntry, known: Sums) => sums.keep(file, known)
      return await runCommand(ctx, { remote, store, root, keep, openRemote }, name, args)
    },
    close: (): Promise<void> => {
      store.close()
      return Promise.resolve()
    },
  })
  return remote
}

/** What is stored, and what is read from end to end, is summed up on its way. */
function remembered(
  inner: Remote,
  { sums, store, root, autoSize }: Memory,
): Pick<Required<Remote>, 'put' | 'open' | 'hash'> {
  const isFast = (kind: string) => inner.info.hashes.includes(kind) && !inner.info.traits.slowHash

  async function put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    const made = hashersOf(sums.kinds)
    const stored = await inner.put(ctx, path, summed(body, made), info)
    store.remove(join(root, path))
    sums.keep(stored, digests(made))
    return stored
  }

  async function open(ctx: Context, file: FileEntry, range?: Range): Promise<Body> {
    const body = await inner.open(ctx, file, range)
    const whole = file.size >= 0 && (range?.start ?? 0) === 0 && (range?.end ?? Infinity) >= file.size
    const known = whole ? sums.of(file) : {}
    const wanted = sums.kinds.filter((kind) => known[kind] === undefined)
    if (!whole || wanted.length === 0) return body
    const made = hashersOf(wanted)
    return derive(body, (source) => summed(source, made, () => sums.keep(file, digests(made))))
  }

  async function hash(ctx: Context, file: FileEntry, kind: string): Promise<string> {
    if (isFast(kind)) return (await inner.hash?.(ctx, file, kind)) ?? ''
    const known = sums.of(file)[kind]
    if (known !== undefined) return known
    if (inner.info.hashes.includes(kind)) {
      const value = (await inner.hash?.(ctx, file, kind)) ?? ''
      if (value !== '' && sums.kinds.includes(kind)) sums.keep(file, { [kind]: value })
      return value
    }
    if (file.size < 0 || file.size > autoSize || !sums.kinds.includes(kind)) return ''
    for await (const _ of await open(ctx, file)) {
      // read for its checksums
    }
    return sums.of(file)[kind] ?? ''
  }

  return { put, open, hash }
}

/** Checksums go with their files. */
function followed(inner: Remote, { sums, store, root }: Memory): Partial<Remote> {
  const full = (path: string) => join(root, path)
  return {
    async setModTime(ctx, entry, time) {
      const known = entry.kind === 'file' ? sums.of(entry) : {}
      await inner.setModTime?.(ctx, entry, time)
      // The bytes are the same: only what tells the version has changed.
      const now = entry.kind === 'file' ? await inner.stat(ctx, entry.path) : undefined
      if (now?.kind === 'file') sums.keep(now, known)
    },
    async remove(ctx, file) {
      await inner.remove(ctx, file)
      store.remove(full(file.path))
    },
    async copy(ctx, file, to) {
      const known = sums.of(file)
      const copied = (await inner.copy?.(ctx, file, to)) as FileEntry
      store.remove(full(to))
      sums.keep(copied, known)
      return copied
    },
    async move(ctx, file, to) {
      const known = sums.of(file)
      const moved = (await inner.move?.(ctx, file, to)) as FileEntry
      store.remove(full(file.path))
      store.remove(full(to))
      sums.keep(moved, known)
      return moved
    },
    async moveDirectory(ctx, from, to) {
      await inner.moveDirectory?.(ctx, from, to)
      store.move(full(from), full(to))
    },
    async purge(ctx, dir) {
      await inner.purge?.(ctx, dir)
      store.removeBelow(full(dir))
    },
  }
}

function hashersOf(kinds: readonly string[]): ReadonlyMap<string, Hasher> {
  return new Map(kinds.map((kind) => [kind, hasher(kind)]))
}

function digests(made: ReadonlyMap<string, Hasher>): Sums {
  return Object.fromEntries([...made].map(([kind, sum]) => [kind, sum.digest()]))
}

async function* summed(
  body: Body,
  made: ReadonlyMap<string, Hasher>,
  atEnd = () => {},
): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) {
    for (const sum of made.values()) sum.update(chunk)
    yield chunk
  }
  atEnd()
}
