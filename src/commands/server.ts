import { type Gate, gateOf } from '../auth/authenticate.ts'
import type { Authorization } from '../auth/authorize.ts'
import { authOptions } from '../auth/options.ts'
import { AppError } from '../base/error.ts'
import { isPlaylist } from '../base/mime.ts'
import { join } from '../base/path.ts'
import { mainOptions } from '../core/options.ts'
import { inheritedFds } from '../http/address.ts'
import { cors } from '../http/cors.ts'
import { encoding } from '../http/encoding.ts'
import { errors } from '../http/error.ts'
import { headers } from '../http/headers.ts'
import { serverUtc } from '../http/server-utc.ts'
import { utcTiming } from '../http/utc-timing.ts'
import { hosts } from '../http/hosts.ts'
import { listen } from '../http/listener.ts'
import { compose, type HttpRequest, type Middleware } from '../http/message.ts'
import { type HttpOptions, httpOptions } from '../http/options.ts'
import { requestLog } from '../http/request-log.ts'
import { localHosts } from '../http/strict.ts'
import type { Live } from '../media/live.ts'
import { liveOptions } from '../media/options.ts'
import { passwordInQuery } from '../media/publisher-login.ts'
import { shelfOptions } from '../media/shelf-options.ts'
import { originOptions } from '../origin/options.ts'
import { formatSpec, parseSpec } from '../remote/spec.ts'
import { cacheControl, cacheRules } from '../origin/cache-control.ts'
import { forms } from '../origin/form.ts'
import { originHandler, type OriginParts, pipeline } from '../origin/origin.ts'
import { ready } from '../origin/ready.ts'
import { loadListingTemplate } from '../origin/template.ts'
import { liveValues } from '../schema/options.ts'
import { vfsOptions } from '../vfs/options.ts'
import { openAccessLog } from './access-log.ts'
import type { CommandIo } from './command.ts'
import { openLive, uploadPaths } from './live-mounts.ts'
import { withLiveDirs } from './live-dirs.ts'
import { placeAmong } from './mounts.ts'
import { openServed, type Served } from './served.ts'
import { isLoopback } from './server-options.ts'
import { openShoutcast } from './shoutcast.ts'
import { Trees } from './trees.ts'
import { type MayWrite, type Uploads, withUploads } from './writing.ts'

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
  | 'caches'
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
  /** It takes uploads or live streams. */
  readonly writes: boolean
  /** Its live mounts. */
  readonly live: Live
  /** Resolves when the last client has left, once there was one. */
  readonly idle: Promise<void>
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
    caches: parts.caches,
  })
  const closing: (() => void)[] = []
  let live: Live | undefined
  async function release(): Promise<void> {
    access.close()
    for (const close of closing) close()
    await live?.close()
    await trees.close()
  }
  try {
    const served = await openServed(parts, spec, { trees, gate })
    live = await openLive(parts, served.auth !== undefined)
    const uploads = uploadPaths(live, parts.get(liveOptions))
    const { handler, refused } = await handlerOf(parts, {
      served,
      trees,
      live,
      gate,
      access: access.middleware,
      closing,
    })
    await openShoutcast(parts, live, { handler, closing })
    const fds = inheritedFds(parts.env, process.pid)
    const listening = await listen(ctx, handler, {
      ...http,
      ...(addr ? { addr } : {}),
      fds,
      uploads,
      refused,
    })
    closing.push(parts.lives.add(listening.addresses[0] ?? '', live))
    return {
      urls: listening.urls,
      addresses: listening.addresses,
      description: served.mounts?.description ?? whatElse(parts, live),
      locked: served.auth !== undefined,
      writes:
        served.uploads !== undefined ||
        served.liveDirs.length > 0 ||
        live.channels.some(({ mount }) => mount.source === ''),
      live,
      idle: listening.idle,
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

/** What a server without a tree to read is there for. Settings in connection strings are left out: they may be secrets. */
function whatElse({ get }: ServerParts, live: Live): string {
  const { write, rules, hook } = get(originOptions)
  if (write !== '') {
    const spec = parseSpec(write)
    return spec.kind === 'local' ? write : formatSpec({ ...spec, overrides: {} })
  }
  const folders = get(shelfOptions).liveDir.map((text) => text.replace(/[=,].*$/s, ''))
  const mounts = live.channels.map(({ mount }) => `/${mount.path}`)
  return [...folders, ...mounts].join(', ') || rules || hook || 'auth-proxy'
}

interface HandlerParts {
  readonly served: Served
  readonly trees: Trees
  readonly live: Live
  readonly gate: Gate | undefined
  readonly access: Middleware
  /** What to call at the end. */
  readonly closing: (() => void)[]
}

/** The origin with everything around it, and what is around the refusals of requests that do not get so far. */
async function handlerOf(parts: ServerParts, { served, trees, live, gate, access, closing }: HandlerParts) {
  const { ctx } = parts
  const { root, uploads, liveDirs, authorization, hook } = served
  const http = parts.get(httpOptions)
  const origin = liveValues(originOptions, parts.get)
  const logged = http.accessLog !== '' || origin.reqLog !== '' || ctx.log.enabled('info')
  const mayWrite: MayWrite | undefined = authorization && ((request, path) => authorization.mayWrite(request, path))
  const reading = await readingOf(parts, authorization, gate !== undefined && !authorization)
  const rules = cacheRules(origin.cacheControl)
  const read = reading(
    (_ctx, { user }) => (user?.backend ? trees.ofUser(user.backend) : (root ?? trees.none())),
    '',
    uploadsShown(parts, uploads, mayWrite),
  )
  const caching = ({ path }: HttpRequest) => rules(path)
  const locked = served.auth !== undefined
  const login = served.auth ? inOrder(passwordInQuery(), served.auth) : nothing
  const outside = uploads
    ? await withUploads(parts, uploads, { read: root && read, caching, locked, mayWrite })
    : { handler: read, caching }
  const all = await withLiveDirs(parts, liveDirs, { outside, trees, rules, reading, locked, mayWrite })
  closing.push(() => all.close())
  const writes = uploads !== undefined || liveDirs.length > 0
  const cached = cacheControl(all.caching)(all.handler)
  const storage = writes ? utcTiming(cached) : cached
  // A playlist may be one that is made here, or be waited for.
  const isPlain = (path: string) => !live.has(path) && !all.has(path) && !(writes && isPlaylist(path))
  const everything = live.handler(storage)
  const hooked = hook ? hook(everything) : everything
  const utc = origin.serverUtc ? serverUtc : nothing
  const ownHeaders = serverHeaders(http, parts.version)
  const origins = cors({
    origins: http.allowOrigin,
    mode: origin.cors,
    methods: () => `GET, HEAD, OPTIONS${writes ? ', PUT, POST, PATCH, DELETE' : live.isEmpty ? '' : ', PUT, POST'}`,
    log: ctx.log,
  })
  const handler = pipeline(writes ? forms(mayWrite)(hooked) : hooked, {
    access: inOrder(access, requestLog(origin.reqLog), utc),
    headers: ownHeaders,
    // With rules some of it is open to everybody.
    hosts: hostCheck(http, authorization ? undefined : gate, true),
    ready:
      root && !served.auth && !hook && !logged
        ? ready((path) => (isPlain(path) ? root.peek(path)?.entry : undefined))
        : nothing,
    cors: origins,
    errors: errors(),
    auth: authorization ? login : live.guarded(login),
    encoding: encoding(() => ({
      effort: origin.compress,
      max: origin.compressMax < 0 ? Infinity : origin.compressMax,
    })),
  })
  return { handler, refused: inOrder(access, utc, ownHeaders, origins) }
}

/** Tells of a folder that is shown whether who asks may add files to it: it has to be where uploads go. */
function uploadsShown(
  { get }: ServerParts,
  uploads: Uploads | undefined,
  mayWrite: MayWrite = () => true,
): OriginParts['mayUpload'] {
  if (!uploads?.follow || get(vfsOptions).readOnly) return undefined
  return (request) =>
    !request.user?.backend && placeAmong(uploads, request.path, () => mayWrite(request, request.path)) === true
}

/** Makes what reads a tree; `dir` is where the tree is for the rules. */
async function readingOf(parts: ServerParts, authorization: Authorization | undefined, locked: boolean) {
  const vfs = parts.get(vfsOptions)
  const options = liveValues(originOptions, parts.get)
  const template = options.template === '' ? undefined : await loadListingTemplate(options.template)
  const listing = { zip: !options.disableZip, modTimes: !vfs.noModtime, ...(template ? { template } : {}) }
  return (tree: OriginParts['tree'], dir = '', mayUpload?: OriginParts['mayUpload']) =>
    originHandler({
      tree,
      options,
      listing,
      seekable: !vfs.noSeek,
      mayRead: authorization && ((request, path) => authorization.mayRead(request, join(dir, path))),
      mayUpload,
      locked,
    })
}

const nothing: Middleware = (next) => next

/** Some middlewares as one; the first sees a request first. */
function inOrder(...middlewares: readonly Middleware[]): Middleware {
  return (next) => compose(next, ...middlewares)
}

/** The headers that all answers of a server have. */
export function serverHeaders(
  { serverName, responseHeader }: Pick<HttpOptions, 'serverName' | 'responseHeader'>,
  version: string,
): Middleware {
  return headers({ server: serverName === 'sluice' ? `sluice/${version}` : serverName, add: responseHeader })
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
