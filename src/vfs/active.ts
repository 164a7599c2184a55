import { resolve } from 'node:path'
import { AppError } from '../base/error.ts'
import type { Events } from '../core/events.ts'
import { cacheName, parseSpec } from '../remote/spec.ts'
import type { CacheAt } from './cache/caches.ts'
import type { Vfs } from './vfs.ts'

/** A tree, and the file caches that it is seen through. */
export interface ActiveVfs {
  readonly vfs: Vfs
  readonly caches: readonly CacheAt[]
}

/** The trees in use, by the text of their remote, as `vfs/list` shows them. */
export class ActiveVfses {
  readonly #byName = new Map<string, ActiveVfs[]>()
  readonly #events: Pick<Events, 'publish'> | undefined

  /** `events` is told when trees come and go and what happens to them, as events of type `vfs`. */
  constructor(events?: Pick<Events, 'publish'>) {
    this.#events = events
  }

  /** Adds the tree over the remote that a text names; gives the way to take it out again. */
  add(text: string, vfs: Vfs, caches: readonly CacheAt[] = []): () => void {
    const name = vfsName(text)
    const same = this.#byName.get(name)
    if (same) same.push({ vfs, caches })
    else this.#byName.set(name, [{ vfs, caches }])
    const say = (what: string, path = '') => this.#events?.publish('vfs', { fs: name, what, path })
    vfs.listener = say
    say('opened')
    return () => {
      this.#remove(name, vfs)
      vfs.listener = undefined
      say('closed')
    }
  }

  /** `name`, or `name[0]`, `name[1]` where several trees have one name. */
  get names(): string[] {
    return [...this.#byName].flatMap(([name, all]) => (all.length === 1 ? [name] : all.map((_, i) => `${name}[${i}]`)))
  }

  /** All trees with their names. */
  get all(): (ActiveVfs & { readonly name: string })[] {
    return [...this.#byName].flatMap(([name, all]) => all.map((one) => ({ name, ...one })))
  }

  /** The tree of that name; without one the only tree there is. Throws `invalid` with rclone's sentences (rc.md 3, vfs). */
  find(text: string | undefined): ActiveVfs & { readonly name: string } {
    if (text === undefined) return this.#only()
    const name = this.names.includes(text) ? text : this.#known(text)
    const [, base = '', index] = /^(.*)\[(\d+)\]$/.exec(name) ?? []
    const all = this.#byName.get(name) ?? (index === undefined ? undefined : this.#byName.get(base))
    const one = index !== undefined && !this.#byName.has(name) ? all?.[Number(index)] : all?.[0]
    if (!all || !one) throw new AppError('invalid', `no VFS found with name ${JSON.stringify(name)}`)
    if (all.length > 1 && this.#byName.has(name))
      throw new AppError('invalid', `more than one VFS active with name ${JSON.stringify(name)}`)
    return { name, ...one }
  }

  /** The name that a text has, when there is a tree of that name; else the text itself. */
  #known(text: string): string {
    try {
      const name = vfsName(text)
      return this.#byName.has(name) ? name : text
    } catch {
      return text
    }
  }

  #only(): ActiveVfs & { readonly name: string } {
    const [first, second] = this.all
    if (!first) throw new AppError('invalid', 'no VFS active and "fs" parameter not supplied')
    if (second) throw new AppError('invalid', 'more than one VFS active - need "fs" parameter')
    return first
  }

  #remove(name: string, vfs: Vfs): void {
    const left = (this.#byName.get(name) ?? []).filter((other) => other.vfs !== vfs)
    if (left.length > 0) this.#byName.set(name, left)
    else this.#byName.delete(name)
  }
}

/**
 * The name of the tree over a remote: `remote:path`, an absolute path, and for a remote that was made on the spot a hash in
 * place of its settings, which may hold passwords.
 */
export function vfsName(text: string): string {
  const spec = parseSpec(text)
  if (spec.kind === 'local') return resolve(spec.path)
  return `${cacheName(spec)}:${spec.path.replace(/(?<=.)\/+$/, '')}`
}
