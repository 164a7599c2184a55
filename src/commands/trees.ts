import { AppError } from '../base/error.ts'
import { join } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import type { Remotes } from '../layers/open.ts'
import { readonly } from '../layers/readonly.ts'
import { obscure } from '../remote/obscure.ts'
import type { Remote } from '../remote/remote.ts'
import { formatSpec } from '../remote/spec.ts'
import type { VfsOptions } from '../vfs/options.ts'
import type { ActiveVfses } from '../vfs/active.ts'
import type { CacheAt, Cached, FileCaches } from '../vfs/cache/caches.ts'
import { Vfs } from '../vfs/vfs.ts'

export interface TreesParts {
  readonly ctx: Context
  readonly remotes: Remotes
  readonly options: VfsOptions
  /** Bytes to read ahead (`--buffer-size`). */
  readonly bufferSize: number
  /** Where the trees are known by name while they are in use. */
  readonly vfses: ActiveVfses
  readonly caches: FileCaches
}

/** The trees that one server serves: one for all, or with `--auth-proxy` one for each remote that the program names. */
export class Trees {
  readonly #parts: TreesParts
  readonly #byRemote = new Map<Remote, { readonly vfs: Vfs; readonly ends: readonly (() => void)[] }>()

  /** The remotes of users, seen through their caches. */
  readonly #cached = new Map<Remote, Promise<Cached | undefined>>()

  constructor(parts: TreesParts) {
    this.#parts = parts
  }

  /** The tree over a remote, one for each; `text` is what named it, `caches` what it is seen through. */
  over(remote: Remote, text: string, caches: readonly CacheAt[] = []): Vfs {
    const known = this.#byRemote.get(remote)
    if (known) return known.vfs
    const { ctx, options, bufferSize, vfses, caches: all } = this.#parts
    const kept = options.dirCachePersist ? () => all.listings(remote, text) : undefined
    const vfs = new Vfs(ctx, options.readOnly ? readonly(remote) : remote, options, bufferSize, kept)
    const ends = [
      vfses.add(text, vfs, caches),
      ...caches.map(({ cache, at }) => cache.watch((path) => vfs.changed(join(at, path), 'file'))),
    ]
    this.#byRemote.set(remote, { vfs, ends })
    // A local disk is watched, which is better.
    if (options.pollInterval > 0 && !remote.poll && !remote.watch)
      ctx.log.info('poll-interval is not supported by this remote', { object: remote.info.description })
    return vfs
  }

  /** The tree of the backend that `--auth-proxy` answered with: `type`, `_root`, and which values to obscure in `_obscure`. */
  async ofUser(answer: Readonly<Record<string, string>>): Promise<Vfs> {
    const { type = '', _root: path = '', _obscure = '', ...values } = answer
    const clear = new Set(_obscure.split(','))
    const overrides = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, clear.has(key) ? obscure(value) : value]),
    )
    const text = formatSpec({ kind: 'inline', backend: type, overrides, path })
    const remote = await this.#parts.remotes.open(text)
    const cached = this.#cached.get(remote) ?? this.#parts.caches.over(remote, text, this.#parts.options)
    this.#cached.set(remote, cached)
    const found = await cached
    return found ? this.over(found.remote, text, [{ cache: found.cache, at: '' }]) : this.over(remote, text)
  }

  /** For a request without a tree: there is none when nobody is logged in and the program has to name it. */
  none(): never {
    throw new AppError('not-found', 'Root directory not found')
  }

  /** Forgets all listings. */
  forget(): void {
    for (const { vfs } of this.#byRemote.values()) vfs.forget()
  }

  async close(): Promise<void> {
    for (const { vfs, ends } of this.#byRemote.values()) {
      for (const end of ends) end()
      await vfs.close()
    }
  }
}
