import type { Body } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import { asCanonical, isEntryName, join } from '../base/path.ts'
import type { Range } from '../base/range.ts'
import { fromMs, type Nanoseconds } from '../base/time.ts'
import type { Context } from '../core/context.ts'
import { defineBackend, type Named } from '../remote/backend.ts'
import { specBelow } from '../remote/below.ts'
import { type Metadata, metadataOf } from '../remote/metadata.ts'
import type { Entry, FileEntry, PutInfo, Remote, RemoteInfo, Usage } from '../remote/remote.ts'
import { togetherInfo, totalUsage, withoutLacking } from '../remote/together.ts'
import { defineOptions, option } from '../schema/option.ts'
import { spaceList } from '../schema/values.ts'

const combineOptions = defineOptions('combine', {
  upstreams: option(spaceList, [], 'What to show where: dir=remote:path dir2=remote2:path ..., quoted where need be', {
    flag: 'combine-upstreams',
    required: true,
  }),
})

/** Several remotes, each as one directory of a root that holds nothing else. */
export const combineBackend = defineBackend({
  name: 'combine',
  description: 'Combine several remotes into one',
  options: combineOptions,
  wraps: true,
  standsFor,
  async open(_ctx, args) {
    const one = standsFor(args)
    if (one !== undefined) return await args.openRemote(one)
    const upstreams = new Map<string, Remote>()
    for (const [dir, spec] of parseUpstreams(args.config.upstreams)) upstreams.set(dir, await args.openRemote(spec))
    return combine(upstreams, args.name)
  },
})

/** All roots but the whole one lie in one upstream. */
function standsFor({ root, config }: Named<typeof combineOptions>): string | undefined {
  const specs = parseUpstreams(config.upstreams)
  const [top = '', ...rest] = asCanonical(root.replace(/^\/+|\/+$/g, '')).split('/')
  if (top === '') return undefined
  const spec = specs.get(top)
  if (spec === undefined) throw new AppError('not-found', `combine: there is no upstream "${top}"`)
  return specBelow(spec, rest.join('/'))
}

/** The upstreams as texts, by directory. */
function parseUpstreams(list: readonly string[]): ReadonlyMap<string, string> {
  if (list.length === 0)
    throw new AppError('invalid', "combine can't point to an empty upstream - check the value of the upstreams setting")
  const specs = new Map<string, string>()
  for (const text of list) {
    const [, dir, spec] = /^([^=]+)=(.+)$/s.exec(text) ?? []
    if (dir === undefined || spec === undefined)
      throw new AppError('invalid', `combine: "${text}" is not dir=remote:path`)
    if (!isEntryName(dir)) throw new AppError('invalid', `combine: "${dir}" is no name for a directory`)
    if (specs.has(dir)) throw new AppError('invalid', `combine: the directory "${dir}" is there twice`)
    specs.set(dir, spec)
  }
  return specs
}

/** The remotes of a map as directories of one remote, which is called `name` in messages. */
export function combine(upstreams: ReadonlyMap<string, Remote>, name: string): Remote {
  const all = [...upstreams.values()]
  const whole = new CombinedRemote(
    upstreams,
    togetherInfo(
      all.map(({ info }) => info),
      { name, type: 'combine', root: '', description: `combine root of ${name}` },
    ),
  )
  return withoutLacking(whole, all, { all: optional, some: ['poll', 'metadata'] })
}

/** What is offered only when all upstreams do. */
const optional = [
  'copy',
  'move',
  'moveDirectory',
  'purge',
  'hash',
  'setModTime',
  'peek',
  'watch',
  'about',
] as const satisfies readonly (keyof Remote)[]

/** Where a path of the whole lies. */
interface Place {
  readonly dir: string
  readonly remote: Remote
  readonly path: string
}

class CombinedRemote implements Remote {
  readonly info: RemoteInfo
  readonly #upstreams: ReadonlyMap<string, Remote>
  readonly #opened = fromMs(Date.now())
  /** One outer entry for each inner one, so that an unchanged file is the same object. */
  readonly #outer = new WeakMap<FileEntry, FileEntry>()
  readonly #inner = new WeakMap<FileEntry, FileEntry>()

  constructor(upstreams: ReadonlyMap<string, Remote>, info: RemoteInfo) {
    this.#upstreams = upstreams
    this.info = info
  }

  async *list(ctx: Context, dir: string): AsyncGenerator<Entry> {
    if (dir === '') {
      for (const name of this.#upstreams.keys()) yield { kind: 'directory', path: name, modTime: this.#opened }
      return
    }
    const place = this.#at(dir)
    for await (const entry of place.remote.list(ctx, place.path)) yield this.#entry(place.dir, entry)
  }

  async stat(ctx: Context, path: string): Promise<Entry | undefined> {
    if (path === '') return { kind: 'directory', path, modTime: this.#opened }
    const place = this.#find(path)
    if (!place) return undefined
    if (place.path === '') {
      // A local upstream compares what is there now with what is watched.
      if (place.remote.info.traits.isLocal) await place.remote.stat(ctx, '')
      return { kind: 'directory', path, modTime: this.#opened }
    }
    const entry = await place.remote.stat(ctx, place.path)
    return entry && this.#entry(place.dir, entry)
  }

  peek(path: string): FileEntry | undefined {
    const place = this.#find(path)
    const entry = place && place.path !== '' ? place.remote.peek?.(place.path) : undefined
    return entry && place && this.#file(place.dir, entry)
  }

  async open(ctx: Context, file: FileEntry, range?: Range): Promise<Body> {
    const { remote } = this.#at(file.path)
    return await remote.open(ctx, this.#innerFile(file), range)
  }

  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    const place = this.#below(path)
    return this.#file(place.dir, await place.remote.put(ctx, place.path, body, info))
  }

  async remove(ctx: Context, file: FileEntry): Promise<void> {
    await this.#below(file.path).remote.remove(ctx, this.#innerFile(file))
  }

  async mkdir(ctx: Context, dir: string): Promise<void> {
    if (dir === '') return
    const { remote, path } = this.#at(asCanonical(dir))
    await remote.mkdir(ctx, path)
  }

  async rmdir(ctx: Context, dir: string): Promise<void> {
    const { remote, path } = this.#below(dir)
    await remote.rmdir(ctx, path)
  }

  async copy(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const [from, target] = [this.#below(file.path), this.#below(to)]
    const inner = this.#innerFile(file)
    const copied =
      from.remote === target.remote && from.remote.copy
        ? await from.remote.copy(ctx, inner, target.path)
        : await across(ctx, from, target, inner)
    return this.#file(target.dir, copied)
  }

  async move(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const [from, target] = [this.#below(file.path), this.#below(to)]
    const inner = this.#innerFile(file)
    if (from.remote === target.remote && from.remote.move)
      return this.#file(target.dir, await from.remote.move(ctx, inner, target.path))
    const copied = await across(ctx, from, target, inner)
    await from.remote.remove(ctx, inner)
    return this.#file(target.dir, copied)
  }

  async moveDirectory(ctx: Context, from: string, to: string): Promise<void> {
    const [source, target] = [this.#below(from), this.#below(to)]
    if (source.remote !== target.remote || !source.remote.moveDirectory)
      throw new AppError('unsupported', "can't move a directory from one upstream to another at once")
    await source.remote.moveDirectory(ctx, source.path, target.path)
  }

  async purge(ctx: Context, dir: string): Promise<void> {
    const { remote, path } = this.#below(dir)
    await remote.purge?.(ctx, path)
  }

  async hash(ctx: Context, file: FileEntry, kind: string): Promise<string> {
    const { remote } = this.#at(file.path)
    if (!remote.hash) throw new AppError('unsupported', `no ${kind} checksums here`)
    return await remote.hash(ctx, this.#innerFile(file), kind)
  }

  async metadata(ctx: Context, entry: Entry): Promise<Metadata | undefined> {
    const place = this.#find(entry.path)
    if (!place?.path) return undefined
    const inner = entry.kind === 'file' ? this.#innerFile(entry) : { ...entry, path: place.path }
    return await metadataOf(ctx, place.remote, inner)
  }

  async setModTime(ctx: Context, entry: Entry, time: Nanoseconds): Promise<void> {
    const { remote, path } = this.#below(entry.path)
    await remote.setModTime?.(ctx, entry.kind === 'file' ? this.#innerFile(entry) : { ...entry, path }, time)
  }

  async about(ctx: Context): Promise<Usage> {
    return totalUsage(
      await Promise.all([...this.#upstreams.values()].map(async (remote) => (await remote.about?.(ctx)) ?? {})),
    )
  }

  watch(dir: string, changed: () => void): (() => void) | undefined {
    // The root never changes.
    if (dir === '') return () => {}
    const place = this.#find(dir)
    return place?.remote.watch?.(place.path, changed)
  }

  poll(ctx: Context, pollMs: number, changed: (path: string, kind: Entry['kind']) => void): () => void {
    const stops = [...this.#upstreams].map(([dir, remote]) =>
      remote.poll?.(ctx, pollMs, (path, kind) => changed(join(dir, path), kind)),
    )
    return () => {
      for (const stop of stops) stop?.()
    }
  }

  #find(path: string): Place | undefined {
    const slash = path.indexOf('/')
    const dir = slash < 0 ? path : path.slice(0, slash)
    const remote = this.#upstreams.get(dir)
    return remote && { dir, remote, path: slash < 0 ? '' : path.slice(slash + 1) }
  }

  #at(path: string): Place {
    const place = this.#find(path)
    if (!place) throw new AppError('not-found', `${path} does not exist`)
    return place
  }

  /** The place of something below an upstream's own directory, which itself stays as it is. */
  #below(path: string): Place {
    const place = this.#find(asCanonical(path))
    if (!place && path.includes('/')) throw new AppError('not-found', `${path} does not exist`)
    if (!place?.path) throw new AppError('denied', 'the root of a combine remote holds its upstreams and nothing else')
    return place
  }

  #entry(dir: string, entry: Entry): Entry {
    return entry.kind === 'file' ? this.#file(dir, entry) : { ...entry, path: join(dir, entry.path) }
  }

  #file(dir: string, inner: FileEntry): FileEntry {
    let outer = this.#outer.get(inner)
    if (!outer) {
      outer = { ...inner, path: join(dir, inner.path) }
      this.#outer.set(inner, outer)
      this.#inner.set(outer, inner)
    }
    return outer
  }

  #innerFile(outer: FileEntry): FileEntry {
    return this.#inner.get(outer) ?? { ...outer, path: this.#at(outer.path).path }
  }
}

/** Copies from one upstream to another; a copy of another size is an error. */
async function across(ctx: Context, from: Place, to: Place, file: FileEntry): Promise<FileEntry> {
  const { modTime, contentType, metadata, size } = file
  const info = { modTime, contentType, metadata, ...(size < 0 ? {} : { size }) }
  return await to.remote.put(ctx, to.path, await from.remote.open(ctx, file), info)
}
