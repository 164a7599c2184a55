import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { type Once, once } from './base/once.ts'
import { AppContext } from './core/app-context.ts'
import { Bandwidth } from './core/bandwidth.ts'
import type { Filter } from './core/filter.ts'
import { Groups } from './core/groups.ts'
import type { Logger } from './core/log.ts'
import { mainOptions } from './core/options.ts'
import { Remotes } from './layers/open.ts'
import type { Backend } from './remote/backend.ts'
import { ConfigFile } from './remote/config.ts'
import { configPath } from './remote/config-path.ts'
import type { OptionSet } from './schema/options.ts'

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
  readonly bandwidth: Bandwidth
  readonly backends: readonly Backend[]
  readonly cacheDir: string
  /** rclone.conf. */
  readonly config: Once<ConfigFile>
  /** The one place that opens remotes from strings. */
  readonly remotes: Once<Remotes>
  readonly #closing = new AbortController()

  constructor(parts: AppParts) {
    const main = parts.options.get(mainOptions)
    this.backends = parts.backends
    this.bandwidth = new Bandwidth(main.bwLimit, main.bwLimitFile)
    this.groups = new Groups({ bandwidth: this.bandwidth, signal: this.#closing.signal })
    this.ctx = new AppContext({
      signal: this.#closing.signal,
      log: parts.log,
      stats: this.groups.get('global_stats'),
      filter: parts.filter,
      options: parts.options,
    })
    this.cacheDir = main.cacheDir || join(parts.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'rclone')
    this.config = once(() => openConfig(parts))
    this.remotes = once(async () => new Remotes({ ...parts, ctx: this.ctx, config: this.config }))
  }

  /** Ends what still runs and closes what was opened. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.bandwidth.close()
    await (await this.remotes.begun)?.close()
  }
}

async function openConfig({ env, options, log, askPassword }: AppParts): Promise<ConfigFile> {
  const { config, askPassword: mayAsk, passwordCommand } = options.get(mainOptions)
  const flag = options.source(mainOptions, 'config') === 'default' ? undefined : config
  const path = configPath({ env, flag, home: homedir(), exists: existsSync, platform: process.platform })
  return await ConfigFile.open({
    path,
    env,
    password: {
      env,
      command: passwordCommand,
      ask: mayAsk ? askPassword : undefined,
      warn: (text) => log.notice(text),
    },
  })
}
