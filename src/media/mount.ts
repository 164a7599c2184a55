import { AppError, messageOf } from '../base/error.ts'
import { parseDuration } from '../base/duration.ts'
import { asCanonical, type CanonicalPath } from '../base/path.ts'
import { parseSize } from '../base/size.ts'
import { type Station, stationEntry } from './station.ts'

/** One mount as it was asked for. */
export interface Mount {
  readonly path: CanonicalPath
  /** Where it gets its bytes from; `''` = from whoever publishes to it. */
  readonly source: string
  /** The source begins, or is listened to, when the first listener comes. */
  readonly hold: boolean
  /** Listeners stay when the source ends, and wait for the next one. */
  readonly reopen: boolean
  /** The source begins again where it ends. */
  readonly loop: boolean
  /** How fast a source is read: as it plays, or so many bytes a second. */
  readonly pace: 'off' | 'auto' | number
  /** The mount that listeners hear while this one has no source. */
  readonly fallback: CanonicalPath | undefined
  /** 0 = any number. */
  readonly maxListeners: number
  /** How long somebody may listen, ms. */
  readonly maxDuration: number
  /** Nobody who listens needs a login. */
  readonly open: boolean
  /** The source runs only while somebody listens, and for `linger` ms after that. */
  readonly onDemand: boolean
  readonly linger: number
  /** Media type, when neither publisher nor name tell. */
  readonly type: string | undefined
  readonly station: Station
  /** Bytes that somebody who joins gets at once. */
  readonly burst: number
  readonly slow: 'drop' | 'skip'
  /** How far somebody may fall behind, bytes. */
  readonly maxLag: number
}

/** What holds for all mounts that say nothing else. */
export type MountDefaults = Omit<Mount, 'path' | 'source' | 'type' | 'fallback'>

type Change = { -readonly [K in keyof Mount]?: Mount[K] }

/** The options of one mount, by the words that stand behind its path. */
const words: Readonly<Record<string, (value: string, change: Change) => void>> = {
  hold: (value, change) => (change.hold = yes(value)),
  reopen: (value, change) => (change.reopen = yes(value)),
  loop: (value, change) => (change.loop = yes(value)),
  open: (value, change) => (change.open = yes(value)),
  'on-demand': (value, change) => (change.onDemand = yes(value)),
  linger: (value, change) => (change.linger = parseDuration(value)),
  pace: (value, change) => (change.pace = parsePace(value === '' ? 'auto' : value)),
  fallback: (value, change) => (change.fallback = mountPath(value)),
  'max-listeners': (value, change) => (change.maxListeners = whole(value)),
  'max-duration': (value, change) => (change.maxDuration = parseDuration(value)),
  type: (value, change) => (change.type = value),
  burst: (value, change) => (change.burst = parseSize(value)),
  slow: (value, change) => (change.slow = oneOf(value, 'drop', 'skip')),
  'max-client-lag': (value, change) => (change.maxLag = parseSize(value)),
  name: (value, change) => described(change, 'name', value),
  genre: (value, change) => described(change, 'genre', value),
  description: (value, change) => described(change, 'description', value),
  url: (value, change) => described(change, 'url', value),
  bitrate: (value, change) => described(change, 'br', value),
}

/**
 * Reads `/PATH[=SOURCE][,WORD[=VALUE]...]`. A comma that no known word follows belongs to what stands before it; double quotes
 * keep anything together. Throws `usage`.
 */
export function parseMount(text: string, defaults: MountDefaults): Mount {
  const [head = '', ...rest] = pieces(text)
  const [, path = '', source] = /^([^=]*)(?:=(.*))?$/s.exec(head) ?? []
  const change: Change = { station: defaults.station }
  for (const piece of rest) {
    const [, word = '', value = ''] = /^([^=]*)(?:=(.*))?$/s.exec(piece) ?? []
    try {
      words[word]?.(unquoted(value), change)
    } catch (error) {
      throw new AppError('usage', `--live ${path}: ${word}: ${messageOf(error)}`, { cause: error })
    }
  }
  return {
    ...defaults,
    path: mountPath(path),
    source: unquoted(source ?? ''),
    type: undefined,
    fallback: undefined,
    ...change,
  }
}

/** The path of a mount: `/live.mp3` or `live.mp3`. Throws `usage` when it is none. */
export function mountPath(text: string): CanonicalPath {
  const path = text.replace(/^\/+/, '')
  try {
    if (path !== '' && !path.startsWith('admin/')) return asCanonical(path)
  } catch {
    // the sentence below says it
  }
  throw new AppError('usage', `${JSON.stringify(text)} is no path for a mount: use one such as /live.mp3`)
}

/** `off`, `auto`, or bits a second such as `128k`. */
export function parsePace(text: string): Mount['pace'] {
  if (text === 'off' || text === 'auto') return text
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)([kM]?)$/.exec(text) ?? []
  const rate = (Number(digits) * ({ k: 1e3, M: 1e6 }[unit] ?? 1)) / 8
  if (!(rate > 0))
    throw new AppError('usage', `bad pace ${JSON.stringify(text)}: use off, auto or bits a second such as 128k`)
  return rate
}

/** The text at its commas: those outside of quotes that a known word follows. */
function pieces(text: string): string[] {
  const found: string[] = []
  let start = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted
    if (text[i] !== ',' || quoted) continue
    const word = /^[\w-]+(?=[=,]|$)/.exec(text.slice(i + 1))?.[0]
    if (word === undefined || !Object.hasOwn(words, word)) continue
    found.push(text.slice(start, i))
    start = i + 1
  }
  const all = [...found, text.slice(start)]
  const [head = ''] = all
  const stray = /^[^="]*,([^=,]*)/.exec(head)?.[1]
  if (stray !== undefined)
    throw new AppError(
      'usage',
      `--live ${text}: unknown word ${JSON.stringify(stray)}: use ${Object.keys(words).join(', ')}`,
    )
  return all
}

function unquoted(text: string): string {
  return /^".*"$/s.test(text) ? text.slice(1, -1).replaceAll('""', '"') : text
}

function described(change: Change, name: string, value: string): void {
  const [key, text] = stationEntry(`${name}=${value}`) ?? [name, value]
  change.station = { ...change.station, [key]: text }
}

function yes(value: string): boolean {
  return oneOf(value === '' ? 'true' : value, 'true', 'false') === 'true'
}

function whole(value: string): number {
  if (!/^\d+$/.test(value)) throw new Error(`bad whole number ${JSON.stringify(value)}`)
  return Number(value)
}

function oneOf<const T extends string>(value: string, ...choices: readonly T[]): T {
  const found = choices.find((choice) => choice === value)
  if (found === undefined) throw new Error(`invalid choice ${JSON.stringify(value)} from: ${choices.join(', ')}`)
  return found
}
