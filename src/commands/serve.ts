import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { authentication, type Gate, gateOf } from '../auth/authenticate.ts'
import { authOptions } from '../auth/options.ts'
import { keepPrivate } from '../auth/private.ts'
import { AppError, errorCode, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import { inheritedFds } from '../http/address.ts'
import { cors } from '../http/cors.ts'
import { encoding } from '../http/encoding.ts'
import { errors } from '../http/error.ts'
import { headers } from '../http/headers.ts'
import { hosts } from '../http/hosts.ts'
import { listen, type Listening } from '../http/listener.ts'
import type { Middleware } from '../http/message.ts'
import { type HttpOptions, httpOptions } from '../http/options.ts'
import { localHosts } from '../http/strict.ts'
import { originOptions } from '../origin/options.ts'
import { originHandler, pipeline } from '../origin/origin.ts'
import { ready } from '../origin/ready.ts'
import { loadListingTemplate } from '../origin/template.ts'
import { vfsOptions } from '../vfs/options.ts'
import { Vfs } from '../vfs/vfs.ts'
import { hidden } from '../layers/hidden.ts'
import { openAccessLog } from './access-log.ts'
import type { Command, CommandIo } from './command.ts'
import { reachable } from './reachable.ts'
import { secretsInside } from './secrets.ts'
import { logReport, statsTicker, summaryOf } from './stats-ticker.ts'
import { Trees } from './trees.ts'

const serveOptions = [originOptions, httpOptions, authOptions, vfsOptions]

const examples = [
  ['sluice serve ~/Music', 'a folder, on http://127.0.0.1:8080'],
  ['sluice serve http nas:films --addr :8080 --user me --pass secret', 'a remote, on all addresses, with a login'],
  ['sluice serve http . --cert site.pem --key site.key', 'over TLS, HTTP/2 included'],
  ["sluice serve http . --include '*.mp4' --bwlimit 2M", 'only some files, at 2 MiB/s'],
] as const

const help = `
REMOTE:PATH is a remote of the configuration, a remote made on the spot such as :http,url='http://host/':, or a local path.

It listens on 127.0.0.1:8080 until --addr says otherwise; without a login everybody who can reach the address can read. A
single login is --user and --pass, many users are an --htpasswd file; the file may change while the server runs.

SIGHUP forgets directory listings, opens the logs anew and reads certificates again. SIGUSR1 logs a summary of the
transfers, SIGUSR2 turns --bwlimit off and on.
SIGINT and SIGTERM let running transfers end, for --shutdown-timeout; a second one ends at once.
`

export const serveCommands: readonly Command[] = [
  {
    name: 'serve',
    usage: '[PATH]',
    summary: 'Serve a folder over HTTP, the one you are in when none is named',
    help,
    examples,
    options: serveOptions,
    args: [0, 1],
    run: (io) => serveHttp(io, io.args[0] ?? '.', !io.isSet(httpOptions, 'addr')),
  },
  {
    name: 'serve http',
    usage: 'REMOTE:PATH',
    summary: 'Serve a remote or a folder over HTTP',
    help,
    examples,
    options: serveOptions,
    args: [0, 1],
    async run(io) {
      const [spec] = io.args
      if (spec === undefined && io.get(authOptions).authProxy.length === 0)
        throw new AppError('usage', 'command serve http needs 1 argument, 0 given: sluice serve http REMOTE:PATH')
      if (spec !== undefined && io.get(authOptions).authProxy.length > 0)
        throw new AppError('usage', 'with --auth-proxy the program names the remote: leave REMOTE:PATH out')
      await serveHttp(io, spec)
    },
  },
]

/** Serves until a signal ends it. With `anyPort` another port is taken when the one of `--addr` is in use. */
async function serveHttp(io: CommandIo, spec: string | undefined, anyPort = false): Promise<void> {
  const { ctx } = io
  refuseLenientParser(io.env)
  const http = io.get(httpOptions)
  const access = openAccessLog(http, ctx.log)
  const gate = gateOf(ctx, io.get(authOptions), http.clientCa !== '')
  const trees = new Trees(ctx, await io.remotes(), io.get(vfsOptions), io.get(mainOptions).bufferSize)
  const root = spec === undefined ? undefined : await openRoot(io, trees, spec)
  const handler = await handlerOf(io, { root, trees, gate, access: access.middleware })
  const open = (addr: HttpOptions['addr']) =>
    listen(ctx, handler, { ...http, addr, fds: inheritedFds(io.env, process.pid) })
  const server = await open(http.addr).catch(async (reason: unknown) => {
    if (!anyPort || errorCode(toAppError(reason).cause) !== 'EADDRINUSE') throw reason
    ctx.log.notice(`${http.addr.join(', ')} is in use by another server: taking another port`)
    return await open(['127.0.0.1:0'])
  })
  const stats = statsTicker(io)
  sayDetails(io)
  try {
    announce(ctx, server, root?.remote.info.description ?? 'auth-proxy', gate)
    io.signals.onHangup(() => {
      trees.forget()
      access.reopen()
      server.reload().catch((error: unknown) => ctx.log.error(`certificates were not read again: ${String(error)}`))
      ctx.log.notice('SIGHUP received: directory listings forgotten')
    })
    io.signals.onReport(() => logReport(io, 'notice', summaryOf(io)))
    io.signals.onToggle(() =>
      ctx.log.notice(`SIGUSR2 received: bandwidth limit ${io.bandwidth.toggle() ? 'on' : 'off'}`),
    )
    await aborted(io.signals.stop)
    ctx.log.info('ending: waiting for running transfers; a second signal ends at once')
    await server.close({ drainMs: http.shutdownTimeout, now: io.signals.kill })
  } finally {
    stats.stop()
    access.close()
    await trees.close()
  }
}

async function openRoot(io: CommandIo, trees: Trees, spec: string): Promise<Vfs> {
  const { remote } = await (await io.remotes()).openAt(spec)
  const { allowMissingRoot } = io.get(originOptions)
  // Storage without real directories cannot tell a missing root from an empty one.
  const knows = remote.info.traits.emptyDirectories
  if (!allowMissingRoot && knows && !(await remote.stat(io.ctx, '')))
    throw new AppError('not-found', `directory not found: ${spec}. ${await elsewhere(io, spec)}`)
  const { htpasswd } = io.get(authOptions)
  const { key, cert } = io.get(httpOptions)
  const secrets = secretsInside(remote, [htpasswd, key, cert === key ? cert : '', io.configPath])
  return trees.over(hidden(secrets)(remote))
}

/** What a person may have meant by a directory that is not there. */
async function elsewhere(io: CommandIo, spec: string): Promise<string> {
  if ((await io.config()).sections().includes(spec)) return `The remote of that name is written ${spec}:`
  return '--allow-missing-root starts all the same'
}

interface HandlerParts {
  readonly root: Vfs | undefined
  readonly trees: Trees
  readonly gate: Gate | undefined
  readonly access: Middleware
}

/** The origin with everything around it. */
async function handlerOf(io: CommandIo, { root, trees, gate, access }: HandlerParts) {
  const { ctx } = io
  const [http, origin, vfs] = [io.get(httpOptions), io.get(originOptions), io.get(vfsOptions)]
  const template = origin.template === '' ? undefined : await loadListingTemplate(origin.template)
  const logged = http.accessLog !== '' || ctx.log.enabled('info')
  const handler = originHandler({
    tree: (_ctx, { user }) => (user?.backend ? trees.ofUser(user.backend) : (root ?? trees.none())),
    options: origin,
    listing: { zip: !origin.disableZip, modTimes: !vfs.noModtime, ...(template ? { template } : {}) },
    seekable: !vfs.noSeek,
    locked: gate !== undefined,
  })
  return pipeline(handler, {
    access,
    headers: headers({
      server: http.serverName === '' ? '' : `${http.serverName}/${io.version}`,
      add: http.responseHeader,
    }),
    errors: errors(),
    hosts: hostCheck(http, gate),
    ready: root && !gate && !logged ? ready(({ path }) => root.peek(path)?.entry) : (next) => next,
    cors: cors({ origins: http.allowOrigin, methods: 'GET, HEAD, OPTIONS', log: ctx.log }),
    auth: gate ? (next) => authentication(gate)(setsCaching(http) ? next : keepPrivate(next)) : (next) => next,
    encoding: encoding(() => ({
      effort: origin.compress,
      max: origin.compressMax < 0 ? Infinity : origin.compressMax,
    })),
  })
}

/** Whether the operator says how answers may be cached. */
function setsCaching({ responseHeader }: HttpOptions): boolean {
  return responseHeader.some((text) => /^\s*cache-control\s*:/i.test(text))
}

/** Without a login, a server for this machine answers only to names of this machine: a web page must not read it by DNS tricks. */
function hostCheck(http: HttpOptions, gate: Gate | undefined): Middleware {
  const names = http.addr.map(hostOfAddress)
  const local = names.every((name) => name !== undefined && isLoopback(name))
  if (http.allowedHosts.length === 0 && (gate || !local)) return (next) => next
  return hosts(localHosts(local ? names.filter((name) => name !== undefined) : [], http.allowedHosts))
}

/** The host part of an `--addr`; `''` for all interfaces, undefined for a unix socket. */
function hostOfAddress(text: string): string | undefined {
  const plain = text.replace(/^(?:tls|https?):\/\//, '')
  return plain.startsWith('/') || plain.startsWith('unix:')
    ? 'localhost'
    : plain.replace(/:\d*\/?$/, '').replace(/^\[|\]$/g, '')
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}

/** Node's lenient parser lets through what proxies and servers read in two ways. */
function refuseLenientParser(env: CommandIo['env']): void {
  if (`${env.NODE_OPTIONS ?? ''} ${process.execArgv.join(' ')}`.includes('--insecure-http-parser'))
    throw new AppError('usage', 'serving with --insecure-http-parser is not safe: take it out of NODE_OPTIONS')
}

/** What helps to find out why something does not work. */
function sayDetails({ ctx, configPath, cacheDir, version }: CommandIo): void {
  if (!ctx.log.enabled('debug')) return
  ctx.log.debug(`sluice v${version} on Node.js ${process.version}, process ${process.pid}`)
  ctx.log.debug(`configuration: ${configPath || 'in memory'}`)
  ctx.log.debug(`file cache: ${join(cacheDir, 'vfs')}`)
}

function announce(ctx: Context, server: Listening, what: string, gate: Gate | undefined): void {
  ctx.log.notice(`${what}: HTTP Server started on [${server.urls.join(', ')}]`)
  for (const url of server.urls.filter((text) => text.startsWith('http'))) {
    const [local, ...others] = reachable(url, networkInterfaces())
    if (local)
      ctx.log.notice(`open ${local} on this machine${others.length > 0 ? `, from others ${others.join(' or ')}` : ''}`)
  }
  const open = server.urls.filter(
    (url) => url.startsWith('http') && !isLoopback(new URL(url).hostname.replace(/^\[|\]$/g, '')),
  )
  if (open.length > 0 && !gate)
    ctx.log.warn(
      `everybody who can reach ${open.join(', ')} can read everything that is served: there is no login. Use --user and --pass, or --htpasswd`,
    )
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
