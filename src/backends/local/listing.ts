import * as fs from 'node:fs'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { errorCode, toAppError } from '../../base/error.ts'
import { isEntryName, join } from '../../base/path.ts'
import type { Disk } from './disk.ts'
import type { DiskStats } from './entry.ts'
import type { Looks } from './looks.ts'
import { rawPlace, shownName, type OsPath } from './names.ts'
import { isTempName } from './temp.ts'
import type { Directory, Tree } from './tree.ts'

const BATCH = 128
/** Names that go to another thread at once, and how often they do before the first are waited for. */
const FAR_BATCH = 1024
const FAR_AHEAD = 2
/** The event loop is given free after this long. */
const BUSY_MS = 2

export interface Found {
  readonly path: string
  readonly stats: DiskStats
  /** The stats are of a link, which is shown as a file. */
  readonly link?: true
}

export interface ListOptions {
  /** Give links as they are (`--links`). */
  readonly showLinks: boolean
  /** Called for each link that is left out. */
  readonly skipped: (path: string) => void
  /** The thread to look in when there is much to look at. */
  readonly looks: Looks
}

/**
 * The children of an open directory, in the order of the disk and with bounded memory. Direct calls on a disk that answers
 * from memory (2 µs an entry), in slices that never hold the event loop for long, and from another thread when there are many
 * to look at; pooled calls otherwise.
 */
export async function* children(
  tree: Tree,
  directory: Directory,
  dir: string,
  options: ListOptions,
): AsyncGenerator<Found[]> {
  const { looks } = options
  const reader = new Names(tree.disk, directory)
  const ahead: (Found[] | Promise<Found[]>)[] = []
  const next = () => reader.next(looks.ready ? FAR_BATCH : BATCH)
  await reader.open()
  try {
    let rested = performance.now()
    for (let raws = await next(); raws.length > 0; raws = await next()) {
      const batch = looked(tree, directory, raws, dir, options)
      // It is awaited in its turn.
      if (batch instanceof Promise) batch.catch(() => {})
      ahead.push(batch)
      if (!looks.ready || ahead.length > FAR_AHEAD) yield (await ahead.shift()) as Found[]
      if (performance.now() - rested < BUSY_MS) continue
      await nextTurn()
      rested = performance.now()
    }
    for (let batch = ahead.shift(); batch; batch = ahead.shift()) yield await batch
  } finally {
    // Nobody may look at names in a directory that is closed: its number may be that of another one then.
    for (const batch of ahead) await Promise.resolve(batch).catch(() => {})
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
  const names: Name[] = []
  for (const raw of raws) {
    const name = nameOf(raw)
    if (name) names.push(name)
  }
  const looks = (stat: Stat) => {
    const all = { ...options, stat }
    return names.map((name) => look(tree, directory, name, dir, all))
  }
  if (!disk.network && names.length > 0) {
    if (options.looks.ready) return farLooked(tree, directory, names, dir, options)
    options.looks.count(names.length)
  }
  if (disk.pooled) return all(looks((place) => disk.stat(place, false)))
  const found = disk.timed(() => looks((place) => fs.lstatSync(place, bigint)))
  return found.some((one) => one instanceof Promise) ? all(found) : (found as (Found | undefined)[]).filter(isThere)
}

/** As `looked`, in the thread of `looks`. */
async function farLooked(
  tree: Tree,
  directory: Directory,
  names: readonly Name[],
  dir: string,
  options: ListOptions,
): Promise<Found[]> {
  const raws = names.map(({ raw }) => raw)
  const rows = await options.looks.look(toText(directory.place), raws)
  const found: (Found | undefined | Promise<Found | undefined>)[] = []
  // Links, and what the thread could not tell of, are looked at here: that may be gone, or there is an error to tell.
  const again = { ...options, stat: (place: OsPath) => tree.disk.stat(place, false) }
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as Name
    const stats = rows?.[i]
    if (!stats || stats.isSymbolicLink()) found.push(look(tree, directory, name, dir, again))
    else if (tree.visible(stats, directory.device)) found.push({ path: join(dir, name.shown), stats })
  }
  return await all(found)
}

type Stat = (place: OsPath) => DiskStats | Promise<DiskStats>

const bigint = { bigint: true } as const

function isThere(found: Found | undefined): found is Found {
  return found !== undefined
}

async function all(values: readonly (Found | undefined | Promise<Found | undefined>)[]): Promise<Found[]> {
  const ready = values.some((value) => value instanceof Promise)
    ? await Promise.all(values.map((value) => Promise.resolve(value)))
    : values
  return (ready as readonly (Found | undefined)[]).filter(isThere)
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

  /** The next names, `most` at most; none at the end. */
  async next(most: number): Promise<fs.Dirent[]> {
    const dir = this.#dir
    const batch: fs.Dirent[] = []
    if (!dir) return batch
    // The names come from a buffer that is filled by the hundred.
    if (!this.#disk.pooled) this.#disk.timed(() => fillNow(dir, batch, most))
    else
      for (let entry = await dir.read(); entry !== null; entry = await dir.read()) if (batch.push(entry) >= most) break
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

function fillNow(dir: fs.Dir, batch: fs.Dirent[], most: number): void {
  for (let entry = dir.readSync(); entry !== null; entry = dir.readSync()) if (batch.push(entry) >= most) break
}

/** `opendir` takes bytes as well, its type does not say so. */
function toText(place: OsPath): string {
  return place as string
}

/** A name on the disk, its bytes as Latin-1 text, and how it is shown. */
interface Name {
  readonly raw: string
  readonly shown: string
}

/** The name of an entry; undefined when that is nothing to show. */
function nameOf(entry: fs.Dirent): Name | undefined {
  if (entry.isFIFO() || entry.isSocket() || entry.isCharacterDevice() || entry.isBlockDevice()) return undefined
  const shown = shownName(entry.name)
  return !isEntryName(shown) || isTempName(shown) ? undefined : { raw: entry.name, shown }
}

function look(
  tree: Tree,
  directory: Directory,
  { raw, shown }: Name,
  dir: string,
  options: ListOptions & { readonly stat: Stat },
): Found | undefined | Promise<Found | undefined> {
  const place = rawPlace(directory.place, raw)
  const path = join(dir, shown)
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
