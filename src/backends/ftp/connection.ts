import { isIP } from 'node:net'
import { userInfo } from 'node:os'
import type { ConnectionOptions } from 'node:tls'
import type { Client, FTPResponse } from 'basic-ftp'
import { orAbort } from '../../base/abort.ts'
import { AppError, errorCode } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { mainOptions } from '../../core/options.ts'
import { tlsOptions } from '../../net/tls.ts'
import { netOptions } from '../../net/options.ts'
import { isTunnel, tunnelled } from '../../net/tunnel.ts'
import type { Values } from '../../schema/option.ts'
import type { ftpOptions } from './index.ts'
import { replyCode, replyError } from './reply.ts'
import { connectThrough } from './through-proxy.ts'

type Options = Values<typeof ftpOptions>

/** What a server can do beyond the first standard (RFC 3659, and drafts that all servers follow). */
export interface Abilities {
  /** Exact listings, and facts of one name. */
  readonly mlst: boolean
  /** Tells modification times. */
  readonly mdtm: boolean
  /** The command that sets them, undefined without one. */
  readonly setTime: 'MFMT' | 'MDTM' | undefined
}

/** A login at a server. One command after the other. */
export interface Connection {
  readonly client: Client
  readonly abilities: Abilities
  /** The directory where logins begin. */
  readonly home: string
  readonly closed: boolean
  /** Sends a command and gives the answer. Throws an AppError for a refusal. */
  send(command: string): Promise<FTPResponse>
  close(): void
}

/** Connects and logs in. Throws `denied` when the server refuses the login, `io` when it is not reached. */
export async function connect(ctx: Context, options: Options): Promise<Connection> {
  const { Client, enterPassiveModeIPv4 } = await import('basic-ftp')
  const { connectTimeout, timeout } = ctx.get(mainOptions)
  const client = new Client(timeout > 0 && timeout < 2 ** 31 ? timeout : 0, { allowSeparateTransferHost: false })
  if (options.disableUtf8) client.ftp.encoding = 'latin1'
  if (options.disableEpsv) client.prepareTransfer = enterPassiveModeIPv4
  const limit = AbortSignal.timeout(Math.min(connectTimeout > 0 ? connectTimeout : Infinity, 2 ** 31 - 1))
  try {
    return await orAbort(limit, logIn(ctx, client, options))
  } catch (error) {
    client.close()
    if (limit.aborted) throw new AppError('io', `ftp: ${options.host} did not answer in time`, { retry: 'now' })
    if (errorCode(error) === 'ENOTFOUND')
      throw new AppError('io', `ftp: there is no host ${options.host}`, { cause: error })
    throw replyError(error)
  }
}

async function logIn(ctx: Context, client: Client, options: Options): Promise<Connection> {
  const { host, port } = options
  const secure = tlsOf(ctx, options)
  if (isTunnel(options)) {
    const { connectTimeout } = ctx.get(mainOptions)
    const way = { ...options, localAddress: ctx.get(netOptions).bindAddr, connectTimeout }
    const tunnel = (at: number) => tunnelled({ ...way, port: at })
    const implicit = options.tls ? secure : undefined
    await connectThrough(client, { tunnel, port, secure: implicit, disableEpsv: options.disableEpsv })
  } else if (options.tls) await client.connectImplicitTLS(host, port, secure)
  else await client.connect(host, port)
  if (options.explicitTls) await client.useTLS(secure)
  const user = options.user === '' ? userInfo().username : options.user
  await client.login(user, options.pass).catch((error: unknown) => {
    if ((replyCode(error) ?? 0) < 500) throw error
    const { message } = replyError(error)
    throw new AppError('denied', `ftp: ${host} refuses the login of ${user}: ${message}`, { cause: error })
  })
  const features = await client.features()
  if (!options.disableUtf8 && features.has('UTF8')) await client.sendIgnoringError('OPTS UTF8 ON')
  await client.send('TYPE I')
  if (options.tls || options.explicitTls) {
    await client.sendIgnoringError('PBSZ 0')
    await client.send('PROT P')
  }
  const abilities = abilitiesOf(features, options)
  client.availableListCommands = abilities.mlst ? ['MLSD'] : options.forceListHidden ? ['LIST -a'] : ['LIST']
  if (abilities.mlst) await client.sendIgnoringError('OPTS MLST type;size;modify;')
  const home = await client.pwd()
  return {
    client,
    abilities,
    home,
    get closed() {
      return client.closed
    },
    async send(command) {
      return await client.send(command).catch((error: unknown) => {
        throw replyError(error)
      })
    },
    close: () => client.close(),
  }
}

function abilitiesOf(features: ReadonlyMap<string, string>, options: Options): Abilities {
  return {
    mlst: features.has('MLST') && !options.disableMlsd && !options.forceListHidden,
    mdtm: features.has('MDTM'),
    setTime: features.has('MFMT') ? 'MFMT' : options.writingMdtm ? 'MDTM' : undefined,
  }
}

function tlsOf(ctx: Context, { host, noCheckCertificate, disableTls13 }: Options): ConnectionOptions {
  const common = tlsOptions(ctx.get(netOptions))
  return {
    ...common,
    host,
    ...(isIP(host) ? {} : { servername: host }),
    ...(noCheckCertificate ? { rejectUnauthorized: false } : {}),
    ...(disableTls13 ? { maxVersion: 'TLSv1.2' as const } : {}),
  }
}
