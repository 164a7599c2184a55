import { tmpdir } from 'node:os'
import { App } from './app.ts'
import { authOptions, type AuthOptions } from './auth/options.ts'
import { backendsOf, globals } from './catalog.ts'
import { openServer, type Server } from './commands/server.ts'
import { serverOptions } from './commands/server-options.ts'
import { filterOptions } from './core/filter-options.ts'
import { loadFilter } from './core/filter-rules.ts'
import { createLogger, type Logger } from './core/log.ts'
import { mainOptions } from './core/options.ts'
import { httpOptions, type HttpOptions } from './http/options.ts'
import { originOptions, type OriginOptions } from './origin/options.ts'
import type { Backend } from './remote/backend.ts'
import type { OptionBlock, Values } from './schema/option.ts'
import { OptionSet } from './schema/options.ts'
import { version } from './version.ts'
import { vfsOptions, type VfsOptions } from './vfs/options.ts'

export { AppError, type ErrorCode } from './base/error.ts'
export type { Backend, Logger, Server }

/** What may be set; the names are those of the flags in camel case. Sizes are bytes, durations ms. */
export interface ServeSettings {
  readonly http?: Partial<HttpOptions>
  readonly auth?: Partial<AuthOptions>
  readonly origin?: Partial<OriginOptions>
  readonly vfs?: Partial<VfsOptions>
  readonly filter?: Partial<Values<typeof filterOptions>>
  readonly main?: Partial<Values<typeof mainOptions>>
  /** Where to log; by default only errors are shown, on standard error. */
  readonly log?: Logger
  /** Kinds of storage beside those of Sluice. */
  readonly backends?: readonly Backend[]
}

/**
 * Serves a remote or a folder over HTTP from within another program, as `sluice serve http` does. Nothing is shared between
 * two calls. Without a remote `origin.read`, `origin.rules` or `origin.write` says what to serve. Neither signals nor the environment nor rclone.conf are looked at, unless `main.config` names a file.
 *
 *     const server = await serve('/srv/films', { http: { addr: ['127.0.0.1:0'] } })
 *     console.log(server.urls)
 *     await server.close()
 */
export async function serve(
  remote: string | undefined,
  settings: ServeSettings = {},
): Promise<Pick<Server, 'urls' | 'refresh'> & { close(drainMs?: number): Promise<void> }> {
  const options = new OptionSet([...serverOptions, ...globals])
  set(options, mainOptions, { config: '', ...settings.main })
  set(options, httpOptions, settings.http)
  set(options, authOptions, settings.auth)
  set(options, originOptions, settings.origin)
  set(options, vfsOptions, settings.vfs)
  set(options, filterOptions, settings.filter)
  const readFile = () => Promise.reject(new Error('rules are given as values here, not as files'))
  const filter = await loadFilter(options.get(filterOptions), { readFile, now: Date.now() })
  const log = settings.log ?? errorsOnly()
  const app = new App({ options, filter, log, env: {}, backends: [...backendsOf(), ...(settings.backends ?? [])] })
  const { ctx, configPath, remotes, vfses, events } = app
  const parts = {
    ctx,
    configPath,
    config: () => app.config(),
    remotes,
    vfses,
    events,
    lives: app.lives,
    caches: app.caches,
    stdin: process.stdin,
    version,
    env: {},
    tempDir: options.get(mainOptions).tempDir || tmpdir(),
    get: <B extends OptionBlock>(b: B) => options.get(b),
  }
  const server = await openServer(parts, remote).catch(async (reason: unknown) => {
    await app.close()
    throw reason
  })
  return {
    urls: server.urls,
    refresh: () => server.refresh(),
    async close(drainMs = 0) {
      await server.close({ drainMs })
      await app.close()
    },
  }
}

function set(options: OptionSet, block: OptionBlock, values: object | undefined): void {
  for (const [key, value] of Object.entries(values ?? {})) options.set(block, key, value, 'flag')
}

function errorsOnly(): Logger {
  return createLogger({
    level: 'error',
    parts: new Set(['date', 'time']),
    write: (line) => void process.stderr.write(line),
  })
}
