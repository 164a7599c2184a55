import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { copyOptions } from '../../operations/options.ts'
import { localTime } from '../../base/local-time.ts'
import { listing as entriesOf, walk } from '../../operations/walk.ts'
import { nameOf, parentOf } from '../../base/path.ts'
import type { Nanoseconds } from '../../base/time.ts'
import { formatSize } from '../../base/size.ts'
import type { Entry, Remote } from '../../remote/remote.ts'
import { defineOptions, option, type Values } from '../../schema/option.ts'
import { bool, int, string } from '../../schema/values.ts'
import { wantsColors } from '../colors.ts'
import type { Command } from '../command.ts'
import { type Listing, printing } from './listing.ts'
import { type Output, writingTo } from './output.ts'
import { inTreeOrder, type TreeOrder, treeOrders } from './tree-order.ts'

const treeOptions = defineOptions('tree', {
  all: option(bool, false, 'Show names that begin with a dot as well', { short: 'a' }),
  colorize: option(bool, false, 'Draw in colours, as --color ALWAYS does', { short: 'C' }),
  dirsOnly: option(bool, false, 'Show folders only', { short: 'd' }),
  dirsfirst: option(bool, false, 'Show folders before files; not with -U'),
  fullPath: option(bool, false, 'Show whole paths'),
  level: option(int, -1, 'Go down so many folders'),
  modtime: option(bool, false, 'Show times', { short: 'D' }),
  noindent: option(bool, false, 'Draw no lines'),
  noreport: option(bool, false, 'Leave out the counts at the end'),
  output: option(string, '', 'Write to this file instead of standard output', { short: 'o' }),
  protections: option(bool, false, 'Show what may be done with files', { short: 'p' }),
  quote: option(bool, false, 'Put names in double quotes', { short: 'Q' }),
  size: option(bool, false, 'Show sizes', { short: 's' }),
  sort: option(string, '', `Sort by ${treeOrders.join(', ')}`),
  sortCtime: option(bool, false, 'Sort by time'),
  sortModtime: option(bool, false, 'Sort by time', { short: 't' }),
  sortReverse: option(bool, false, 'Sort the other way round', { short: 'r' }),
  unsorted: option(bool, false, "Don't sort", { short: 'U' }),
  version: option(bool, false, 'Sort names with numbers in them by these numbers'),
})

type TreeOptions = Values<typeof treeOptions>

/** Where lines are written. */
type Paper = Pick<Output, 'write'>

/** The order that the flags ask for. */
function orderOf({ sort, sortCtime, sortModtime, unsorted, version }: TreeOptions): TreeOrder {
  if (unsorted) return 'name'
  const named = treeOrders.find((order) => order === sort)
  if (sort !== '' && !named)
    throw new AppError('usage', `bad --sort ${JSON.stringify(sort)}: use ${treeOrders.join(', ')}`)
  return named ?? (version ? 'version' : sortModtime || sortCtime ? 'mtime' : 'name')
}

class Drawing {
  folders = 0
  files = 0
  readonly #listing: Listing
  readonly #paper: Paper
  readonly #order: TreeOrder
  readonly #remote: Remote
  readonly #options: TreeOptions
  readonly #colors: boolean
  /** Bytes of all files below each folder that are shown. */
  readonly #bytes = new Map<string, number>()

  constructor(listing: Listing, paper: Paper, remote: Remote, options: TreeOptions, colors: boolean) {
    this.#listing = listing
    this.#paper = paper
    this.#order = orderOf(options)
    this.#remote = remote
    this.#options = options
    this.#colors = colors
  }

  async drawAll(): Promise<void> {
    const { ctx } = this.#listing
    const whole: Entry = { kind: 'directory', path: '', modTime: 0n }
    const top = await entriesOf(ctx, this.#remote, '')
    if (this.#options.size)
      for await (const entry of walk(ctx, this.#remote, { failed: () => {} })) {
        if (entry.kind !== 'file' || (!this.#options.all && /(^|\/)\./.test(entry.path))) continue
        for (let at = entry.path; at !== ''; at = parentOf(at)) this.#add(parentOf(at), entry.size)
      }
    await this.#paper.write(`${this.#label(ctx, whole, '/')}\n`)
    await this.#draw(top, '', 1)
  }

  #add(dir: string, bytes: number): void {
    this.#bytes.set(dir, (this.#bytes.get(dir) ?? 0) + Math.max(0, bytes))
  }

  async #draw(entries: readonly Entry[], indent: string, level: number): Promise<void> {
    const { ctx } = this.#listing
    const shown = this.#sorted(entries)
    for (const [i, entry] of shown.entries()) {
      const last = i === shown.length - 1
      if (entry.kind === 'directory') this.folders++
      else this.files++
      const [branch, below] = this.#options.noindent ? ['', ''] : [last ? '└── ' : '├── ', last ? '    ' : '│   ']
      await this.#paper.write(`${indent}${branch}${this.#label(ctx, entry)}\n`)
      if (entry.kind === 'directory')
        await this.#draw(await this.#within(entry.path, level + 1), indent + below, level + 1)
    }
  }

  /** What is in a folder that is so many folders down; nothing where that is too deep, or it can't be listed. */
  async #within(dir: string, level: number): Promise<readonly Entry[]> {
    const { ctx, failed } = this.#listing
    const { maxDepth } = ctx.get(copyOptions)
    const deepest = Math.min(
      this.#options.level > 0 ? this.#options.level : Infinity,
      maxDepth < 0 ? Infinity : maxDepth,
    )
    if (level > deepest) return []
    return (await entriesOf(ctx, this.#remote, dir).catch((error: Error) => failed(error, dir))) ?? []
  }

  #sorted(entries: readonly Entry[]): Entry[] {
    const { all, dirsOnly, dirsfirst, sortReverse, unsorted } = this.#options
    const shown = entries.filter(
      (entry) => (all || !nameOf(entry.path).startsWith('.')) && (!dirsOnly || entry.kind === 'directory'),
    )
    const foldersFirst = dirsfirst && !unsorted
    return inTreeOrder(shown, { order: this.#order, reverse: sortReverse && !unsorted, foldersFirst })
  }

  #label(ctx: Context, entry: Entry, name = this.#options.fullPath ? `/${entry.path}` : nameOf(entry.path)): string {
    const { quote } = this.#options
    const text = quote ? JSON.stringify(name) : name
    return `${this.#facts(ctx, entry)}${this.#colors ? coloured(entry, text) : text}`
  }

  /** Protections, size and time in brackets; folders have a size alone. */
  #facts(ctx: Context, entry: Entry): string {
    const { size, modtime, protections } = this.#options
    const facts: string[] = []
    if (protections && entry.kind === 'file') facts.push('-rw-rw-rw-')
    if (size) {
      const bytes = entry.kind === 'file' ? entry.size : (this.#bytes.get(entry.path) ?? 0)
      facts.push((ctx.get(copyOptions).humanReadable ? formatSize(bytes) : String(bytes)).padStart(11))
    }
    if (modtime && entry.kind === 'file') facts.push(shortTime(entry.modTime))
    return facts.length > 0 ? `[${facts.join(' ')}]  ` : ''
  }
}

/** Folders are blue, archives red, pictures and films purple, music cyan. */
const colours: readonly (readonly [codes: string, endings: RegExp])[] = [
  ['1;31', /\.(tar|tgz|gz|zip|z|bz2|xz|7z|rar|zst|deb|rpm|jar)$/i],
  [
    '1;35',
    /\.(jpe?g|gif|bmp|p[bgp]m|tga|xbm|xpm|tiff?|png|svg|webp|avif|mov|mpe?g|m2v|mkv|webm|ogm|mp4|m4v|avi|flv)$/i,
  ],
  ['0;36', /\.(aac|au|flac|mid|mp3|ogg|opus|ra|wav|m4a)$/i],
]

function coloured(entry: Entry, text: string): string {
  const codes = entry.kind === 'directory' ? '1;34' : colours.find(([, endings]) => endings.test(entry.path))?.[0]
  return codes === undefined ? text : `\u001b[${codes}m${text}\u001b[0m`
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
      const { output, noreport, dirsOnly, colorize } = options
      const colors = colorize || (output === '' && wantsColors(io))
      await writingTo(output, listing.out, async (paper) => {
        const drawing = new Drawing(listing, paper, remote, options, colors)
        await drawing.drawAll()
        const files = dirsOnly ? '' : `, ${drawing.files} files`
        if (!noreport) await paper.write(`\n${drawing.folders} directories${files}\n`)
      })
    }),
}
