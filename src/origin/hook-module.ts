import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AppError, messageOf } from '../base/error.ts'
import { stampOf } from '../auth/watched-file.ts'
import type { Logger } from '../core/log.ts'
import type { Hook } from './hook.ts'
import { gpacHook, isGpacScript } from './hook-gpac.ts'

const events = ['onRequest', 'onResponse', 'onUpload', 'onLog'] as const

/** The module of `--hook`, loaded anew when its file changes; the last good one stays in use when it goes bad. */
export class HookModule {
  readonly #path: string
  readonly #log: Logger
  #hook: Hook
  #stamp: string
  #loading: Promise<Hook> | undefined

  private constructor(path: string, log: Logger, { hook, stamp }: Loaded) {
    this.#path = path
    this.#log = log
    this.#hook = hook
    this.#stamp = stamp
  }

  /** Throws `invalid` when it cannot be loaded, or is no hook. */
  static async open(path: string, log: Logger): Promise<HookModule> {
    const full = resolve(path)
    try {
      return new HookModule(full, log, await load(full, log))
    } catch (error) {
      throw new AppError('invalid', `can't load the hook ${path}: ${messageOf(error)}`, { cause: error })
    }
  }

  /** The hook as its file is now. */
  current(): Hook | Promise<Hook> {
    if (this.#loading) return this.#loading
    try {
      if (stampOf(this.#path) === this.#stamp) return this.#hook
    } catch {
      return this.#hook // it is being replaced, or is gone
    }
    this.#loading = this.#reload().finally(() => (this.#loading = undefined))
    return this.#loading
  }

  async #reload(): Promise<Hook> {
    try {
      // Whatever comes of it: it is not tried again before the file changes again.
      this.#stamp = stampOf(this.#path)
      this.#hook = (await load(this.#path, this.#log)).hook
      this.#log.info(`hook loaded anew from ${this.#path}`)
    } catch (error) {
      this.#log.error(`hook: ${messageOf(error)}; the one loaded before stays in use`)
    }
    return this.#hook
  }
}

interface Loaded {
  readonly hook: Hook
  readonly stamp: string
}

async function load(path: string, log: Logger): Promise<Loaded> {
  const stamp = stampOf(path)
  const text = await readFile(path, 'utf8')
  if (isGpacScript(text)) return { hook: await gpacHook(text, path, log), stamp }
  // A module is loaded once for each URL.
  const url = `${pathToFileURL(path).href}?${encodeURIComponent(stamp)}`
  const module = (await import(url)) as Record<string, unknown>
  const hook = (module.default ?? module) as Record<string, unknown>
  const present = events.filter((name) => hook[name] !== undefined)
  for (const name of present) if (typeof hook[name] !== 'function') throw new Error(`${name} must be a function`)
  if (present.length === 0)
    throw new Error(`it exports none of ${events.join(', ')}: write "export default { onRequest(request) { ... } }"`)
  return { hook, stamp }
}
