import { lookup } from 'node:dns/promises'
import { lstat, unlink } from 'node:fs/promises'
import { connect, createServer, type ListenOptions, type Server, type Socket } from 'node:net'
import { AppError, errorCode, messageOf } from '../base/error.ts'
import type { Address } from './address.ts'

const BACKLOG = 4096
const SOCKET_BUFFER = 16 * 1024

/** Opens one listening socket. `accept` gets each connection. Throws an AppError that says what to do when that fails. */
export async function bind(address: Address, accept: (socket: Socket) => void): Promise<Server> {
  const server = createServer(
    {
      allowHalfOpen: true,
      noDelay: true,
      highWaterMark: SOCKET_BUFFER,
    },
    accept,
  )
  try {
    const options = await listenOptions(address)
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(options, resolve)
    })
  } catch (reason) {
    throw explain(address, reason)
  }
  server.removeAllListeners('error')
  // Failing to accept (no descriptors left) is passing trouble: the next connection may succeed.
  server.on('error', () => {})
  return server
}

async function listenOptions(address: Address): Promise<ListenOptions> {
  if (address.kind === 'fd') return { fd: address.fd } as ListenOptions
  if (address.kind === 'unix') {
    await removeStale(address.path)
    return { path: address.path, backlog: BACKLOG }
  }
  const { host, port } = address
  if (host === undefined) return { port, backlog: BACKLOG }
  const [first] = await lookup(host, { all: true, order: 'ipv4first' })
  return { host: first?.address ?? host, port, backlog: BACKLOG }
}

/** Removes the file of a unix socket that nobody listens on any more. */
async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined)
  if (!found) return
  if (!found.isSocket())
    throw new AppError('exists', `${path} exists and is no socket: remove it or choose another path`)
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => resolve(true))
    probe.once('error', (error) => resolve(errorCode(error) !== 'ECONNREFUSED'))
    probe.once('connect', () => probe.destroy())
  })
  if (alive) throw new AppError('busy', `${path} is in use by another server: stop it or choose another path`)
  await unlink(path)
}

function explain({ kind, text }: Address, reason: unknown): AppError {
  if (reason instanceof AppError) return reason
  const sentences: Readonly<Record<string, string>> = {
    EADDRINUSE:
      'is in use by another server: stop it or choose another address with --addr (the remote control: --rc-addr)',
    // For a unix socket this is also what a missing directory gives.
    EACCES:
      kind === 'unix'
        ? 'cannot be made: choose a directory that exists and that you may write to'
        : 'may not be used by this user: choose a port above 1023',
    EADDRNOTAVAIL: 'is no address of this machine: use one of its own, or :port for all of them',
    ENOTFOUND: 'names no known host: use an address of this machine',
  }
  const sentence = sentences[errorCode(reason) ?? ''] ?? `cannot be listened on: ${messageOf(reason)}`
  return new AppError('io', `${text} ${sentence}`, { cause: reason })
}
