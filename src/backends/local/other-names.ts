import * as fs from 'node:fs'
import { isAscii } from '../../base/ascii.ts'
import { asCanonical } from '../../base/path.ts'
import { extend } from '../../layers/extend.ts'
import type { Encoding } from '../../remote/encoding.ts'
import { inBatches } from '../../remote/listing.ts'
import type { Entry, FileEntry, Listing, Remote } from '../../remote/remote.ts'
import type { LocalOptions } from './index.ts'
import { diskPath, joinDisk, shownName } from './names.ts'

/** How the names of a disk are shown where that is not simply as they are (`encoding`, `unicode_normalization`). */
export class OtherNames {
  readonly #root: string
  readonly #encoding: Encoding
  readonly #normalize: boolean

  constructor(root: string, { encoding, unicodeNormalization }: LocalOptions) {
    this.#root = root
    this.#encoding = encoding
    this.#normalize = unicodeNormalization
  }

  /** The path to show for one on the disk. */
  shown(path: string): string {
    return path
      .split('/')
      .map((name) => this.#shownName(name))
      .join('/')
  }

  /** The path on the disk for one that is shown. */
  stored(path: string): string {
    const found: string[] = []
    for (const name of path.split('/')) found.push(this.#storedName(found.join('/'), name))
    return found.join('/')
  }

  #shownName(name: string): string {
    const decoded = this.#encoding.decodeName(name)
    return this.#normalize ? decoded.normalize('NFC') : decoded
  }

  #storedName(dir: string, name: string): string {
    const stored = this.#encoding.encodeName(name)
    if (!this.#normalize || isAscii(name)) return stored
    const place = this.#place(dir)
    const own = diskPath(stored)
    if (place === undefined || own === undefined || fs.existsSync(joinDisk(place, own))) return stored
    return namesIn(place).find((other) => this.#shownName(other) === name) ?? stored
  }

  #place(dir: string) {
    const below = diskPath(dir)
    return below === undefined ? undefined : joinDisk(this.#root, below)
  }
}

function namesIn(place: string | Buffer): string[] {
  try {
    return fs.readdirSync(place, 'latin1').map(shownName)
  } catch {
    // What is not there, or no folder, is told by whoever opens it.
    return []
  }
}

/** A remote of the disk with its names shown in another way. */
export function withOtherNames(inner: Remote, names: OtherNames): Remote {
  const below = (path: string) => names.stored(path)
  const target = (path: string) => below(asCanonical(path))
  const fileBelow = (file: FileEntry): FileEntry => ({ ...file, path: below(file.path) })
  const shown = <E extends Entry>(entry: E): E => ({ ...entry, path: names.shown(entry.path) })
  const outer: Partial<Remote> = {
    list: (ctx, dir) => shownListing(inner.list(ctx, below(dir)), shown),
    async stat(ctx, path) {
      const found = await inner.stat(ctx, below(path))
      return found && { ...found, path }
    },
    open: (ctx, file, range) => inner.open(ctx, fileBelow(file), range),
    put: async (ctx, path, body, info) => ({ ...(await inner.put(ctx, target(path), body, info)), path }),
    remove: (ctx, file) => inner.remove(ctx, fileBelow(file)),
    mkdir: async (ctx, dir) => await inner.mkdir(ctx, target(dir)),
    rmdir: (ctx, dir) => inner.rmdir(ctx, below(dir)),
    purge: async (ctx, dir) => await inner.purge?.(ctx, below(dir)),
    copy: async (ctx, file, to) => ({ ...((await inner.copy?.(ctx, fileBelow(file), target(to))) ?? file), path: to }),
    move: async (ctx, file, to) => ({ ...((await inner.move?.(ctx, fileBelow(file), target(to))) ?? file), path: to }),
    moveDirectory: async (ctx, from, to) => await inner.moveDirectory?.(ctx, below(from), target(to)),
    hash: async (ctx, file, kind) => (await inner.hash?.(ctx, fileBelow(file), kind)) ?? '',
    setModTime: async (ctx, entry, time) => await inner.setModTime?.(ctx, { ...entry, path: below(entry.path) }, time),
    metadata: async (ctx, entry) => await inner.metadata?.(ctx, { ...entry, path: below(entry.path) }),
    watch: (dir, changed) => inner.watch?.(below(dir), changed),
  }
  // Its shortcuts know the files by their names on the disk: `open` and `put` serve as well.
  const remote: Remote = Object.assign(extend(inner, outer), { peek: undefined })
  return Object.assign(remote, { storedPath: ({ path }: Entry) => below(path) })
}

function shownListing(listing: Listing, shown: (entry: Entry) => Entry): Listing {
  async function* batches(): AsyncGenerator<readonly Entry[]> {
    if (!listing.batches) for await (const entry of listing) yield [shown(entry)]
    else for await (const batch of listing.batches()) yield batch.map(shown)
  }
  return inBatches(batches)
}
