import type { Socket } from 'node:net'
import { connect as secureConnect, type ConnectionOptions, TLSSocket } from 'node:tls'
import type { Client, FTPContext, FTPResponse } from 'basic-ftp'
import { AppError } from '../../base/error.ts'
import { replyError } from './reply.ts'

/** A connection to a port of the server, by way of a proxy. */
export type Tunnel = (port: number) => Promise<Socket>

export interface ProxyParts {
  readonly tunnel: Tunnel
  readonly port: number
  /** TLS from the first byte on. */
  readonly secure: ConnectionOptions | undefined
  readonly disableEpsv: boolean
}

/** Connects a client through a proxy, by which its transfers go too. Throws what the server says instead of a greeting. */
export async function connectThrough(client: Client, { tunnel, port, secure, disableEpsv }: ProxyParts): Promise<void> {
  const { ftp } = client
  const plain = await tunnel(port)
  ftp.socket = secure ? secureConnect({ ...secure, socket: plain }) : plain
  if (secure) ftp.tlsOptions = secure
  await ftp.handle(undefined, (answer, task) => {
    if (answer instanceof Error) task.reject(answer)
    else if (answer.code >= 200 && answer.code < 300) task.resolve(answer)
    else task.reject(replyError(answer))
  })
  client.prepareTransfer = async (of) => {
    const { answer, port: at } = await passive(of, disableEpsv)
    of.dataSocket = asSecure(of, await tunnel(at))
    return answer
  }
}

/** Asks the server to wait for a transfer, and on which port; the host is the same, whatever it says. */
async function passive(ftp: FTPContext, disableEpsv: boolean): Promise<{ answer: FTPResponse; port: number }> {
  if (!disableEpsv) {
    const answer = await ftp.request('EPSV').catch(() => undefined)
    const [, port] = /\(([!-~])\1\1(\d+)\1\)/.exec(answer?.message ?? '')?.slice(1) ?? []
    if (answer && port !== undefined) return { answer, port: Number(port) }
  }
  const answer = await ftp.request('PASV')
  const [, high, low] = /\d+,\d+,\d+,\d+,(\d+),(\d+)/.exec(answer.message) ?? []
  if (high === undefined || low === undefined)
    throw new AppError('io', 'the FTP server does not tell where it waits for a transfer')
  return { answer, port: Number(high) * 256 + Number(low) }
}

/** A data connection is as secure as the other one, and shows that it is of the same client. */
function asSecure(ftp: FTPContext, plain: Socket): Socket {
  if (!(ftp.socket instanceof TLSSocket)) return plain
  const session = ftp.tlsSessionStore ?? ftp.socket.getSession()
  const secure = secureConnect({ ...ftp.tlsOptions, socket: plain, ...(session ? { session } : {}) })
  return secure.on('session', (next: Buffer) => (ftp.tlsSessionStore = next))
}
