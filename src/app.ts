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
  /** Where rclone.conf is or would be; `''` = in memory. */
  readonly configPath: string
  /** rclone.conf. */
  readonly config: () => Promise<ConfigFile>
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
    this.configPath = configPathOf(parts)
    const config = once(() => openConfig(this.configPath, parts))
    this.config = async () => {
      const file = await config()
      await file.refresh()
      return file
    }
    this.remotes = once(async () => new Remotes({ ...parts, ctx: this.ctx, config: this.config }))
  }

  /** Ends what still runs and closes what was opened. */
  async close(): Promise<void> {
    this.#closing.abort()
    this.bandwidth.close()
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

async function openConfig(path: string, { env, options, log, askPassword }: AppParts): Promise<ConfigFile> {
  const { askPassword: mayAsk, passwordCommand: command } = options.get(mainOptions)
  const ask = mayAsk ? askPassword : undefined
  return await ConfigFile.open({ path, env, password: { env, command, ask, warn: (text) => log.notice(text) } })
}
