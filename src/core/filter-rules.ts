import { createHash } from 'node:crypto'
import { toNanoseconds } from '../base/duration.ts'
import { AppError, messageOf } from '../base/error.ts'
import { directoryGlobs, globToRegex } from '../base/glob.ts'
import { fromMs, type Nanoseconds, toDate } from '../base/time.ts'
import type { Values } from '../schema/option.ts'
import type { Filter, FilterFacts } from './filter.ts'
import type { filterOptions } from './filter-options.ts'
import { RuleList } from './rule-list.ts'

/** What the filter flags of the surroundings are needed for. */
export interface FilterSources {
  /** The text of a file of rules; `-` is standard input. */
  readFile(path: string): Promise<string>
  /** Milliseconds since 1970 from which ages are counted. */
  readonly now: number
  /** A number in [0, 1), for `--hash-filter @/n`. */
  random?(): number
}

type FilterValues = Values<typeof filterOptions>

/**
 * Builds the filter that the flags describe (serve-http.md 3.4). Rules count in this order: include, include-from, exclude,
 * exclude-from, filter, filter-from; with any include, what no rule matched is excluded. Throws `invalid` with a sentence
 * about the rule, and the error of `readFile`.
 */
export async function loadFilter(values: FilterValues, sources: FilterSources): Promise<RuleFilter> {
  const filter = new RuleFilter(values, sources)
  try {
    await addPathRules(filter, values, sources)
    await addMetadataRules(filter, values, sources)
    await addFiles(filter, values, sources)
    if (includesGiven(values)) filter.addRule(false, '/**')
    return filter
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('invalid', messageOf(error), { cause: error })
  }
}

const includesGiven = (values: FilterValues) => values.include.length + values.includeFrom.length > 0

async function addPathRules(filter: RuleFilter, values: FilterValues, sources: FilterSources): Promise<void> {
  for (const glob of values.include) filter.addRule(true, glob)
  for await (const line of linesOf(values.includeFrom, sources)) filter.addRule(true, line)
  for (const glob of values.exclude) filter.addRule(false, glob)
  for await (const line of linesOf(values.excludeFrom, sources)) filter.addRule(false, line)
  if (includesGiven(values) && values.exclude.length + values.excludeFrom.length > 0)
    filter.warnings.push(
      'Using --filter is recommended instead of both --include and --exclude as the order they are parsed in is indeterminate',
    )
  for (const rule of values.filter) filter.addLine(rule)
  for await (const line of linesOf(values.filterFrom, sources)) filter.addLine(line)
}

async function addMetadataRules(filter: RuleFilter, values: FilterValues, sources: FilterSources): Promise<void> {
  const add = (include: boolean, glob: string) => filter.addMetadataRule(include, glob)
  for (const glob of values.metadataInclude) add(true, glob)
  for await (const line of linesOf(values.metadataIncludeFrom, sources)) add(true, line)
  for (const glob of values.metadataExclude) add(false, glob)
  for await (const line of linesOf(values.metadataExcludeFrom, sources)) add(false, line)
  for (const rule of values.metadataFilter) filter.addMetadataLine(rule)
  for await (const line of linesOf(values.metadataFilterFrom, sources)) filter.addMetadataLine(line)
  if (values.metadataInclude.length + values.metadataIncludeFrom.length > 0) add(false, '*')
}

async function addFiles(filter: RuleFilter, values: FilterValues, sources: FilterSources): Promise<void> {
  const lists = [
    ['--files-from', values.filesFrom, '--files-from-raw'],
    ['--files-from-raw', values.filesFromRaw, '--files-from'],
    ['--files-from0', values.filesFrom0, '--files-from'],
  ] as const
  const alone = filter.empty
  for (const [flag, paths, friend] of lists) {
    if (paths.length === 0) continue
    if (!alone)
      throw new Error(`the usage of ${flag} overrides all other filters, it should be used alone or with ${friend}`)
    filter.listFiles()
  }
  for await (const line of linesOf(values.filesFrom, sources)) filter.addFile(line)
  for (const path of values.filesFromRaw)
    for (const line of rawLines(await sources.readFile(path))) filter.addFile(line)
  for (const path of values.filesFrom0)
    for (const name of (await sources.readFile(path)).split('\0')) if (name !== '') filter.addFile(name)
}

function rawLines(text: string): string[] {
  const lines = text.split(/\r?\n/)
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines
}

/** The lines of files of rules, trimmed; empty ones and comments (`#`, `;`) are left out. */
async function* linesOf(paths: readonly string[], sources: FilterSources): AsyncGenerator<string> {
  for (const path of paths)
    for (const raw of rawLines(await sources.readFile(path))) {
      const line = raw.trim()
      if (line !== '' && !/^[#;]/.test(line)) yield line
    }
}

/** The filter that rules, lists, sizes and ages make up. */
export class RuleFilter implements Filter {
  readonly markers: readonly string[]
  /** Sentences for a person about rules that may not mean what was meant. */
  readonly warnings: string[] = []
  readonly #ignoreCase: boolean
  readonly #minSize: number
  readonly #maxSize: number
  readonly #oldest: Nanoseconds | undefined
  readonly #newest: Nanoseconds | undefined
  readonly #partition: Partition | undefined
  readonly #fileRules = new RuleList()
  readonly #directoryRules = new RuleList()
  readonly #metadataRules = new RuleList()
  #files: { readonly names: Set<string>; readonly parents: Set<string> } | undefined

  constructor(values: FilterValues, sources: Pick<FilterSources, 'now' | 'random'>) {
    if (values.minAge < Infinity && values.maxAge < Infinity && values.minAge > values.maxAge)
      throw new AppError('invalid', "filter: --min-age can't be larger than --max-age")
    this.markers = values.excludeIfPresent
    this.#ignoreCase = values.ignoreCase
    this.#minSize = values.minSize
    this.#maxSize = values.maxSize
    const before = (age: number) => (age === Infinity ? undefined : fromMs(sources.now) - toNanoseconds(age))
    this.#oldest = before(values.maxAge)
    this.#newest = before(values.minAge)
    this.#partition = values.hashFilter === '' ? undefined : parsePartition(values.hashFilter, sources.random)
  }

  get empty(): boolean {
    return (
      !this.#files &&
      this.#oldest === undefined &&
      this.#newest === undefined &&
      this.#minSize < 0 &&
      this.#maxSize < 0 &&
      !this.#partition &&
      this.#fileRules.length + this.#directoryRules.length + this.#metadataRules.length + this.markers.length === 0
    )
  }

  get times(): boolean {
    return !this.#files && (this.#oldest !== undefined || this.#newest !== undefined)
  }

  get metadata(): boolean {
    return !this.#files && this.#metadataRules.length > 0
  }

  includes(path: string, file?: FilterFacts): boolean {
    if (this.#files) return this.#files.names.has(path)
    if (file && !this.#includesFacts(file)) return false
    if (this.#partition && partitionOf(path, this.#partition.of) !== this.#partition.index) return false
    return this.#fileRules.includes(path)
  }

  #includesFacts(file: FilterFacts): boolean {
    if (this.#oldest !== undefined && file.modTime < this.#oldest) return false
    if (this.#newest !== undefined && file.modTime > this.#newest) return false
    if (this.#minSize >= 0 && file.size < this.#minSize) return false
    if (this.#maxSize >= 0 && file.size > this.#maxSize) return false
    if (this.#metadataRules.length === 0) return true
    const pairs = Object.entries(file.metadata ?? {}).map(([key, value]) => `${key}=${value}`)
    // A file without metadata still meets the rule `*`.
    return this.#metadataRules.includesAny(pairs.length === 0 ? ['\0=\0'] : pairs)
  }

  includesDirectory(path: string): boolean {
    if (path === '') return true
    return this.#files ? this.#files.parents.has(path) : this.#directoryRules.includes(`${path}/`)
  }

  /** Adds the rule for a glob, and the rules for directories that follow from it. */
  addRule(include: boolean, glob: string): void {
    const forDirectories = glob.endsWith('/')
    const pattern = forDirectories && !include ? `${glob}**` : glob
    const deep = pattern.includes('**')
    if (!forDirectories || deep) {
      this.#add(this.#fileRules, include, pattern)
      // An exclude rule for files says nothing about directories, unless it is for all files.
      if (include || pattern === '*')
        for (const dir of directoryGlobs(pattern)) if (dir !== '/') this.#add(this.#directoryRules, include, dir)
    }
    if (forDirectories || deep) this.#add(this.#directoryRules, include, pattern)
  }

  /** Adds the rule of a line: `+ glob`, `- glob`, or `!`, which forgets all rules so far. */
  addLine(line: string): void {
    if (line === '!') {
      this.#fileRules.clear()
      this.#directoryRules.clear()
    } else this.addRule(...parseLine(line))
  }

  /** Adds a rule about metadata, matched against `key=value`. */
  addMetadataRule(include: boolean, glob: string): void {
    this.#metadataRules.add(include, globToRegex(glob, { mode: 'text', ignoreCase: this.#ignoreCase }))
  }

  addMetadataLine(line: string): void {
    if (line === '!') this.#metadataRules.clear()
    else this.addMetadataRule(...parseLine(line))
  }

  /** From now on only files that `addFile` names are seen. */
  listFiles(): void {
    this.#files ??= { names: new Set(), parents: new Set() }
  }

  addFile(name: string): void {
    this.listFiles()
    const path = name.replaceAll(/^\/+|\/+$/g, '')
    this.#files?.names.add(path)
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1))
      this.#files?.parents.add(path.slice(0, slash))
  }

  #add(rules: RuleList, include: boolean, glob: string): void {
    const source = globToRegex(glob, { ignoreCase: this.#ignoreCase })
    try {
      rules.add(include, source)
    } catch (error) {
      throw new Error(
        `bad glob pattern ${JSON.stringify(glob)} (regexp ${JSON.stringify(source)}): ${messageOf(error)}`,
        { cause: error },
      )
    }
  }

  /** The rules as text, for `--dump filters`. */
  dump(): string {
    const time = (at: Nanoseconds) => toDate(at).toISOString().replace('T', ' ').replace('Z', ' +0000 UTC')
    const lines = ['--- start filters ---']
    if (this.#oldest !== undefined)
      lines.push(`Last-modified date must be equal or greater than: ${time(this.#oldest)}`)
    if (this.#newest !== undefined) lines.push(`Last-modified date must be equal or less than: ${time(this.#newest)}`)
    lines.push('--- File filter rules ---', ...this.#fileRules.lines())
    lines.push('--- Directory filter rules ---', ...this.#directoryRules.lines())
    if (this.#metadataRules.length > 0) lines.push('--- Metadata filter rules ---', ...this.#metadataRules.lines())
    return `${[...lines, '--- end filters ---'].join('\n')}\n`
  }
}

/** What `rclone --dump filters` writes about a filter: its rules as regular expressions. */
export function dumpFilters(filter: RuleFilter): string {
  return filter.dump()
}

function parseLine(line: string): [include: boolean, glob: string] {
  const sign = line.slice(0, 2)
  if (sign !== '+ ' && sign !== '- ') throw new Error(`malformed rule ${JSON.stringify(line)}`)
  return [sign === '+ ', line.slice(2)]
}

/** The files whose hash leaves `index` when divided by `of`. */
interface Partition {
  readonly index: bigint
  readonly of: bigint
}

function parsePartition(text: string, random: () => number = Math.random): Partition {
  const [, index, of] = /^(@|\d{1,18})\/(\d{1,18})$/.exec(text) ?? []
  if (index === undefined || of === undefined || Number(of) === 0)
    throw new AppError('invalid', `bad --hash-filter "${text}": use k/n with 0 <= k <= n, or @/n`)
  if (index === '@') return { index: BigInt(Math.floor(random() * Number(of))), of: BigInt(of) }
  if (BigInt(index) > BigInt(of))
    throw new AppError('invalid', `bad --hash-filter "${text}": k must not be larger than n`)
  return { index: BigInt(index) % BigInt(of), of: BigInt(of) }
}

/** Which part a path belongs to: the same on each machine, and for each case and Unicode form of the name. */
function partitionOf(path: string, parts: bigint): bigint {
  // Go lowers letter by letter, without the rules for whole words that JavaScript knows.
  const lower = Array.from(path.normalize('NFC'), (c) => Array.from(c.toLowerCase())[0]).join('')
  return createHash('md5').update(lower).digest().readBigUInt64LE() % parts
}
