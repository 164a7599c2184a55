import { printable } from '../../core/log.ts'
import { amount } from '../../core/report.ts'
import type { Folder } from '../../operations/usage.ts'
import type { FileEntry } from '../../remote/remote.ts'
import { nameOf } from '../../base/path.ts'

/** One line of a folder: a folder or a file in it. */
export interface Row {
  readonly name: string
  readonly bytes: number
  readonly count: number
  readonly folder?: Folder
  readonly file?: FileEntry
}

/** What a key asks for beyond a look at the tree. */
export type Wish = 'quit' | 'rescan' | { readonly delete: Row }

const help = [
  'up, down, k, j      move; page up and down, home, end as well',
  'right, l, enter     into the folder',
  'left, h             back',
  's, n, c             sort by size, name, count of files; again turns it round',
  'g                   graph on and off',
  'd                   delete the file or folder, after a question',
  'r                   look at all of it again',
  '?                   this help',
  'q, escape           quit',
]

const compare: Readonly<Record<'size' | 'name' | 'count', (a: Row, b: Row) => number>> = {
  size: (a, b) => b.bytes - a.bytes,
  name: (a, b) => (a.name < b.name ? -1 : 1),
  count: (a, b) => b.count - a.count,
}

/** What a person sees of a tree of sizes, and what keys change about it. Knows nothing of terminals. */
export class SizeBrowser {
  #folder: Folder
  readonly #title: string
  #rows: Row[] = []
  #at = 0
  #sort: keyof typeof compare = 'size'
  #turned = false
  #graph = true
  #help = false
  /** The row that a person is asked about. */
  #asked: Row | undefined
  /** A sentence below the list. */
  note = ''

  constructor(root: Folder, title: string) {
    this.#folder = root
    this.#title = title
    this.#list()
  }

  get folder(): Folder {
    return this.#folder
  }

  /** Shows another folder, or the same one after a change. */
  show(folder: Folder, select?: string): void {
    this.#folder = folder
    this.#list()
    const found = this.#rows.findIndex(({ name }) => name === select)
    this.#at = Math.max(0, Math.min(found < 0 ? this.#at : found, this.#rows.length - 1))
  }

  /** Takes a key by its name (`up`, `enter`) or letter. `page` = rows that are shown. */
  press(key: string, page: number): Wish | undefined {
    this.note = ''
    if (this.#asked) return this.#answer(key)
    if (this.#help) {
      this.#help = false
      return undefined
    }
    const row = this.#rows[this.#at]
    if (key === 'q' || key === 'escape' || key === 'ctrl-c') return 'quit'
    if (key === 'r') return 'rescan'
    if (key === '?') this.#help = true
    else if (key === 'g') this.#graph = !this.#graph
    else if (key === 'd') this.#asked = row
    else if (['right', 'l', 'enter'].includes(key) && row?.folder) {
      this.#at = 0
      this.show(row.folder)
    } else if (['left', 'h'].includes(key) && this.#folder.parent) this.show(this.#folder.parent, this.#folder.name)
    else this.#moveOrSort(key, page)
    return undefined
  }

  /** The lines of a screen. */
  frame(rows: number, columns: number): string[] {
    const { bytes, count, path, error } = this.#folder
    const place = `${this.#title}${path === '' ? '' : `/${path}`}`
    const room = Math.max(1, rows - 3)
    const first = Math.max(0, Math.min(this.#at - (room >> 1), this.#rows.length - room))
    const body = this.#help
      ? help
      : this.#rows.slice(first, first + room).map((row, i) => this.#line(row, first + i === this.#at))
    const empty = error === undefined ? ['  (empty)'] : [`  can't be listed: ${error}`]
    const foot = this.#asked
      ? `Delete ${this.#asked.name}${this.#asked.folder ? ` and ${this.#asked.count} files in it` : ''}? y or n`
      : this.note || `${amount(bytes)} in ${count} files. ? for help`
    return [`-- ${place} --`, ...(body.length > 0 ? body : empty), '', foot].map((line) =>
      printable(line).slice(0, Math.max(1, columns - 1)),
    )
  }

  #answer(key: string): Wish | undefined {
    const row = this.#asked
    this.#asked = undefined
    return key === 'y' && row ? { delete: row } : undefined
  }

  #moveOrSort(key: string, page: number): void {
    const last = this.#rows.length - 1
    const steps: Readonly<Record<string, number>> = {
      up: -1,
      k: -1,
      down: 1,
      j: 1,
      pageup: -page,
      pagedown: page,
      home: -Infinity,
      end: Infinity,
    }
    const step = steps[key]
    if (step !== undefined) this.#at = Math.max(0, Math.min(last, this.#at + step))
    const sort = ({ s: 'size', n: 'name', c: 'count' } as const)[key]
    if (!sort) return
    this.#turned = this.#sort === sort && !this.#turned
    this.#sort = sort
    this.show(this.#folder, this.#rows[this.#at]?.name)
  }

  #list(): void {
    const folders = [...this.#folder.folders.values()].map((folder): Row => ({ ...folder, name: folder.name, folder }))
    const files = [...this.#folder.files.values()].map((file): Row => ({
      name: nameOf(file.path),
      bytes: Math.max(0, file.size),
      count: 1,
      file,
    }))
    const rule = compare[this.#sort]
    this.#rows = [...folders, ...files].sort((a, b) => rule(a, b) || compare.name(a, b))
    if (this.#turned) this.#rows.reverse()
  }

  #line({ name, bytes, folder, file }: Row, selected: boolean): string {
    const size = file && file.size < 0 ? 'unknown' : amount(bytes)
    const largest = Math.max(1, ...this.#rows.map((row) => row.bytes))
    const bar = this.#graph ? ` [${'#'.repeat(Math.round((10 * bytes) / largest)).padEnd(10)}]` : ''
    return `${selected ? '>' : ' '}${folder?.error === undefined ? ' ' : '!'}${size.padStart(12)}${bar} ${folder ? '/' : ''}${name}`
  }
}
