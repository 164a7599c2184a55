import { readFile as readText } from 'node:fs/promises'
import { join } from 'node:path'
import { authentication, gateOf } from '../auth/authenticate.ts'
import { keepPrivate } from '../auth/private.ts'
import { AppError } from '../base/error.ts'
import { filterOptions } from '../core/filter-options.ts'
import { loadFilter } from '../core/filter-rules.ts'
import { Journal } from '../core/journal.ts'
import { inheritedFds, parseAddress } from '../http/address.ts'
import { cors } from '../http/cors.ts'
import { errors } from '../http/error.ts'
import { listen } from '../http/listener.ts'
import { compose, type Handler, type Middleware } from '../http/message.ts'
import { SharedListings } from '../operations/shared-listings.ts'
import { eventsPage } from '../rc/events.ts'
import type { Reach } from '../net/guard.ts'
import { rcBlocks } from '../rc/blocks.ts'
import { rcHandler } from '../rc/handler.ts'
import { journalEntry } from '../rc/history.ts'
import { Jobs } from '../rc/jobs.ts'
import { Metrics, metricsPage } from '../rc/metrics.ts'
import { openApiPage } from '../rc/openapi.ts'
import { pprofPage } from '../rc/pprof.ts'
import { allMethods } from '../rc/methods/index.ts'
import { rcAuthOptions, rcHttpOptions, rcOptions } from '../rc/options.ts'
import type { Services } from '../rc/services.ts'
import { defaultsOf } from '../schema/option.ts'
import { openAccessLog } from './access-log.ts'
import type { CommandIo } from './command.ts'
import { openPages, type RcPages } from './rc-pages.ts'
import { programOf } from './program.ts'
import { hostCheck, serverHeaders } from './server.ts'
import { isLoopback } from './server-options.ts'
import { StartedServers } from './servers.ts'

/** The services that calls use, and the way to end what they have begun. */
export interface Control {
  readonly services: Services
  close(): Promise<void>
}

/** A remote control that listens. */
export interface RcServer {
  readonly urls: readonly string[]
  readonly services: Services
  refresh(): Promise<void>
  close(options: { drainMs: number; now?: AbortSignal }): Promise<void>
}

/** Puts together what calls use. */
export function openControl(io: CommandIo): Control {
  const ending = new AbortController()
  const signal = AbortSignal.any([io.ctx.signal, ending.signal])
  const ctx = io.ctx.with({ signal })
  io.events.enabled = true
  io.outcomes.enabled = true
  const journal = new Journal(join(io.cacheDir, 'rc', 'jobs.jsonl'), io.get(rcOptions).jobHistory, io.ctx.log)
  const jobs = new Jobs({
    events: io.events,
    log: io.ctx.log,
    signal,
    expire: () => {
      const { jobExpireDuration: after, jobExpireInterval: every } = io.get(rcOptions)
      return { after, every }
    },
    ended: (job) => journal.add(journalEntry(job, jobs.executeId)),
  })
  const servers = new StartedServers({ ...io, ctx })
  let filter = io.ctx.filter
  const services: Services = {
    ctx,
    options: io.options,
    groups: io.groups,
    bandwidth: io.bandwidth,
    jobs,
    events: io.events,
    outcomes: io.outcomes,
    listings: new SharedListings(),
    folders: new WeakSet(),
    journal,
    methods: allMethods(),
    backends: io.backends,
    blocks: rcBlocks,
    vfses: io.vfses,
    lives: io.lives,
    servers,
    program: programOf({ configPath: () => io.configPath, quit: (code) => io.quit(code) }),
    version: io.version,
    cacheDir: io.cacheDir,
    tempDir: io.tempDir,
    configPath: () => io.configPath,
    setConfigPath: (path) => io.useConfig(path),
    config: () => io.config(),
    unlockConfig: (password) => io.useConfig(io.configPath, password),
    remotes: () => io.remotes(),
    allowExec: io.get(rcOptions).allowExec,
    reach: reachOf(io),
    filterOf: (values) =>
      loadFilter({ ...defaultsOf(filterOptions), ...values }, { readFile: refuseFile, now: Date.now() }),
    get filter() {
      return filter
    },
    async setFilter(values) {
      const before = io.get(filterOptions)
      // The operator's own files may be read again, no others.
      const files = new Set(Object.values(before).filter(Array.isArray).flat())
      const readFile = (path: string) => (files.has(path) ? readText(path, 'utf8') : refuseFile())
      filter = await loadFilter({ ...before, ...values }, { readFile, now: Date.now() })
    },
  }
  return {
    services,
    async close() {
      ending.abort(new AppError('aborted', 'the program ends'))
      await servers.stopAll()
      await jobs.idle()
      await journal.flush()
    },
  }
}

/** Where URLs of calls may lead to: who can only come from this machine may look at what else is on it. */
function reachOf(io: CommandIo): Reach {
  if (io.get(rcOptions).allowPrivateUrls) return 'all'
  const local = io.get(rcHttpOptions).addr.every((text) => {
    const address = parseAddress(text)
    return address.kind === 'unix' || (address.kind === 'tcp' && isLoopback(address.host ?? ''))
  })
  return local && inheritedFds(io.env, process.pid).length === 0 ? 'loopback' : 'public'
}

function refuseFile(): Promise<string> {
  throw new AppError(
    'denied',
    'rules from files are not read for calls: give them as IncludeRule, ExcludeRule or FilterRule',
  )
}

/** Starts the remote control server that the options of the block `rc` describe. Throws when anything of it is not right. */
export async function openRcServer(io: CommandIo): Promise<RcServer> {
  const [rc, http] = [io.get(rcOptions), io.get(rcHttpOptions)]
  const gate = gateOf(io.ctx, io.get(rcAuthOptions), http.clientCa !== '')
  const access = openAccessLog(http, io.ctx.log)
  const control = openControl(io)
  const metrics = rc.enableMetrics ? new Metrics(io.groups, io.lives) : undefined
  const allowed = gate !== undefined || rc.noAuth
  const around: readonly Middleware[] = [
    access.middleware,
    hostCheck(http, undefined),
    serverHeaders(http, io.version),
    cors({ origins: http.allowOrigin, methods: 'GET, HEAD, OPTIONS, POST', log: io.ctx.log }),
    errors(),
    gate ? openOptions((next) => authentication(gate)(keepPrivate(next))) : (next) => next,
  ]
  let web: RcPages | undefined
  try {
    const pages = (web = await openPages(io, control.services, allowed))
    const handler = rcHandler({
      services: control.services,
      locked: gate !== undefined,
      noAuth: rc.noAuth,
      origins: http.allowOrigin,
      pages: [
        ...pages.first,
        eventsPage(io.events, allowed),
        ...(metrics ? [metricsPage(metrics)] : []),
        ...(allowed ? [pprofPage(io.options)] : []),
        openApiPage(control.services),
        ...pages.last,
      ],
    })
    const fds = inheritedFds(io.env, process.pid)
    const settings = { ...http, fds, refused: access.middleware }
    const listening = await listen(control.services.ctx, compose(handler, ...around), settings)
    return {
      urls: listening.urls,
      services: control.services,
      async refresh() {
        access.reopen()
        pages.forget()
        await listening.reload()
      },
      async close(options) {
        await Promise.all([listening.close(options), control.close()])
        metrics?.close()
        await pages.close()
        access.close()
      },
    }
  } catch (error) {
    await control.close()
    metrics?.close()
    await web?.close()
    access.close()
    throw error
  }
}

/** What a method allows may be asked without a login: OPTIONS never does anything. */
function openOptions(auth: Middleware): Middleware {
  return (next) => {
    const guarded: Handler = auth(next)
    return (ctx, request) => (request.method === 'OPTIONS' ? next(ctx, request) : guarded(ctx, request))
  }
}
