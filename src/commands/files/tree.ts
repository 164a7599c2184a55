import type { Context } from '../../core/context.ts'
import { copyOptions } from '../../operations/options.ts'
import { localTime } from '../../operations/format-time.ts'
import { listing as entriesOf, walk } from '../../operations/walk.ts'
import { nameOf, parentOf } from '../../base/path.ts'
import type { Nanoseconds } from '../../base/time.ts'
import { formatSize } from '../../base/size.ts'
import type { Entry, Remote } from '../../remote/remote.ts'
import { defineOptions, option, type Values } from '../../schema/option.ts'
import { bool, int } from '../../schema/values.ts'
import type { Command } from '../command.ts'
import { type Listing, printing } from './listing.ts'

const treeOptions = defineOptions('tree', {
  all: option(bool, false, 'Show names that begin with a dot as well', { short: 'a' }),
  dirsOnly: option(bool, false, 'Show folders only', { short: 'd' }),
  dirsfirst: option(bool, false, 'Show folders before files'),
  fullPath: option(bool, false, 'Show whole paths'),
  level: option(int, -1, 'Go down so many folders'),
  modtime: option(bool, false, 'Show times', { short: 'D' }),
  noindent: option(bool, false, 'Draw no lines'),
  noreport: option(bool, false, 'Leave out the counts at the end'),
  quote: option(bool, false, 'Put names in double quotes', { short: 'Q' }),
  size: option(bool, false, 'Show sizes', { short: 's' }),
  sortModtime: option(bool, false, 'Sort by time', { short: 't' }),
  sortReverse: option(bool, false, 'Sort the other way round', { short: 'r' }),
})

type TreeOptions = Values<typeof treeOptions>

class Drawing {
  folders = 0
  files = 0
  readonly #listing: Listing
  readonly #remote: Remote
  readonly #options: TreeOptions
  /** Bytes of all files below each folder. */
  readonly #bytes = new Map<string, number>()

  constructor(listing: Listing, remote: Remote, options: TreeOptions) {
    this.#listing = listing
    this.#remote = remote
    this.#options = options
  }

  async drawAll(): Promise<void> {
    const { ctx, out } = this.#listing
    if (this.#options.size)
      for await (const entry of walk(ctx, this.#remote, { failed: () => {} })) {
        if (entry.kind !== 'file') continue
        for (let at = entry.path; at !== ''; at = parentOf(at)) this.#add(parentOf(at), entry.size)
      }
    const root = this.#options.quote ? '"/"' : '/'
    await out.write(`${this.#facts(ctx, { kind: 'directory', path: '', modTime: 0n })}${root}\n`)
    await this.#draw('', '', 1)
  }

  #add(dir: string, bytes: number): void {
    this.#bytes.set(dir, (this.#bytes.get(dir) ?? 0) + Math.max(0, bytes))
  }

  async #draw(dir: string, indent: string, level: number): Promise<void> {
    const { ctx, out, failed } = this.#listing
    const deepest = this.#options.level > 0 ? this.#options.level : Infinity
    if (level > deepest || (level > ctx.get(copyOptions).maxDepth && ctx.get(copyOptions).maxDepth >= 0)) return
    const entries = await entriesOf(ctx, this.#remote, dir).catch((error: Error) => failed(error, dir))
    const shown = this.#sorted(entries ?? [])
    for (const [i, entry] of shown.entries()) {
      const last = i === shown.length - 1
      if (entry.kind === 'directory') this.folders++
      else this.files++
      const [branch, below] = this.#options.noindent ? ['', ''] : [last ? '└── ' : '├── ', last ? '    ' : '│   ']
      await out.write(`${indent}${branch}${this.#label(ctx, entry)}\n`)
      if (entry.kind === 'directory') await this.#draw(entry.path, indent + below, level + 1)
    }
  }

  #sorted(entries: readonly Entry[]): Entry[] {
    const { all, dirsOnly, dirsfirst, sortModtime, sortReverse } = this.#options
    const shown = entries.filter(
      (entry) => (all || !nameOf(entry.path).startsWith('.')) && (!dirsOnly || entry.kind === 'directory'),
    )
    if (sortModtime) shown.sort((a, b) => (a.modTime < b.modTime ? -1 : a.modTime > b.modTime ? 1 : 0))
    if (sortReverse) shown.reverse()
    if (dirsfirst) shown.sort((a, b) => Number(a.kind === 'file') - Number(b.kind === 'file'))
    return shown
  }

  #label(ctx: Context, entry: Entry): string {
    const { quote, fullPath } = this.#options
    const name = fullPath ? `/${entry.path}` : nameOf(entry.path)
    return `${this.#facts(ctx, entry)}${quote ? JSON.stringify(name) : name}`
  }

  /** Size and time in brackets; folders have no time. */
  #facts(ctx: Context, entry: Entry): string {
    const { size, modtime } = this.#options
    const facts: string[] = []
    if (size) {
      const bytes = entry.kind === 'file' ? entry.size : (this.#bytes.get(entry.path) ?? 0)
      facts.push((ctx.get(copyOptions).humanReadable ? formatSize(bytes) : String(bytes)).padStart(11))
    }
    if (modtime && entry.kind === 'file') facts.push(shortTime(entry.modTime))
    return facts.length > 0 ? `[${facts.join(' ')}]  ` : ''
  }
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `Feb 03 04:05` in the zone of this machine. */
function shortTime(time: Nanoseconds): string {
  const [date = '', clock = ''] = localTime(time, 0).split(' ')
  return `${months[Number(date.slice(5, 7)) - 1]} ${date.slice(8)} ${clock.slice(0, 5)}`
}

export const treeCommand: Command = {
  name: 'tree',
  usage: 'REMOTE:PATH',
  summary: 'Draw the folders and files of a path as a tree',
  options: [treeOptions],
  args: [1, 1],
  run: (io) =>
    printing(io, 'tree', async (listing) => {
      const options = io.get(treeOptions)
      const { remote } = await (await io.remotes()).openAt(io.args[0] ?? '')
      const drawing = new Drawing(listing, remote, options)
      await drawing.drawAll()
      if (options.noreport) return
      const files = options.dirsOnly ? '' : `, ${drawing.files} files`
      await listing.out.write(`\n${drawing.folders} directories${files}\n`)
    }),
}
