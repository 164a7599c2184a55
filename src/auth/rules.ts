import { resolve } from 'node:path'
import { globToRegex } from '../base/glob.ts'
import { AppError, messageOf } from '../base/error.ts'
import { asCanonical, type CanonicalPath, parentOf } from '../base/path.ts'
import { realPath } from '../base/real-path.ts'
import { Regex } from '../base/regex.ts'
import { IniDocument } from '../remote/ini.ts'
import { parseSpec } from '../remote/spec.ts'
import { Party } from './party.ts'
import { type Groups, groupsOf } from './users.ts'

/** What may be done to what a section is about. */
export interface Rights {
  /** Who may read; undefined = everybody. */
  readonly read: Party | undefined
  /** Who may write; undefined = nobody. */
  readonly write: Party | undefined
}

/** A section of a rules file that is about a directory or a remote. */
export interface DirectorySection extends Rights {
  /** As it stands in the file. */
  readonly title: string
  /** Where it is: an absolute path, as it is written and with all links followed, or the text of a remote. */
  readonly places: readonly string[]
  /** The URL prefix under which it is found, without slashes around it; undefined = the file gives it none. */
  readonly name: CanonicalPath | undefined
}

/** A section that is about URLs. */
interface UrlSection extends Rights {
  readonly pattern: Regex
  /** How much of the pattern is plain text: of two that match, the one with more of it counts. */
  readonly weight: number
}

/** What a request is about. */
export interface Subject {
  /** The path of its URL. */
  readonly path: string
  /** Where that lies, as `DirectorySection.places` has it; none = nowhere in storage. */
  readonly places: readonly string[]
}

/** The rules of one version of a file. */
export class Rules {
  readonly directories: readonly DirectorySection[]
  readonly groups: Groups
  /** Where the directories are, the innermost first. */
  readonly #places: readonly { readonly place: string; readonly section: DirectorySection }[]
  readonly #urls: readonly UrlSection[]
  readonly #normalize: boolean

  constructor(
    { directories, urls, groups }: Pick<Rules, 'directories' | 'groups'> & { readonly urls: readonly UrlSection[] },
    normalize: boolean,
  ) {
    this.#normalize = normalize
    this.directories = directories
    this.#places = directories
      .flatMap((section) => section.places.map((place) => ({ place, section })))
      .toSorted((a, b) => b.place.length - a.place.length)
    this.#urls = urls.toSorted((a, b) => b.weight - a.weight)
    this.groups = groups
  }

  get size(): number {
    return this.directories.length + this.#urls.length
  }

  /** True when somebody may write somewhere. */
  get writable(): boolean {
    return [...this.directories, ...this.#urls].some(({ write }) => write?.admitsSomebody)
  }

  /** True when a login is needed for something. */
  get namesUsers(): boolean {
    return [...this.directories, ...this.#urls].some(({ read, write }) => read?.needsLogin || write?.needsLogin)
  }

  /**
   * The rights that hold for a request, all of which must allow it: those of the innermost directory, or, where none has it,
   * of the section that is called as the URL begins; and those of the URL pattern that fits best. None = no rule is about it.
   */
  rightsOf({ path, places }: Subject): readonly Rights[] {
    // A link has two places, and both are guarded: where it lies and where it leads.
    const directories = places.map((at) => this.#places.find(({ place }) => isBelow(at, place))?.section)
    const found = new Set(directories.filter((section) => section !== undefined))
    const named = found.size === 0 ? this.#named(path) : undefined
    const text = this.#normalize ? path.normalize() : path
    const url = this.#urls.find(({ pattern }) => matchesWithin(pattern, text))
    return [...found, named, url].filter((rights) => rights !== undefined)
  }

  #named(path: string): Rights | undefined {
    const ways = this.directories.filter(({ name }) => name !== undefined && isBelow(path, name))
    return ways.toSorted((a, b) => (b.name?.length ?? 0) - (a.name?.length ?? 0))[0]
  }
}

/** True when `path` is `dir` or lies below it; `dir` may be the root of a disk or of a remote. */
export function isBelow(path: string, dir: string): boolean {
  if (path === dir || dir === '') return true
  return path.startsWith(/[/:]$/.test(dir) ? dir : `${dir}/`)
}

/** True when a path, or a directory that it lies in, matches. */
function matchesWithin(pattern: Regex, path: string): boolean {
  for (let at = path; ; at = parentOf(at)) {
    if (pattern.test(at)) return true
    if (at === '') return false
  }
}

/** The servers that a section may name in `filters`, ours among them. */
const servers = new Set(['*', 'all', 'http', 'httpout', 'sluice'])
const keys = new Set(['name', 'ru', 'rg', 'wu', 'wg', 'filters', 'mcast'])

export interface RulesSettings {
  /** What relative directories are relative to. */
  readonly cwd: string
  /** Whether there is a directory at an absolute path. */
  isDirectory(path: string): boolean
  /** URLs that differ in case, or in the Unicode form, mean the same. */
  readonly ignoreCase: boolean
  readonly normalize: boolean
}

/**
 * Reads a rules file (httpout.md 3.6): sections are directories, remotes or URL patterns, and say who may read and write there.
 * `[groups]` says who belongs to which group. Throws `invalid` with what is wrong.
 */
export function parseRules(bytes: Uint8Array, settings: RulesSettings): Rules {
  const file = new IniDocument(bytes)
  const directories: DirectorySection[] = []
  const urls: UrlSection[] = []
  for (const title of file.sections()) {
    const values = file.get(title) ?? {}
    if (title === 'groups' || !isForUs(values.filters)) continue
    for (const key of Object.keys(values))
      if (!keys.has(key)) throw new AppError('invalid', `[${title}] has "${key}": use name, ru, rg, wu or wg`)
    const rights = { read: Party.read(values.ru, values.rg), write: Party.write(values.wu, values.wg) }
    const pattern = urlOf(title, values.name, settings)
    if (pattern !== undefined) urls.push({ ...rights, ...pattern })
    if (title.startsWith('url:')) continue
    directories.push({ title, ...rights, places: placesOf(title, settings.cwd), name: nameIn(title, values.name) })
  }
  return new Rules({ directories, urls, groups: groupsOf(file.get('groups')) }, settings.normalize)
}

function isForUs(filters: string | undefined): boolean {
  return filters === undefined || filters.split(',').some((name) => servers.has(name.trim()))
}

/**
 * The URLs that a section is about: `url:/PATTERN`; a title that begins with a slash and is no directory; and what is called
 * `name` but has no directory, such as the URLs of a hook.
 */
function urlOf(
  title: string,
  name: string | undefined,
  settings: RulesSettings,
): { pattern: Regex; weight: number } | undefined {
  if (title.startsWith('url:')) return compile(title, title.slice('url:'.length), settings)
  const spec = parseSpec(title)
  if (spec.kind !== 'local' || settings.isDirectory(resolve(settings.cwd, title))) return undefined
  if (name !== undefined) return compile(title, `/${escaped(nameIn(title, name) ?? '')}`, settings)
  return title.startsWith('/') ? compile(title, title, settings) : undefined
}

function compile(
  title: string,
  text: string,
  { ignoreCase, normalize }: RulesSettings,
): { pattern: Regex; weight: number } {
  // What a pattern matches is guarded with all below it, so that `/**` at its end says nothing more.
  const glob = (normalize ? text.normalize() : text).replace(/\/(?:\*\*)?$/, '')
  if (!text.startsWith('/'))
    throw new AppError('invalid', `[${title}]: a URL begins with a slash, such as url:/private/**`)
  try {
    return {
      pattern: new Regex(globToRegex(glob === '' ? '/' : glob, { ignoreCase })),
      weight: /^[^*?[{\\]*/.exec(glob)?.[0].length ?? 0,
    }
  } catch (error) {
    throw new AppError('invalid', `[${title}]: ${messageOf(error)}`, { cause: error })
  }
}

function escaped(text: string): string {
  return text.replace(/[\\*?[\]{}]/g, '\\$&')
}

function nameIn(title: string, name: string | undefined): CanonicalPath | undefined {
  if (name === undefined) return undefined
  try {
    return asCanonical(name.replace(/^\/+|\/+$/g, ''))
  } catch (error) {
    throw new AppError('invalid', `[${title}]: "${name}" can't be the beginning of a URL`, { cause: error })
  }
}

function placesOf(title: string, cwd: string): readonly string[] {
  return parseSpec(title).kind === 'local' ? diskPlaces(resolve(cwd, title)) : [title.replace(/(?<!:)\/+$/, '')]
}

/** Where an absolute path of this machine is: as it is written, and with all links followed. */
export function diskPlaces(path: string): readonly string[] {
  const real = realPath(path)
  return real === path ? [path] : [path, real]
}

/** Where a path of a remote lies, as `DirectorySection.places` has it. `root` is where the remote is rooted. */
export function placeBelow(root: string, path: string): string {
  if (path === '') return root
  return /[/:]$/.test(root) ? root + path : `${root}/${path}`
}
