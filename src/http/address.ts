import { AppError } from '../base/error.ts'

/** Where to listen, as one `--addr` says it. */
export type Address = (TcpAddress | UnixAddress | InheritedAddress) & {
  /** True or false when the address itself decides; undefined = TLS when there is a certificate. */
  readonly tls: boolean | undefined
  /** As the user wrote it, for messages. */
  readonly text: string
}

export interface TcpAddress {
  readonly kind: 'tcp'
  /** Undefined = all interfaces. */
  readonly host: string | undefined
  /** 0 = any free one. */
  readonly port: number
}

export interface UnixAddress {
  readonly kind: 'unix'
  readonly path: string
}

/** A listening socket that the process was started with. */
export interface InheritedAddress {
  readonly kind: 'fd'
  readonly fd: number
}

/**
 * Reads an `--addr`: `host:port`, `:port`, `[::1]:port`, `unix:///path` or an absolute path, with `tls://` or `http://`
 * before it to have TLS or none whatever the certificate. Throws `usage` that says what is wrong with it.
 */
export function parseAddress(text: string): Address {
  const [, scheme, rest = ''] = /^(?:(tls|https?|unix):\/\/)?(.*)$/s.exec(text) ?? []
  const tls = scheme === 'tls' || scheme === 'https' ? true : scheme === 'http' ? false : undefined
  if (scheme === 'unix' || rest.startsWith('/')) {
    if (!rest.startsWith('/')) throw bad(text, 'the path of a unix socket must be absolute')
    return { kind: 'unix', path: rest, tls, text }
  }
  const match = /^(?:\[([0-9a-fA-F:.%\w]+)\]|([^:[\]/]*)):(\d{1,5})\/?$/.exec(rest)
  if (!match) throw bad(text, 'use host:port, :port or /path/of/socket')
  const port = Number(match[3])
  if (port > 65535) throw bad(text, 'the highest port is 65535')
  return { kind: 'tcp', host: match[1] || match[2] || undefined, port, tls, text }
}

function bad(text: string, why: string): AppError {
  return new AppError('usage', `bad address "${text}": ${why}`)
}

/**
 * The sockets that systemd (or whoever speaks its protocol) opened for this process, by LISTEN_FDS and LISTEN_PID:
 * sd_listen_fds(3). Empty when there are none or they are meant for another process.
 */
export function inheritedFds(env: Readonly<Record<string, string | undefined>>, pid: number): number[] {
  const count = Number(env.LISTEN_FDS ?? '0')
  if (env.LISTEN_PID !== String(pid) || !Number.isInteger(count) || count <= 0) return []
  return Array.from({ length: count }, (_, i) => FIRST_FD + i)
}

const FIRST_FD = 3
