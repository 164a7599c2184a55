import { AppError } from '../../base/error.ts'
import { isInside, join, nameOf, parentOf } from '../../base/path.ts'
import { fromMs, type Nanoseconds } from '../../base/time.ts'
import type { FileEntry } from '../../remote/remote.ts'

/** A file that is held: path and entry are those of the store, whatever root it is looked at from. */
export interface MemoryFile {
  readonly kind: 'file'
  readonly bytes: Uint8Array
  readonly size: number
  readonly modTime: Nanoseconds
  readonly version: string
  readonly contentType?: string
  readonly metadata?: Readonly<Record<string, string>>
  /** The entry as each root shows it, made once, so that an unchanged file is the same object. */
  readonly shown: Map<string, FileEntry>
}

export interface MemoryDirectory {
  readonly kind: 'directory'
  readonly modTime: Nanoseconds
  readonly children: Map<string, MemoryFile | MemoryDirectory>
}

/** Files and directories by path. */
export class MemoryStore {
  #root: MemoryDirectory | undefined = directory()
  #versions = 0
  readonly #watchers = new Map<string, Set<() => void>>()

  get(path: string): MemoryFile | MemoryDirectory | undefined {
    let node: MemoryFile | MemoryDirectory | undefined = this.#root
    if (path === '') return node
    for (const name of path.split('/')) {
      if (node?.kind !== 'directory') return undefined
      node = node.children.get(name)
    }
    return node
  }

  /** Puts a file in its place, parents included. */
  set(path: string, file: Omit<MemoryFile, 'kind' | 'version' | 'shown'>): MemoryFile {
    const parent = this.makeDirectory(parentOf(path))
    const old = parent.children.get(nameOf(path))
    if (old?.kind === 'directory' || path === '') throw new AppError('is-directory', `${path} is a directory`)
    const stored: MemoryFile = { ...file, kind: 'file', version: String(++this.#versions), shown: new Map() }
    parent.children.set(nameOf(path), stored)
    this.#changed(path)
    return stored
  }

  /** The directory at a path, made if need be with its parents. */
  makeDirectory(path: string): MemoryDirectory {
    let at = (this.#root ??= directory())
    let way = ''
    for (const name of path === '' ? [] : path.split('/')) {
      way = join(way, name)
      let next = at.children.get(name)
      if (next?.kind === 'file') throw new AppError('not-directory', `${way} is a file`)
      if (!next) {
        next = directory()
        at.children.set(name, next)
        this.#changed(way)
      }
      at = next
    }
    return at
  }

  /** Takes a file or directory out with all below it. */
  delete(path: string): void {
    const parent = this.get(parentOf(path))
    if (path === '') this.#root = undefined
    else if (parent?.kind === 'directory') parent.children.delete(nameOf(path))
    this.#changed(path)
  }

  /** Moves a file or directory to a name that is free or has a file. */
  rename(from: string, to: string): void {
    const node = this.get(from)
    if (!node) throw new AppError('not-found', `${from} does not exist`)
    const parent = this.makeDirectory(parentOf(to))
    this.delete(from)
    parent.children.set(nameOf(to), node.kind === 'file' ? { ...node, shown: new Map() } : node)
    if (node.kind === 'directory') forgetShown(node)
    this.#changed(to)
  }

  /** Calls `changed` once when a child of a directory changes. */
  watch(dir: string, changed: () => void): () => void {
    const watchers = this.#watchers.get(dir) ?? new Set()
    this.#watchers.set(dir, watchers.add(changed))
    return () => {
      watchers.delete(changed)
      if (watchers.size === 0) this.#watchers.delete(dir)
    }
  }

  /** Tells those who watch the parent of a path, the path itself, or anything below it. */
  #changed(path: string): void {
    // A copy: who is told often watches again at once.
    const watched = Array.from(this.#watchers)
    for (const [dir, watchers] of watched) {
      if (dir !== parentOf(path) && !isInside(dir, path)) continue
      this.#watchers.delete(dir)
      for (const changed of watchers) changed()
    }
  }
}

/** The stores of one app by the name of the remote. */
export class MemoryStores {
  readonly #stores = new Map<string, MemoryStore>()

  get(name: string): MemoryStore {
    let store = this.#stores.get(name)
    if (!store) this.#stores.set(name, (store = new MemoryStore()))
    return store
  }
}

function directory(): MemoryDirectory {
  return { kind: 'directory', modTime: fromMs(Date.now()), children: new Map() }
}

function forgetShown(dir: MemoryDirectory): void {
  for (const child of dir.children.values()) {
    if (child.kind === 'file') child.shown.clear()
    else forgetShown(child)
  }
}
