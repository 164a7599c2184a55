import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { type Once, once } from './base/once.ts'
import { AppContext } from './core/app-context.ts'
import { cacheDirOf } from './core/cache-dir.ts'
import { Bandwidth } from './core/bandwidth.ts'
import { Events } from './core/events.ts'
import type { Filter } from './core/filter.ts'
import { Groups } from './core/groups.ts'
import type { Logger } from './core/log.ts'
import { mainOptions } from './core/options.ts'
import { Outcomes } from './core/outcomes.ts'
import { publishedLog } from './core/published-log.ts'
import { Remotes } from './layers/open.ts'
import { ActiveLives } from './media/active.ts'
import type { Backend } from './remote/backend.ts'
import { ConfigFile } from './remote/config.ts'
import { configPath } from './remote/config-path.ts'
import type { OptionSet } from './schema/options.ts'
import { ActiveVfses } from './vfs/active.ts'
import { FileCaches } from './vfs/cache/caches.ts'

/** What an app is made from. Several apps may live in one process: nothing is shared between them. */
export interface AppParts {
  readonly options: OptionSet
  readonly log: Logger
  readonly filter: Filter
  readonly backends: readonly Backend[]
  readonly env: Readonly<Record<string, string | undefined>>
  /** Asks a person for the password of an encrypted configuration; absent = there is nobody to ask. */
  readonly askPassword?: ((question: string) => Promise<string>) | undefined
}

/** Everything that lives as long as the program, opened on first use. */
export class App {
  readonly ctx: AppContext
  readonly groups: Groups
  /** What happens, for those who listen. */
  readonly events = new Events()
  /** What became of each file. */
  readonly outcomes = new Outcomes()
  /** The trees in use. */
  readonly vfses = new ActiveVfses(this.events)
  /** The servers with live mounts. */
  readonly lives = new ActiveLives()
  /** The file caches of remotes that are served. */
  readonly caches: FileCaches
  readonly bandwidth: Bandwidth
  readonly backends: readonly Backend[]
  readonly cacheDir: string
  /** The one place that opens remotes from strings. */
  readonly remotes: Once<Remotes>
  readonly #parts: AppParts
  #config: { readonly path: string; readonly file: Once<ConfigFile> }
  readonly #closing = new AbortController()

  constructor(parts: AppParts) {
    const main = parts.options.get(mainOptions)
    this.backends = parts.backends
    this.bandwidth = new Bandwidth(main.bwLimit, main.bwLimitFile)
    const { bandwidth, events, outcomes } = this
    this.groups = new Groups({ bandwidth, signal: this.#closing.signal, events, outcomes })
    this.ctx = new AppContext({
      signal: this.#closing.signal,
      log: publishedLog(parts.log, this.events),
      stats: this.groups.get('global_stats'),
      filter: parts.filter,
      options: parts.options,
    })
    parts.options.onChange((block, key) => {
      if (block !== mainOptions) return
      const { bwLimit, bwLimitFile } = parts.options.get(mainOptions)
      if (key === 'bwLimit') this.bandwidth.set(bwLimit)
      if (key === 'bwLimitFile') this.bandwidth.setPerFile(bwLimitFile)
    })
    this.cacheDir = cacheDirOf(main.cacheDir, parts.env)
    this.caches = new FileCaches(this.ctx, this.cacheDir)
    this.#parts = parts
    this.#config = configAt(configPathOf(parts), parts)
    this.remotes = once(async () => new Remotes({ ...parts, ctx: this.ctx, config: () => this.config() }))
  }

  /** Where rclone.conf is or would be; `''` = in memory. */
  get configPath(): string {
    return this.#config.path
  }

  /** rclone.conf as it is now. */
  async config(): Promise<ConfigFile> {
    const file = await this.#config.file()
    await file.refresh()
    return file
  }

  /** Another rclone.conf from now on; `password` opens one that is encrypted. Throws when it can't be read. */
  async useConfig(path: string, password?: string): Promise<void> {
    const ask = password === undefined ? this.#parts.askPassword : () => Promise.resolve(password)
    const next = configAt(path, { ...this.#parts, askPassword: ask })
    await next.file()
    this.#config = next
  }

  /** Ends what still runs and closes what was opened. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.bandwidth.close()
    await this.caches.close()
    await (await this.remotes.begun)?.close()
  }
}

function configPathOf({ env, options }: AppParts): string {
  const given = options.source(mainOptions, 'config') !== 'default'
  return configPath({
    env,
    flag: given ? options.get(mainOptions).config : undefined,
    home: homedir(),
    exists: existsSync,
    executable: process.argv[1] ?? '',
    platform: process.platform,
  })
}

function configAt(path: string, parts: AppParts): { readonly path: string; readonly file: Once<ConfigFile> } {
  return { path, file: once(() => openConfig(path, parts)) }
}

async function openConfig(path: string, { env, options, log, askPassword }: AppParts): Promise<ConfigFile> {
  const { askPassword: mayAsk, passwordCommand: command } = options.get(mainOptions)
  const ask = mayAsk ? askPassword : undefined
  return await ConfigFile.open({ path, env, password: { env, command, ask, warn: (text) => log.notice(text) } })
}
