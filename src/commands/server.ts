import { authentication, type Gate, gateOf } from '../auth/authenticate.ts'
import { authOptions } from '../auth/options.ts'
import { keepPrivate } from '../auth/private.ts'
import { AppError } from '../base/error.ts'
import { mainOptions } from '../core/options.ts'
import { inheritedFds } from '../http/address.ts'
import { cors } from '../http/cors.ts'
import { encoding } from '../http/encoding.ts'
import { errors } from '../http/error.ts'
import { headers } from '../http/headers.ts'
import { serverUtc } from '../http/server-utc.ts'
import { hosts } from '../http/hosts.ts'
import { listen } from '../http/listener.ts'
import type { Middleware } from '../http/message.ts'
import { type HttpOptions, httpOptions } from '../http/options.ts'
import { localHosts } from '../http/strict.ts'
import type { Live } from '../media/live.ts'
import { liveOptions } from '../media/options.ts'
import { passwordInQuery } from '../media/publisher-login.ts'
import { originOptions } from '../origin/options.ts'
import { cacheControl } from '../origin/cache-control.ts'
import { originHandler, pipeline } from '../origin/origin.ts'
import { ready } from '../origin/ready.ts'
import { loadListingTemplate } from '../origin/template.ts'
import { liveValues } from '../schema/options.ts'
import { vfsOptions } from '../vfs/options.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { openAccessLog } from './access-log.ts'
import type { CommandIo } from './command.ts'
import { openLive, uploadPaths } from './live-mounts.ts'
import { withoutSecrets } from './secrets.ts'
import { isLoopback } from './server-options.ts'
import { Trees } from './trees.ts'
import { withUploads } from './writing.ts'

/** What a server is put together from. */
export type ServerParts = Pick<
  CommandIo,
  | 'ctx'
  | 'env'
  | 'version'
  | 'configPath'
  | 'tempDir'
  | 'get'
  | 'remotes'
  | 'config'
  | 'vfses'
  | 'events'
  | 'stdin'
  | 'lives'
> & {
  /** False: the text of the remote may not set options that run programs. Default true. */
  readonly exec?: boolean
}

/** A server that runs. */
export interface Server {
  /** Where clients find it: `http://127.0.0.1:8080/`. */
  readonly urls: readonly string[]
  /** The bound addresses: `127.0.0.1:8080`. */
  readonly addresses: readonly string[]
  /** What it serves, for people. */
  readonly description: string
  /** A login is needed. */
  readonly locked: boolean
  /** Its live mounts. */
  readonly live: Live
  /** Forgets directory listings, opens the access log anew, reads certificates again. */
  refresh(): Promise<void>
  /** Takes no more requests, lets running ones end for `drainMs`, or until `now` aborts. */
  close(options: { drainMs: number; now?: AbortSignal }): Promise<void>
}

/**
 * Starts a server over a remote; without one `--auth-proxy` names it for each user. `addr` stands in for the addresses of the
 * options. Throws when anything of it is not right: then nothing listens.
 */
export async function openServer(
  parts: ServerParts,
  spec: string | undefined,
  addr?: HttpOptions['addr'],
): Promise<Server> {
  const { ctx } = parts
  refuseLenientParser(parts.env)
  const http = parts.get(httpOptions)
  const access = openAccessLog(http, ctx.log)
  const gate = gateOf(ctx, parts.get(authOptions), http.clientCa !== '')
  const { bufferSize } = parts.get(mainOptions)
  const trees = new Trees({
    ctx,
    remotes: await parts.remotes(),
    options: liveValues(vfsOptions, parts.get),
    bufferSize,
    vfses: parts.vfses,
  })
  let live: Live | undefined
  let forgetLive: (() => void) | undefined
  async function release(): Promise<void> {
    access.close()
    forgetLive?.()
    await live?.close()
    await trees.close()
  }
  try {
    live = await openLive(parts, gate !== undefined)
    const uploads = uploadPaths(live, parts.get(liveOptions))
    const root = spec === undefined ? undefined : await openRoot(parts, trees, spec)
    const handler = await handlerOf(parts, { spec, root, trees, live, gate, access: access.middleware })
    const fds = inheritedFds(parts.env, process.pid)
    const listening = await listen(ctx, handler, { ...http, ...(addr ? { addr } : {}), fds, uploads })
    forgetLive = parts.lives.add(listening.addresses[0] ?? '', live)
    return {
      urls: listening.urls,
      addresses: listening.addresses,
      description: root?.remote.info.description ?? (parts.get(originOptions).write || 'auth-proxy'),
      locked: gate !== undefined,
      live,
      async refresh() {
        trees.forget()
        access.reopen()
        await listening.reload()
      },
      async close(options) {
        // Streams have no end by themselves.
        await live?.close()
        await listening.close(options)
        await release()
      },
    }
  } catch (reason) {
    await release()
    throw reason
  }
}

async function openRoot(parts: ServerParts, trees: Trees, spec: string): Promise<Vfs> {
  const { remote } = await (await parts.remotes()).openAt(spec, { exec: parts.exec ?? true })
  const { allowMissingRoot } = parts.get(originOptions)
  // Storage without real directories cannot tell a missing root from an empty one.
  const knows = remote.info.traits.emptyDirectories
  if (!allowMissingRoot && knows && !(await remote.stat(parts.ctx, '')))
    throw new AppError('not-found', `directory not found: ${spec}. ${await elsewhere(parts, spec)}`)
  return trees.over(withoutSecrets(parts, remote), spec)
}

/** What a person may have meant by a directory that is not there. */
async function elsewhere(parts: ServerParts, spec: string): Promise<string> {
  if ((await parts.config()).sections().includes(spec)) return `The remote of that name is written ${spec}:`
  return '--allow-missing-root starts all the same'
}

interface HandlerParts {
  readonly spec: string | undefined
  readonly root: Vfs | undefined
  readonly trees: Trees
  readonly live: Live
  readonly gate: Gate | undefined
  readonly access: Middleware
}

/** The origin with everything around it. */
async function handlerOf(parts: ServerParts, { spec, root, trees, live, gate, access }: HandlerParts) {
  const { ctx } = parts
  const [http, vfs] = [parts.get(httpOptions), parts.get(vfsOptions)]
  const origin = liveValues(originOptions, parts.get)
  const template = origin.template === '' ? undefined : await loadListingTemplate(origin.template)
  const logged = http.accessLog !== '' || ctx.log.enabled('info')
  const reading = originHandler({
    tree: (_ctx, { user }) => (user?.backend ? trees.ofUser(user.backend) : (root ?? trees.none())),
    options: origin,
    listing: { zip: !origin.disableZip, modTimes: !vfs.noModtime, ...(template ? { template } : {}) },
    seekable: !vfs.noSeek,
    locked: gate !== undefined,
  })
  const files = cacheControl(origin.cacheControl)(await withUploads(parts, { spec, root, handler: reading }))
  const handler = live.handler(files)
  return pipeline(handler, {
    access: origin.serverUtc ? (next) => access(serverUtc(next)) : access,
    headers: serverHeaders(http, parts.version),
    hosts: hostCheck(http, gate, true),
    ready:
      root && !gate && !logged
        ? ready(({ path }) => (live.has(path) ? undefined : root.peek(path)?.entry))
        : (next) => next,
    cors: cors({
      origins: http.allowOrigin,
      mode: origin.cors,
      methods: `GET, HEAD, OPTIONS${origin.write === '' && live.channels.length === 0 ? '' : ', PUT, POST, PATCH, DELETE'}`,
      log: ctx.log,
    }),
    errors: errors(),
    auth: gate ? live.guarded(login(gate, setsCaching(http))) : (next) => next,
    encoding: encoding(() => ({
      effort: origin.compress,
      max: origin.compressMax < 0 ? Infinity : origin.compressMax,
    })),
  })
}

function login(gate: Gate, setsCaching: boolean): Middleware {
  return (next) => passwordInQuery()(authentication(gate)(setsCaching ? next : keepPrivate(next)))
}

/** Whether the operator says how answers may be cached. */
function setsCaching({ responseHeader }: HttpOptions): boolean {
  return responseHeader.some((text) => /^\s*cache-control\s*:/i.test(text))
}

/** The headers that all answers of a server have. */
export function serverHeaders(
  { serverName, responseHeader }: Pick<HttpOptions, 'serverName' | 'responseHeader'>,
  version: string,
): Middleware {
  return headers({ server: serverName === '' ? '' : `${serverName}/${version}`, add: responseHeader })
}

/** Without a login, a server for this machine answers only to names of this machine: a web page must not read it by DNS tricks. */
export function hostCheck(
  http: Pick<HttpOptions, 'addr' | 'allowedHosts'>,
  gate: Gate | undefined,
  localNames = false,
): Middleware {
  const names = http.addr.map(hostOfAddress)
  const local = names.every((name) => name !== undefined && isLoopback(name))
  if (http.allowedHosts.length === 0 && (gate || !local)) return (next) => next
  const bound = local ? names.filter((name) => name !== undefined) : []
  return hosts(localHosts(bound, http.allowedHosts), { localNames: localNames && http.allowedHosts.length === 0 })
}

/** The host part of an `--addr`; `''` for all interfaces, undefined for a unix socket. */
function hostOfAddress(text: string): string | undefined {
  const plain = text.replace(/^(?:tls|https?):\/\//, '')
  return plain.startsWith('/') || plain.startsWith('unix:')
    ? 'localhost'
    : plain.replace(/:\d*\/?$/, '').replace(/^\[|\]$/g, '')
}

/** Node's lenient parser lets through what proxies and servers read in two ways. */
function refuseLenientParser(env: ServerParts['env']): void {
  if (`${env.NODE_OPTIONS ?? ''} ${process.execArgv.join(' ')}`.includes('--insecure-http-parser'))
    throw new AppError('usage', 'serving with --insecure-http-parser is not safe: take it out of NODE_OPTIONS')
}
