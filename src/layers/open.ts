import { resolve } from 'node:path'
import { isDeepStrictEqual } from 'node:util'
import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { unfiltered } from '../core/filter.ts'
import { mainOptions } from '../core/options.ts'
import type { Backend } from '../remote/backend.ts'
import type { FileEntry, Layer, Remote } from '../remote/remote.ts'
import { formatSpec, parseSpec, type Spec, splitSpec } from '../remote/spec.ts'
import type { OptionSet } from '../schema/options.ts'
import { filtered } from './filtered.ts'
import { limited } from './limit.ts'
import { logged } from './logged.ts'
import { only } from './only.ts'
import { paced } from './pacer.ts'
import { retryPolicy, retrying } from './retry.ts'
import { type Sections, settle } from './settle.ts'

export interface RemotesParts {
  readonly ctx: Context
  readonly backends: readonly Backend[]
  /** The remotes of rclone.conf; asked for only when a name needs it. */
  readonly config: () => Promise<Sections>
  /** The values that flags and the environment gave to backend options. */
  readonly options: OptionSet
  readonly env: Readonly<Record<string, string | undefined>>
}

export interface OpenSettings {
  /** Whether options that run programs may be set by the text. */
  readonly exec?: boolean
}

/** Opens what a text names: all remotes, or those that whoever asks may use. */
export interface Opener {
  open(text: string): Promise<Remote>
  openAt(text: string): Promise<Place>
  /** The one text for what may be named in several ways. */
  canonical(text: string): Promise<string>
}

/** How a remote came to be opened. */
interface Way {
  /** The remotes it is within. */
  readonly chain: readonly string[]
  readonly exec: boolean
}

interface Opened {
  /** With the layers of its storage: for backends that wrap it. */
  readonly remote: Promise<Remote>
  /** With the filter around it, whose rules are about the paths of this very remote: for everybody else. */
  readonly shown: Promise<Remote>
  usedAt: number
}

/** A remote, and the file when its text named one: the remote is then rooted at the file's directory. */
export interface Place {
  readonly remote: Remote
  readonly file?: FileEntry
}

/**
 * Opens remotes from strings, the only place that does. Each is opened once, with its layers, and found again until it was
 * not asked for during `--fs-cache-expire-duration`. Whoever got one may use it for as long as the app lives: it is forgotten
 * then, not closed, for others may still read from it.
 */
export class Remotes implements Opener {
  readonly #parts: RemotesParts
  readonly #opened = new Map<string, Opened>()
  readonly #now: () => number

  constructor(parts: RemotesParts, now: () => number = () => performance.now()) {
    this.#parts = parts
    this.#now = now
  }

  /**
   * The remote at `name:path`, `:backend,option=value:path` or a local path. Throws `invalid` with what is wrong in the text,
   * `denied` when it sets an option that runs a program and `exec` is false: for texts that came over the network.
   */
  async open(text: string, { exec = true }: OpenSettings = {}): Promise<Remote> {
    return await this.#open(parseSpec(text), { chain: [], exec }).shown
  }

  /**
   * As `open`, for a text that may name a file: the remote then is its directory, showing that file alone. What is named itself
   * is found whatever the filter says, which goes on to decide what the remote shows.
   */
  async openAt(text: string, { exec = true }: OpenSettings = {}): Promise<Place> {
    const spec = parseSpec(text)
    const way = { chain: [], exec }
    const remote = await this.#open(spec, way).shown
    const root = await remote.stat(this.#parts.ctx, '')
    if (root?.kind === 'directory') return { remote }
    const { parent, name } = splitSpec(spec)
    // Some storage, a web server for one, knows a file only by its name in a folder.
    if (!root && name === '') return { remote }
    const directory = only(name)(await this.#open(parent, way).shown)
    const file = await directory.stat(unfiltered(this.#parts.ctx), name)
    if (file?.kind === 'file') return { remote: directory, file }
    if (root) throw new AppError('not-found', `${text}: file not found`)
    return { remote }
  }

  /** The kind of storage that a text names; nothing is opened. Throws as `open` does. */
  async kindOf(text: string): Promise<Backend> {
    return (await settle(parseSpec(text), this.#parts, { exec: true })).backend
  }

  /**
   * The one text for what may be named in several ways: it tells whether two texts mean one place. What stands for another
   * remote is followed, and a disk set up as any other is its path. Nothing is opened. Throws as `open` does.
   */
  async canonical(text: string): Promise<string> {
    return await this.#canonical(text, 0)
  }

  async #canonical(text: string, depth: number): Promise<string> {
    const spec = parseSpec(text)
    const { backend, name, config } = await settle(spec, this.#parts)
    const other = backend.standsFor?.({ name, root: spec.path, config })
    // What a configuration may say, a program to run, whoever asks may not: what has settings of its own keeps its name.
    if (other !== undefined)
      return depth === DEEPEST || hasSettings(other) ? text : await this.#canonical(other, depth + 1)
    if (spec.kind === 'local' || backend.name !== 'local') return text
    const disk: Spec = { kind: 'local', path: spec.path || '.' }
    return isDeepStrictEqual(config, (await settle(disk, this.#parts)).config) ? formatSpec(disk) : text
  }

  /** How many remotes are open (`fscache/entries`). */
  get size(): number {
    this.#expire()
    return this.#opened.size
  }

  /** Opens all remotes anew when they are asked for again (`fscache/clear`); whoever uses one goes on with it. */
  forget(): void {
    this.#opened.clear()
  }

  /** Closes all remotes: the end of the app. */
  async close(): Promise<void> {
    const all = [...this.#opened.values()]
    this.#opened.clear()
    for (const { remote } of all)
      await remote.then(
        (r) => r.close?.(),
        () => {},
      )
  }

  #open(spec: Spec, { chain, exec }: Way): Opened {
    const key = formatSpec(spec.kind === 'local' ? { ...spec, path: resolve(spec.path) } : spec)
    // Each turn of a loop may add to the path: the length tells what the text does not.
    if (chain.includes(key) || chain.length >= DEEPEST)
      throw new AppError('invalid', `remote ${key} refers to itself: ${[...chain.slice(0, 4), key].join(' → ')}`)
    this.#expire()
    let opened = this.#opened.get(key)
    if (!opened) {
      const remote = this.#make(spec, { chain: [...chain, key], exec })
      const shown = remote.then(filtered(this.#parts.ctx.filter))
      opened = { remote, shown, usedAt: 0 }
      this.#opened.set(key, opened)
      shown.catch(() => this.#opened.delete(key))
    }
    opened.usedAt = this.#now()
    return opened
  }

  async #make(spec: Spec, way: Way): Promise<Remote> {
    const { ctx } = this.#parts
    const { backend, config, name, unknown } = await settle(spec, this.#parts, way)
    // What the configuration says is the operator's word, whoever asks for it.
    const inner = { ...way, exec: way.exec || (spec.kind === 'named' && Object.keys(spec.overrides).length === 0) }
    for (const key of unknown)
      ctx.log.notice(`option ${JSON.stringify(key)} is not known to the ${backend.name} backend and is ignored`)
    const remote = await backend.open(ctx, {
      name,
      root: spec.path,
      config,
      openRemote: async (text) => await this.#open(parseSpec(text), inner).remote,
    })
    return backend.wraps ? remote : this.#layers(remote).reduceRight((inner, layer) => layer(inner), remote)
  }

  /**
   * The layers of a storage, outermost first; the filter goes around all. A local disk gains nothing from retries and limits.
   * Timeouts belong to net/client.
   */
  #layers(remote: Remote): readonly Layer[] {
    if (remote.info.traits.isLocal) return []
    const main = this.#parts.ctx.get(mainOptions)
    const limits = {
      calls: Math.max(main.checkers, main.transfers),
      perSecond: main.tpsLimit,
      burst: main.tpsLimitBurst,
    }
    const pace = { first: 20, longest: 2000, now: () => performance.now() }
    return [limited(limits), retrying(retryPolicy(this.#parts.ctx)), paced(pace), logged()]
  }

  #expire(): void {
    const oldest = this.#now() - this.#parts.ctx.get(mainOptions).fsCacheExpireDuration
    for (const [key, { usedAt }] of this.#opened) if (usedAt < oldest) this.#opened.delete(key)
  }
}

function hasSettings(text: string): boolean {
  const spec = parseSpec(text)
  return spec.kind !== 'local' && Object.keys(spec.overrides).length > 0
}

/** More remotes than this within each other are a loop. */
const DEEPEST = 32
