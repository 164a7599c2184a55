import type { Body } from '../../base/body.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { type Branch, fanOut } from '../../base/fan-out.ts'
import { asCanonical, parentOf } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Nanoseconds } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import type { Entry, FileEntry, PutInfo, Remote, RemoteInfo, Usage } from '../../remote/remote.ts'
import { togetherInfo, totalUsage, withoutLacking } from '../../remote/together.ts'
import type { Values } from '../../schema/option.ts'
import type { unionOptions } from './index.ts'
import { type Candidate, needsPath, picked } from './policy.ts'
import { Upstream, type UpstreamSpec } from './upstream.ts'

/** Opens the upstreams, all of which have to be there. */
export async function openUnion(args: OpenArgs<typeof unionOptions>, specs: readonly UpstreamSpec[]): Promise<Remote> {
  const { name, root, config } = args
  const settings = { cacheMs: config.cacheTime * 1000, minFreeSpace: config.minFreeSpace }
  const upstreams = await Promise.all(
    specs.map(async ({ spec, mode }) => new Upstream(await args.openRemote(spec), mode, settings)),
  )
  const infos = upstreams.map(({ remote }) => remote.info)
  const own = { name, type: 'union', root, description: `union root '${root}'` }
  const whole = new UnionRemote(upstreams, config, togetherInfo(infos, own))
  return withoutLacking(
    whole,
    upstreams.map(({ remote }) => remote),
    { all: optional, some: ['poll'] },
  )
}

/** What is offered only when all upstreams do. */
const optional = [
  'copy',
  'move',
  'moveDirectory',
  'purge',
  'hash',
  'setModTime',
  'watch',
] as const satisfies readonly (keyof Remote)[]

/** An upstream that has something at a path. */
interface Holder extends Candidate {
  readonly entry: Entry
}

interface FileHolder extends Candidate {
  readonly entry: FileEntry
}

class UnionRemote implements Remote {
  readonly info: RemoteInfo
  readonly #upstreams: readonly Upstream[]
  readonly #config: Values<typeof unionOptions>
  /** Where each file that was shown comes from. */
  readonly #from = new WeakMap<FileEntry, Upstream>()

  constructor(upstreams: readonly Upstream[], config: Values<typeof unionOptions>, info: RemoteInfo) {
    this.#upstreams = upstreams
    this.#config = config
    this.info = info
  }

  async *list(ctx: Context, dir: string): AsyncGenerator<Entry> {
    const found = new Map<string, Holder[]>()
    const failures: AppError[] = []
    for (const upstream of this.#upstreams)
      try {
        for await (const entry of upstream.remote.list(ctx, dir)) {
          const holders = found.get(entry.path)
          if (holders) holders.push({ upstream, entry })
          else found.set(entry.path, [{ upstream, entry }])
        }
      } catch (reason) {
        // Only one that lacks the directory is passed over: another failure would look like files that are gone.
        const failure = toAppError(reason)
        if (failure.code !== 'not-found') throw failure
        failures.push(failure)
      }
    if (failures.length === this.#upstreams.length) throw failures[0] as AppError
    for (const holders of found.values()) yield await this.#shown(ctx, holders)
  }

  async stat(ctx: Context, path: string): Promise<Entry | undefined> {
    const holders = await this.#holders(ctx, path)
    return holders.length > 0 ? await this.#shown(ctx, holders) : undefined
  }

  async open(ctx: Context, file: FileEntry, range?: Range): Promise<Body> {
    const { upstream, entry } = await this.#writtenBack(ctx, await this.#holder(ctx, file))
    return await upstream.remote.open(ctx, entry, range)
  }

  async put(ctx: Context, path: string, body: Body, info: PutInfo): Promise<FileEntry> {
    const canonical = asCanonical(path)
    const old = await this.#holders(ctx, canonical)
    const targets = old.length > 0 ? await this.#changing(ctx, old) : await this.#creating(ctx, parentOf(canonical))
    const branches = fanOut(body, targets.length)
    const results = await Promise.allSettled(
      targets.map(async ({ upstream }, i): Promise<FileHolder> => {
        const branch = branches[i] as Branch
        try {
          return { upstream, entry: await upstream.remote.put(ctx, canonical, branch.body, info) }
        } finally {
          branch.leave()
        }
      }),
    )
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) throw failed.reason
    const stored = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    return (await this.#shown(ctx, stored)) as FileEntry
  }

  async remove(ctx: Context, file: FileEntry): Promise<void> {
    for (const { upstream, entry } of await this.#changing(ctx, await this.#files(ctx, file.path)))
      await upstream.remote.remove(ctx, entry)
  }

  async mkdir(ctx: Context, dir: string): Promise<void> {
    const there = await this.#holders(ctx, asCanonical(dir))
    if (there.some(({ entry }) => entry.kind === 'directory')) return
    await this.#making(ctx, dir)
  }

  async rmdir(ctx: Context, dir: string): Promise<void> {
    for await (const _ of this.list(ctx, dir)) throw new AppError('not-empty', `${dir} is not empty`)
    for (const { upstream } of await this.#changing(ctx, await this.#directories(ctx, dir)))
      await upstream.remote.rmdir(ctx, dir)
  }

  async copy(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const { upstream, entry } = await this.#holder(ctx, file)
    if (!upstream.creatable) throw new AppError('unsupported', 'the upstream that has the file takes no new ones')
    return this.#remember(upstream, (await upstream.remote.copy?.(ctx, entry, to)) as FileEntry)
  }

  async move(ctx: Context, file: FileEntry, to: string): Promise<FileEntry> {
    const moved = []
    for (const { upstream, entry } of await this.#changing(ctx, await this.#files(ctx, file.path)))
      moved.push({ upstream, entry: (await upstream.remote.move?.(ctx, entry, to)) as FileEntry })
    return (await this.#shown(ctx, moved)) as FileEntry
  }

  async moveDirectory(ctx: Context, from: string, to: string): Promise<void> {
    if ((await this.#holders(ctx, to)).length > 0) throw new AppError('exists', `${to} is there already`)
    for (const { upstream } of await this.#changing(ctx, await this.#directories(ctx, from)))
      await upstream.remote.moveDirectory?.(ctx, from, to)
  }

  async purge(ctx: Context, dir: string): Promise<void> {
    for (const { upstream } of await this.#changing(ctx, await this.#directories(ctx, dir)))
      await upstream.remote.purge?.(ctx, dir)
  }

  async hash(ctx: Context, file: FileEntry, kind: string): Promise<string> {
    const { upstream, entry } = await this.#holder(ctx, file)
    return (await upstream.remote.hash?.(ctx, entry, kind)) ?? ''
  }

  async setModTime(ctx: Context, entry: Entry, time: Nanoseconds): Promise<void> {
    for (const holder of await this.#changing(ctx, await this.#holders(ctx, entry.path)))
      await holder.upstream.remote.setModTime?.(ctx, holder.entry, time)
  }

  /** The sums of what the upstreams say; what one of them cannot say is left out. */
  async about(ctx: Context): Promise<Usage> {
    return totalUsage(await Promise.all(this.#upstreams.map((upstream) => upstream.usage(ctx))))
  }

  watch(dir: string, changed: () => void): (() => void) | undefined {
    const stops = this.#upstreams.map(({ remote }) => remote.watch?.(dir, changed))
    const stop = () => stops.forEach((one) => one?.())
    if (stops.every((one) => one !== undefined)) return stop
    stop()
    return undefined
  }

  poll(ctx: Context, pollMs: number, changed: (path: string, kind: Entry['kind']) => void): () => void {
    const stops = this.#upstreams.map(({ remote }) => remote.poll?.(ctx, pollMs, changed))
    return () => stops.forEach((stop) => stop?.())
  }

  async #holders(ctx: Context, path: string): Promise<readonly Holder[]> {
    const found = await Promise.all(
      this.#upstreams.map(async (upstream) => ({ upstream, entry: await upstream.remote.stat(ctx, path) })),
    )
    return found.filter((one): one is Holder => one.entry !== undefined)
  }

  /** Those that have a file at a path. Throws `not-found`. */
  async #files(ctx: Context, path: string): Promise<readonly FileHolder[]> {
    const all = (await this.#holders(ctx, path)).filter((one): one is FileHolder => one.entry.kind === 'file')
    if (all.length === 0) throw new AppError('not-found', `${path} does not exist`)
    return all
  }

  /** Those that have a directory at a path. Throws `not-found`. */
  async #directories(ctx: Context, path: string): Promise<readonly Holder[]> {
    const all = (await this.#holders(ctx, path)).filter(({ entry }) => entry.kind === 'directory')
    if (all.length === 0) throw new AppError('not-found', `${path} does not exist`)
    return all
  }

  /** The upstream that a file was shown from, or else that the search policy picks. */
  async #holder(ctx: Context, file: FileEntry): Promise<FileHolder> {
    const upstream = this.#from.get(file)
    if (upstream) return { upstream, entry: file }
    const [first] = await picked(ctx, this.#config.searchPolicy, await this.#files(ctx, file.path))
    return first as FileHolder
  }

  /** The entry that the search policy picks. */
  async #shown(ctx: Context, holders: readonly Holder[]): Promise<Entry> {
    const [first] = await picked(ctx, this.#config.searchPolicy, holders)
    const { upstream, entry } = first as Holder
    return entry.kind === 'file' ? this.#remember(upstream, entry) : entry
  }

  #remember(upstream: Upstream, entry: FileEntry): FileEntry {
    this.#from.set(entry, upstream)
    return entry
  }

  /** Those of the holders that a change is for. Throws `denied` when none may be changed. */
  async #changing<H extends Candidate>(ctx: Context, holders: readonly H[]): Promise<readonly H[]> {
    const writable = holders.filter(({ upstream }) => upstream.writable)
    if (writable.length === 0) throw new AppError('denied', 'all upstreams that have it are read only')
    return await picked(ctx, this.#config.actionPolicy, writable)
  }

  /** Where something new in a directory goes; the directory is made where it has to be. */
  async #creating(ctx: Context, dir: string): Promise<readonly Candidate[]> {
    return (await this.#places(ctx, dir)) ?? (await this.#making(ctx, dir))
  }

  /** Makes a directory where the create policy wants it, and says where that is. */
  async #making(ctx: Context, dir: string): Promise<readonly Candidate[]> {
    const creatable = this.#upstreams.filter((upstream) => upstream.creatable).map((upstream) => ({ upstream }))
    const above = dir === '' ? undefined : await this.#creating(ctx, parentOf(dir))
    const places = above ?? (await picked(ctx, this.#config.createPolicy, creatable))
    for (const { upstream } of places) await upstream.remote.mkdir(ctx, dir)
    return places
  }

  /** The upstreams that the create policy picks; undefined when it needs the directory and none has it. */
  async #places(ctx: Context, dir: string): Promise<readonly Candidate[] | undefined> {
    const policy = this.#config.createPolicy
    const creatable = this.#upstreams.filter((upstream) => upstream.creatable)
    if (creatable.length === 0) throw new AppError('denied', 'no upstream takes new files')
    if (!needsPath(policy))
      return await picked(
        ctx,
        policy,
        creatable.map((upstream) => ({ upstream })),
      )
    const having = (await this.#holders(ctx, dir)).filter(({ upstream }) => upstream.creatable)
    if (having.some(({ entry }) => entry.kind === 'file')) throw new AppError('not-directory', `${dir} is a file`)
    return having.length > 0 ? await picked(ctx, policy, having) : undefined
  }

  /** With a `writeback` upstream: the file there, copied to it first when it is not there yet. */
  async #writtenBack(ctx: Context, from: FileHolder): Promise<FileHolder> {
    const upstream = this.#upstreams.find(({ writeback }) => writeback)
    if (!upstream || from.upstream === upstream) return from
    const { path, size, modTime } = from.entry
    const there = await upstream.remote.stat(ctx, path)
    if (there) return from
    const body = await from.upstream.remote.open(ctx, from.entry)
    const entry = await upstream.remote.put(ctx, path, body, { modTime, ...(size < 0 ? {} : { size }) })
    return { upstream, entry }
  }
}
