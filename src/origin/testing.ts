import { FileSlice, bodyOf } from '../base/body.ts'
import type { Body } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import { parentOf } from '../base/path.ts'
import { fromMs } from '../base/time.ts'
import type { DirEntry, Entry, FileEntry } from '../remote/remote.ts'
import type { DirNode, FileNode, Node } from '../vfs/node.ts'
import type { Tree } from './tree.ts'

/** A file of a fake tree: its content, or more. */
export interface FakeFile {
  readonly content: string | Uint8Array
  /** What is said to be its size, when that is not the length of the content. */
  readonly size?: number
  /** A date, or nanoseconds since 1970; `''` = not known. */
  readonly time?: string | bigint
  readonly version?: string
  readonly contentType?: string
  /** Opened as a FileSlice, as local files are. */
  readonly slice?: boolean
  /** Opening, or reading after so many bytes, fails with this. */
  readonly failure?: Error
  readonly failsAfter?: number
}

/** A directory has its time, and `null` for a content. */
export type FakeSpec = Readonly<Record<string, string | FakeFile | null>>

const defaultTime = '2020-01-02T03:04:05Z'

function timeOf(time: string | bigint): bigint {
  if (typeof time === 'bigint') return time
  return time === '' ? 0n : fromMs(new Date(time))
}

/** A tree in memory for tests of handlers. Directories come into being with what is in them; `peek` knows the names in `hot`. */
export class FakeTree implements Tree {
  readonly opened: string[] = []
  readonly closed: string[] = []
  readonly hot = new Set<string>()
  /** From how many children on a directory is too large to hold. */
  largest = Infinity
  readonly #nodes = new Map<string, Node>()
  readonly #children = new Map<string, Entry[]>()

  constructor(spec: FakeSpec) {
    this.#directory('')
    for (const [path, file] of Object.entries(spec)) this.add(path, file)
  }

  add(path: string, file: string | FakeFile | null): void {
    if (file === null) return this.#directory(path)
    this.#directory(parentOf(path))
    const given = typeof file === 'string' ? { content: file } : file
    const bytes = typeof given.content === 'string' ? Buffer.from(given.content) : given.content
    const entry: FileEntry = {
      kind: 'file',
      path,
      size: given.size ?? bytes.length,
      modTime: timeOf(given.time ?? defaultTime),
      ...(given.version === undefined ? {} : { version: given.version }),
      ...(given.contentType === undefined ? {} : { contentType: given.contentType }),
    }
    const open: FileNode['open'] = (_, range) => this.#open(path, given, bytes, range ?? { start: 0, end: Infinity })
    this.#put(entry, { kind: 'file', entry, open })
  }

  remove(path: string): void {
    this.#nodes.delete(path)
    this.#children.set(
      parentOf(path),
      this.#childrenOf(parentOf(path)).filter((entry) => entry.path !== path),
    )
  }

  lookup(_: unknown, path: string): Promise<Node | undefined> {
    return Promise.resolve(this.#nodes.get(path))
  }

  peek(path: string): FileNode | undefined {
    const node = this.hot.has(path) ? this.#nodes.get(path) : undefined
    return node?.kind === 'file' ? node : undefined
  }

  directory(path = ''): DirNode {
    const node = this.#nodes.get(path)
    if (node?.kind !== 'directory') throw new Error(`no directory ${path}`)
    return node
  }

  #childrenOf(path: string): Entry[] {
    return this.#children.get(path) ?? []
  }

  #put(entry: Entry, node: Node): void {
    const { path } = entry
    this.#nodes.set(path, node)
    if (path !== '') this.#children.set(parentOf(path), [...this.#childrenOf(parentOf(path)), entry])
  }

  #directory(path: string): void {
    if (this.#nodes.has(path)) return
    if (path !== '') this.#directory(parentOf(path))
    const entry: DirEntry = { kind: 'directory', path, modTime: fromMs(new Date(defaultTime)) }
    const children = () => this.#childrenOf(path)
    const mostHeld = () => this.largest
    this.#put(entry, {
      kind: 'directory',
      entry,
      entries: (_, max = Infinity) => {
        const all = children()
        return Promise.resolve(all.length > Math.min(max, mostHeld()) ? undefined : all)
      },
      async *scan() {
        yield* children()
      },
    })
  }

  // oxlint-disable-next-line max-params -- a helper of this class only
  #open(path: string, file: FakeFile, bytes: Uint8Array, range: { start: number; end: number }): Promise<Body> {
    const { failure, failsAfter } = file
    if (failure && failsAfter === undefined) return Promise.reject(failure)
    this.opened.push(path)
    const size = file.size === undefined || file.size < 0 ? bytes.length : file.size
    const end = Math.min(range.end, size)
    const close = () => {
      this.closed.push(path)
      return Promise.resolve()
    }
    if (file.slice) {
      const read = (into: Uint8Array, at: number) =>
        Promise.resolve(Buffer.from(bytes).copy(into, 0, at, Math.min(at + 4, end)))
      return Promise.resolve(new FileSlice({ read, close }, { start: range.start, end }))
    }
    async function* chunks(): AsyncGenerator<Uint8Array> {
      try {
        if (failsAfter === undefined) yield* bodyOf(bytes.subarray(range.start, end))
        else {
          yield bytes.subarray(0, failsAfter)
          throw failure ?? new AppError('io', 'read error')
        }
      } finally {
        await close()
      }
    }
    return Promise.resolve(chunks())
  }
}
