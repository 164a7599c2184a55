import { authentication, gateOf } from '../auth/authenticate.ts'
import { authOptions } from '../auth/options.ts'
import { AppError } from '../base/error.ts'
import { inheritedFds } from '../http/address.ts'
import { cors } from '../http/cors.ts'
import { errors } from '../http/error.ts'
import { listen, type Listening } from '../http/listener.ts'
import { compose } from '../http/message.ts'
import { httpOptions } from '../http/options.ts'
import { type Consumer, receiveHandler } from '../media/receive.ts'
import { receiveOptions } from '../media/receive-options.ts'
import { openAccessLog } from './access-log.ts'
import type { CommandIo } from './command.ts'
import { toCommand, toPipe, toRemote, toStdout } from './receive-consumers.ts'
import { hostCheck, serverHeaders } from './server.ts'

/** Where the text of `--to` leads. Throws `usage`, and `not-found` for a folder that is not there. */
async function consumerOf(io: CommandIo): Promise<Consumer> {
  const { to, passHeader } = io.get(receiveOptions)
  if (to === '-') return toStdout(io)
  const [, kind, rest = ''] = /^(exec|pipe):(.*)$/s.exec(to) ?? []
  if (kind !== undefined && rest.trim() === '')
    throw new AppError('usage', `--to ${kind}: needs something behind the colon`)
  if (kind === 'exec') return toCommand(rest, passHeader)
  if (kind === 'pipe') return toPipe(rest)
  const remote = await (await io.remotes()).open(to)
  if (remote.info.traits.emptyDirectories && (await remote.stat(io.ctx, ''))?.kind !== 'directory')
    throw new AppError('not-found', `directory not found: ${to}. Make it first`)
  return toRemote(remote)
}

/** The server of `sluice receive`. */
interface Receiver {
  readonly listening: Listening
  /** A login is needed. */
  readonly locked: boolean
  close(): Promise<void>
}

/** Starts the server of `sluice receive`. */
export async function openReceiver(io: CommandIo): Promise<Receiver> {
  const { ctx } = io
  const http = io.get(httpOptions)
  const consume = await consumerOf(io)
  const gate = gateOf(ctx, io.get(authOptions), http.clientCa !== '')
  const access = openAccessLog(http, ctx.log)
  const handler = compose(
    receiveHandler(consume, http.allowOrigin),
    access.middleware,
    hostCheck(http, gate),
    serverHeaders(http, io.version),
    cors({ origins: http.allowOrigin, methods: 'PUT, POST, OPTIONS', log: ctx.log }),
    errors(),
    gate ? authentication(gate) : (next) => next,
  )
  try {
    const listening = await listen(ctx, handler, { ...http, fds: inheritedFds(io.env, process.pid) })
    return {
      listening,
      locked: gate !== undefined,
      async close() {
        await listening.close({ drainMs: http.shutdownTimeout, now: io.signals.kill })
        access.close()
      },
    }
  } catch (error) {
    access.close()
    throw error
  }
}
