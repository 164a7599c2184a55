import { readFile, stat } from 'node:fs/promises'
import {
  createSecureContext,
  createServer,
  type SecureContextOptions,
  type SecureVersion,
  type Server,
  type TLSSocket,
} from 'node:tls'
import { AppError, messageOf } from '../base/error.ts'
import type { Logger } from '../core/log.ts'
import type { tlsVersions } from './options.ts'

export interface TlsSettings {
  /** Paths of PEM files; `''` = none. */
  readonly cert: string
  readonly key: string
  readonly clientCa: string
  readonly minTlsVersion: (typeof tlsVersions)[number]
  readonly http2: boolean
}

const versions: Readonly<Record<TlsSettings['minTlsVersion'], SecureVersion>> = {
  'tls1.0': 'TLSv1',
  'tls1.1': 'TLSv1.1',
  'tls1.2': 'TLSv1.2',
  'tls1.3': 'TLSv1.3',
}
/** Forward secrecy and authenticated encryption only. */
const ciphers = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')
/** What versions before 1.2 need on top; only for who asks for them. */
const oldCiphers = `${ciphers}:ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA:AES128-SHA:@SECLEVEL=0`
const HANDSHAKE_MS = 10_000
const CHECK_MS = 5000

/** True when TLS is wanted. Throws `usage` when only a half of what it needs is there. */
export function wantsTls({ cert, key, clientCa }: Pick<TlsSettings, 'cert' | 'key' | 'clientCa'>): boolean {
  if ((cert === '') !== (key === '')) throw new AppError('usage', 'need both --cert and --key to use TLS')
  if (clientCa !== '' && cert === '') throw new AppError('usage', 'need --cert and --key to use --client-ca')
  return cert !== ''
}

/**
 * The TLS side of a server: TCP connections are handed to it with `emit('connection', socket)`, it never listens itself.
 * Certificates are read anew when their files change; a bad new one is logged once and the last good one stays in use.
 */
export class TlsSide {
  readonly server: Server
  readonly #settings: TlsSettings
  readonly #log: Logger
  readonly #timer: NodeJS.Timeout
  #stamp: string
  #busy: Promise<void> | undefined

  private constructor(settings: TlsSettings, log: Logger, loaded: Loaded, checkMs: number) {
    this.#settings = settings
    this.#log = log
    this.#stamp = loaded.stamp
    const withClientCa = settings.clientCa !== ''
    this.server = createServer({
      ...loaded.options,
      ALPNProtocols: settings.http2 ? ['h2', 'http/1.1'] : ['http/1.1'],
      handshakeTimeout: HANDSHAKE_MS,
      honorCipherOrder: true,
      sessionIdContext: 'sluice',
      requestCert: withClientCa,
      rejectUnauthorized: withClientCa,
    })
    this.server.on('tlsClientError', (_, socket: TLSSocket) => socket.destroy())
    this.#timer = setInterval(() => void this.reload(), checkMs).unref()
  }

  /** Throws `usage` or `invalid` that names the file at fault. `checkMs` is how often the files are looked at. */
  static async open(settings: TlsSettings, log: Logger, checkMs = CHECK_MS): Promise<TlsSide> {
    if (settings.minTlsVersion === 'tls1.0' || settings.minTlsVersion === 'tls1.1')
      log.warn(`--min-tls-version ${settings.minTlsVersion} accepts connections that are no longer safe`)
    return new TlsSide(settings, log, await load(settings), checkMs)
  }

  /** Reads the files anew when one has changed. Never throws. */
  async reload(): Promise<void> {
    this.#busy ??= this.#reload().finally(() => (this.#busy = undefined))
    await this.#busy
  }

  async #reload(): Promise<void> {
    const stamp = await stampOf(this.#settings)
    if (stamp === this.#stamp) return
    this.#stamp = stamp
    try {
      const loaded = await load(this.#settings)
      this.#stamp = loaded.stamp
      this.server.setSecureContext(loaded.options)
      this.#log.notice('TLS certificate loaded anew')
    } catch (reason) {
      this.#log.error(`keeping the TLS certificate in use: ${messageOf(reason)}`)
    }
  }

  close(): void {
    clearInterval(this.#timer)
  }
}

interface Loaded {
  readonly options: SecureContextOptions
  readonly stamp: string
}

async function load(settings: TlsSettings): Promise<Loaded> {
  const stamp = await stampOf(settings)
  const minVersion = versions[settings.minTlsVersion]
  const old = minVersion === 'TLSv1' || minVersion === 'TLSv1.1'
  const options: SecureContextOptions = {
    cert: await readPem(settings.cert, '--cert', 'CERTIFICATE'),
    key: await readPem(settings.key, '--key', 'PRIVATE KEY'),
    minVersion,
    ciphers: old ? oldCiphers : ciphers,
  }
  if (settings.clientCa !== '') {
    options.ca = await readPem(settings.clientCa, '--client-ca', 'CERTIFICATE')
    tryContext({ ca: options.ca }, 'unable to parse client certificate authority')
  }
  tryContext(options, `${settings.cert} and ${settings.key} cannot be used`)
  return { options, stamp }
}

function tryContext(options: SecureContextOptions, message: string): void {
  try {
    createSecureContext(options)
  } catch (reason) {
    throw new AppError('invalid', `${message}: ${messageOf(reason)}`, { cause: reason })
  }
}

async function readPem(path: string, flag: string, kind: string): Promise<Buffer> {
  let pem: Buffer
  try {
    pem = await readFile(path)
  } catch (reason) {
    throw new AppError('invalid', `cannot read ${flag}: ${messageOf(reason)}`, { cause: reason })
  }
  if (pem.includes(`${kind}-----`)) return pem
  if (flag === '--client-ca') throw new AppError('invalid', `unable to parse client certificate authority ${path}`)
  throw new AppError('invalid', `${flag} ${path} holds no PEM ${kind.toLowerCase()}`)
}

/** Changes when one of the files does. */
async function stampOf({ cert, key, clientCa }: TlsSettings): Promise<string> {
  const stamps = [cert, key, clientCa].map(async (path) => {
    const found = path === '' ? undefined : await stat(path, { bigint: true }).catch(() => undefined)
    return found ? `${found.ino}.${found.size}.${found.mtimeNs}` : ''
  })
  return (await Promise.all(stamps)).join(' ')
}

/** The common name of the verified client certificate; undefined when there is none, `''` when it names nobody. */
export function certificateName(socket: TLSSocket): string | undefined {
  if (!socket.authorized) return undefined
  const { subject } = socket.getPeerCertificate()
  const name: unknown = subject?.CN
  return typeof name === 'string' ? name : ''
}
