import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { authOptions } from '../auth/options.ts'
import { AppError, errorCode, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { httpOptions } from '../http/options.ts'
import { liveOptions } from '../media/options.ts'
import { shelfOptions } from '../media/shelf-options.ts'
import { originOptions } from '../origin/options.ts'
import type { Command, CommandIo } from './command.ts'
import { warnExposed } from './exposed.ts'
import { onHangup } from './hangup.ts'
import { reachable } from './reachable.ts'
import type { Server } from './server.ts'
import { serverOptions } from './server-options.ts'
import { logStats, statsTicker } from './stats-ticker.ts'

const examples = [
  ['sluice serve ~/Music', 'a folder, on http://127.0.0.1:8080'],
  ['sluice serve http nas:films --addr :8080 --user me --pass secret', 'a remote, on all addresses, with a login'],
  ['sluice serve http . --cert site.pem --key site.key', 'over TLS, HTTP/2 included'],
  ['sluice serve http --read ~/Music --read inbox=nas:in', 'several folders and remotes, below /'],
  ["sluice serve http . --include '*.mp4' --bwlimit 2M", 'only some files, at 2 MiB/s'],
] as const

const help = `
REMOTE:PATH is a remote of the configuration, a remote made on the spot such as :http,url='http://host/':, or a local path.

It listens on 127.0.0.1:8080 until --addr says otherwise; without a login everybody who can reach the address can read. A
single login is --user and --pass, many users are an --htpasswd file; the file may change while the server runs. --rules says
who may read and write what, --hook answers with code of your own.

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
    options: serverOptions,
    args: [0, 1],
    run: (io) => serveHttp(io, io.args[0] ?? (servesOther(io) ? undefined : '.'), !io.isSet(httpOptions, 'addr')),
  },
  {
    name: 'serve http',
    usage: 'REMOTE:PATH',
    summary: 'Serve a remote or a folder over HTTP',
    help,
    examples,
    options: serverOptions,
    args: [0, 1],
    async run(io) {
      const [spec] = io.args
      if (spec === undefined && io.get(authOptions).authProxy.length === 0 && !servesOther(io))
        throw new AppError('usage', 'command serve http needs 1 argument, 0 given: sluice serve http REMOTE:PATH')
      if (spec !== undefined && io.get(authOptions).authProxy.length > 0)
        throw new AppError('usage', 'with --auth-proxy the program names the remote: leave REMOTE:PATH out')
      await serveHttp(io, spec)
    },
  },
]

/** True when options say what to serve, so that nothing has to be named. */
function servesOther(io: CommandIo): boolean {
  const { read, write, rules, hook } = io.get(originOptions)
  const { liveDir } = io.get(shelfOptions)
  const { live } = io.get(liveOptions)
  return read.length > 0 || write !== '' || rules !== '' || hook !== '' || liveDir.length > 0 || live.length > 0
}

/** Serves until a signal ends it. With `anyPort` another port is taken when the one of `--addr` is in use. */
async function serveHttp(io: CommandIo, spec: string | undefined, anyPort = false): Promise<void> {
  const { ctx } = io
  const { openServer } = await import('./server.ts')
  const { addr, shutdownTimeout } = io.get(httpOptions)
  const server = await openServer(io, spec).catch(async (reason: unknown) => {
    if (!anyPort || errorCode(toAppError(reason).cause) !== 'EADDRINUSE') throw reason
    ctx.log.notice(`${addr.join(', ')} is in use by another server: taking another port`)
    return await openServer(io, spec, ['127.0.0.1:0'])
  })
  const stats = statsTicker(io)
  sayDetails(io)
  announce(ctx, server)
  onHangup(io, () => {
    ctx.log.notice('SIGHUP received: directory listings forgotten')
    return server.refresh()
  })
  io.signals.onReport(() => logStats(io, 'notice'))
  io.signals.onToggle(() => ctx.log.notice(`SIGUSR2 received: bandwidth limit ${io.bandwidth.toggle() ? 'on' : 'off'}`))
  if (io.get(originOptions).exitWhenIdle) await Promise.race([server.idle, io.signals.stopped()])
  else await io.signals.stopped()
  ctx.log.info('ending: waiting for running transfers; a second signal ends at once')
  stats.stop()
  await server.close({ drainMs: shutdownTimeout, now: io.signals.kill })
}

/** What helps to find out why something does not work. */
function sayDetails({ ctx, configPath, cacheDir, version }: CommandIo): void {
  if (!ctx.log.enabled('debug')) return
  ctx.log.debug(`sluice v${version} on Node.js ${process.version}, process ${process.pid}`)
  ctx.log.debug(`configuration: ${configPath || 'in memory'}`)
  ctx.log.debug(`file cache: ${join(cacheDir, 'vfs')}`)
}

function announce(ctx: Context, server: Server): void {
  ctx.log.notice(`${server.description}: HTTP Server started on [${server.urls.join(', ')}]`)
  for (const url of server.urls.filter((text) => text.startsWith('http'))) {
    const [local, ...others] = reachable(url, networkInterfaces())
    if (local)
      ctx.log.notice(`open ${local} on this machine${others.length > 0 ? `, from others ${others.join(' or ')}` : ''}`)
  }
  if (!server.locked)
    warnExposed(ctx, server.urls, `read everything that is served${server.writes ? ', and upload' : ''}`)
}
