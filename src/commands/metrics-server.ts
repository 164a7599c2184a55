import { authentication, gateOf } from '../auth/authenticate.ts'
import { keepPrivate } from '../auth/private.ts'
import { inheritedFds } from '../http/address.ts'
import { errors, textResponse } from '../http/error.ts'
import { listen } from '../http/listener.ts'
import { compose, type Handler } from '../http/message.ts'
import { Metrics, metricsPage } from '../rc/metrics.ts'
import { metricsAuthOptions, metricsHttpOptions } from '../rc/options.ts'
import { openAccessLog } from './access-log.ts'
import type { CommandIo } from './command.ts'
import { onHangup } from './hangup.ts'
import { hostCheck, serverHeaders } from './server.ts'

/** Serves `/metrics` and nothing else where `--metrics-addr` says, and says so; gives the way to end it. */
export async function openMetricsServer(io: CommandIo): Promise<() => Promise<void>> {
  const http = io.get(metricsHttpOptions)
  const gate = gateOf(io.ctx, io.get(metricsAuthOptions), http.clientCa !== '')
  const access = openAccessLog(http, io.ctx.log)
  const metrics = new Metrics(io.groups, io.lives)
  const page = metricsPage(metrics)
  const handler: Handler = async (ctx, request) => {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return textResponse(405, 'Method Not Allowed', ['allow', 'GET, HEAD'])
    return (await page(ctx, request)) ?? textResponse(404)
  }
  const around = [
    access.middleware,
    hostCheck(http, gate),
    serverHeaders(http, io.version),
    errors(),
    ...(gate ? [(next: Handler) => authentication(gate)(keepPrivate(next))] : []),
  ]
  try {
    const fds = inheritedFds(io.env, process.pid)
    const listening = await listen(io.ctx, compose(handler, ...around), { ...http, fds, refused: access.middleware })
    for (const url of listening.urls) io.ctx.log.notice(`Serving metrics on ${url}metrics`)
    onHangup(io, () => {
      access.reopen()
      return listening.reload()
    })
    return async () => {
      await listening.close({ drainMs: http.shutdownTimeout, now: io.signals.kill })
      metrics.close()
      access.close()
    }
  } catch (error) {
    metrics.close()
    access.close()
    throw error
  }
}
