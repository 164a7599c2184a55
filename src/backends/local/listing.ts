import * as fs from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { errorCode, toAppError } from '../../base/error.ts'
import { isEntryName, join } from '../../base/path.ts'
import type { Disk } from './disk.ts'
import { shownName, type OsPath } from './names.ts'
import { isTempName } from './temp.ts'
import type { Directory, Tree } from './tree.ts'

const BATCH = 128
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
      yield await looked(tree, directory, raws, dir, options)
      if (performance.now() - rested < BUSY_MS) continue
      await nextTurn()
      rested = performance.now()
    }
  } finally {
    await reader.close()
  }
}

/** What a batch of names stands for. */
function looked(
  tree: Tree,
  directory: Directory,
  raws: readonly fs.Dirent[],
  dir: string,
  options: ListOptions,
): Found[] | Promise<Found[]> {
  const { disk } = tree
  const looks = (stat: Stat) => {
    const all = { ...options, stat }
    return raws.map((raw) => look(tree, directory, raw, dir, all))
  }
  const found = disk.pooled
    ? looks((place) => disk.stat(place, false))
    : disk.timed(() => looks((place) => fs.lstatSync(place, bigint)))
  return found.some((one) => one instanceof Promise) ? all(found).then(there) : there(found as (Found | undefined)[])
}

type Stat = (place: OsPath) => fs.BigIntStats | Promise<fs.BigIntStats>

const bigint = { bigint: true } as const

function there(found: readonly (Found | undefined)[]): Found[] {
  return found.filter((one) => one !== undefined)
}

async function all<T>(values: readonly (T | Promise<T>)[]): Promise<T[]> {
  return await Promise.all(values.map((value) => Promise.resolve(value)))
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
    // The names come from a buffer that is filled by the hundred.
    if (!this.#disk.pooled) this.#disk.timed(() => fillNow(dir, batch))
    else
      for (let entry = await dir.read(); entry !== null; entry = await dir.read()) if (batch.push(entry) >= BATCH) break
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

function fillNow(dir: fs.Dir, batch: fs.Dirent[]): void {
  for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) if (batch.push(entry) >= BATCH) break
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
  options: ListOptions & { readonly stat: Stat },
): Found | undefined | Promise<Found | undefined> {
  if (raw.isFIFO() || raw.isSocket() || raw.isCharacterDevice() || raw.isBlockDevice()) return undefined
  const name = shownName(raw.name)
  if (!isEntryName(name) || isTempName(name)) return undefined
  const place = directory.at(name === raw.name ? name : Buffer.from(raw.name, 'latin1'))
  const path = join(dir, name)
  try {
    const stats = options.stat(place)
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
