import * as fs from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { errorCode, toAppError } from '../../base/error.ts'
import { isEntryName, join } from '../../base/path.ts'
import type { Disk } from './disk.ts'
import { shownName, type OsPath } from './names.ts'
import { isTempName } from './temp.ts'
import type { Directory, Tree } from './tree.ts'

const BATCH = 64
/** The event loop is given free after this long. */
const BUSY_MS = 2

export interface Found {
  readonly path: string
  readonly stats: fs.BigIntStats
  /** The stats are of a link, which is shown as a file. */
  readonly link?: true
}

export interface ListOptions {
  /** Give links as they are (`--links`). */
  readonly showLinks: boolean
  /** Called for each link that is left out. */
  readonly skipped: (path: string) => void
}

/**
 * The children of an open directory, in the order of the disk and with bounded memory. Direct calls on a disk that answers
 * from memory (2 µs an entry), in slices that never hold the event loop for long; pooled calls otherwise.
 */
export async function* children(
  tree: Tree,
  directory: Directory,
  dir: string,
  options: ListOptions,
): AsyncGenerator<Found[]> {
  const reader = new Names(tree.disk, directory)
  await reader.open()
  try {
    let rested = performance.now()
    for (let raws = await reader.next(); raws.length > 0; raws = await reader.next()) {
      const looks = raws.map((raw) => look(tree, directory, raw, dir, options))
      yield (await all(looks)).filter((found) => found !== undefined)
      if (performance.now() - rested < BUSY_MS) continue
      await nextTurn()
      rested = performance.now()
    }
  } finally {
    await reader.close()
  }
}

/** Waits only when there is something to wait for. */
async function all<T>(values: (T | Promise<T>)[]): Promise<T[]> {
  const waiting = values.some((value) => value instanceof Promise)
  return waiting ? await Promise.all(values.map((value) => Promise.resolve(value))) : (values as T[])
}

/** Reads the names in a directory by batches. */
class Names {
  readonly #disk: Disk
  readonly #directory: Directory
  #dir: fs.Dir | undefined

  constructor(disk: Disk, directory: Directory) {
    this.#disk = disk
    this.#directory = directory
  }

  async open(): Promise<void> {
    // Latin-1 gives the bytes of a name, valid UTF-8 or not, in a fraction of the time that Buffers take.
    const options = { encoding: 'latin1', bufferSize: 4 * BATCH } as const
    try {
      this.#dir = await this.#disk.run(
        () => fs.opendirSync(toText(this.#directory.place), options),
        () => fs.promises.opendir(toText(this.#directory.place), options),
      )
    } catch (error) {
      throw toAppError(error)
    }
  }

  async next(): Promise<fs.Dirent[]> {
    const dir = this.#dir
    const batch: fs.Dirent[] = []
    if (!dir) return batch
    while (batch.length < BATCH) {
      const read = this.#disk.run(
        () => dir.readSync(),
        () => dir.read(),
      )
      const entry = read instanceof Promise ? await read : read
      if (entry === null) break
      batch.push(entry)
    }
    return batch
  }

  async close(): Promise<void> {
    const dir = this.#dir
    if (dir)
      await this.#disk.run(
        () => dir.closeSync(),
        () => dir.close(),
      )
  }
}

/** `opendir` takes bytes as well, its type does not say so. */
function toText(place: OsPath): string {
  return place as string
}

function look(
  tree: Tree,
  directory: Directory,
  raw: fs.Dirent,
  dir: string,
  options: ListOptions,
): Found | undefined | Promise<Found | undefined> {
  if (raw.isFIFO() || raw.isSocket() || raw.isCharacterDevice() || raw.isBlockDevice()) return undefined
  const name = shownName(raw.name)
  if (!isEntryName(name) || isTempName(name)) return undefined
  const place = directory.at(name === raw.name ? name : Buffer.from(raw.name, 'latin1'))
  const path = join(dir, name)
  try {
    const stats = tree.disk.stat(place, false)
    return stats instanceof Promise
      ? stats.then((ready) => judge(tree, directory, place, { path, stats: ready }, options), vanished)
      : judge(tree, directory, place, { path, stats }, options)
  } catch (error) {
    return vanished(error)
  }
}

function judge(
  tree: Tree,
  directory: Directory,
  place: OsPath,
  found: Found,
  options: ListOptions,
): Found | undefined | Promise<Found | undefined> {
  if (!found.stats.isSymbolicLink()) return tree.visible(found.stats, directory.device) ? found : undefined
  if (tree.policy.copyLinks) return follow(tree, directory, place, found.path, options)
  if (options.showLinks) return { ...found, link: true }
  options.skipped(found.path)
  return undefined
}

async function follow(
  tree: Tree,
  directory: Directory,
  place: OsPath,
  path: string,
  options: ListOptions,
): Promise<Found | undefined> {
  try {
    if (await tree.follows(place)) {
      const stats = await tree.disk.stat(place, true)
      return tree.visible(stats, directory.device) ? { path, stats } : undefined
    }
    options.skipped(path)
    return undefined
  } catch (error) {
    return vanished(error)
  }
}

/** An entry that was removed meanwhile, or a link to nothing, is not there. */
function vanished(error: unknown): undefined {
  const code = errorCode(error)
  if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR') return undefined
  throw toAppError(error)
}
