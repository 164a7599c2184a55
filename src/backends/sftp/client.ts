import { readFile } from 'node:fs/promises'
import { connect as dial, type Socket } from 'node:net'
import { userInfo } from 'node:os'
import type { Client, ClientChannel, ConnectConfig } from 'ssh2'
import { abortError } from '../../base/abort.ts'
import { AppError, errorCode, messageOf, toAppError } from '../../base/error.ts'
import { isTunnel, tunnelled } from '../../net/tunnel.ts'
import type { Values } from '../../schema/option.ts'
import type { sftpOptions } from './index.ts'
import { expanded, loginMethods } from './keys.ts'
import { algorithmsFor, fingerprint, type KnownKey, knownKeys, pinnedKey, verdictOn } from './known-hosts.ts'
import type { Channel } from './session.ts'
import { keep, type Output, type Transport } from './transport.ts'

export interface ClientSettings {
  readonly options: Values<typeof sftpOptions>
  /** Time to connect and log in, in ms. */
  readonly connectTimeout: number
  readonly localAddress: string
  /** Says once that the key of a host was not checked. */
  readonly unchecked: (fingerprint: string) => void
}

type Algorithms = NonNullable<ConnectConfig['algorithms']>

/** Connects to the server and logs in. Throws `denied` when either side refuses the other, `io` when it is not reached. */
export async function connect(settings: ClientSettings): Promise<Transport> {
  const { options, connectTimeout } = settings
  const ssh2 = (await import('ssh2')).default
  const username = options.user === '' ? userInfo().username : options.user
  const known = await hostKeys(options)
  const client = new ssh2.Client()
  const authHandler = await loginMethods(ssh2, username, options)
  const socket = await socketTo(settings)
  let refusal: AppError | undefined
  const config: ConnectConfig = {
    sock: socket,
    username,
    readyTimeout: connectTimeout > 0 && connectTimeout < 2 ** 31 ? connectTimeout : 0,
    authHandler,
    algorithms: algorithmsOf(options, known),
    hostVerifier: (key: Buffer) => {
      refusal = checkHost(key, known, settings)
      return refusal === undefined
    },
  }
  await new Promise<void>((resolve, reject) => {
    const fail = (error: Error) => reject(refusal ?? translate(error, options.host, username))
    // For as long as it lives: an error that nobody listens to would end the process.
    client.on('error', fail).once('close', () => fail(new Error('the connection was closed')))
    client.once('ready', resolve)
    try {
      client.connect(config)
    } catch (error) {
      reject(new AppError('invalid', `sftp: ${messageOf(error)}`, { cause: error }))
    }
  }).catch((error: unknown) => {
    client.destroy()
    socket.destroy()
    throw error
  })
  return new ClientTransport(client, socket, options)
}

/** A socket of our own, so that what goes out over it can be held together. One without proxy may not have come about yet. */
async function socketTo({ options, localAddress, connectTimeout }: ClientSettings): Promise<Socket> {
  const { host, port } = options
  const at = { host, port, noDelay: true }
  if (!isTunnel(options)) return dial(localAddress === '' ? at : { ...at, localAddress }).on('error', () => {})
  const socket = await tunnelled({ ...options, localAddress, connectTimeout })
  return socket.setNoDelay().on('error', () => {})
}

class ClientTransport implements Transport {
  readonly #client: Client
  readonly #socket: Socket
  readonly #options: Values<typeof sftpOptions>
  readonly #env: Record<string, string>

  constructor(client: Client, socket: Socket, options: Values<typeof sftpOptions>) {
    this.#client = client
    this.#socket = socket
    this.#options = options
    this.#env = Object.fromEntries(
      options.setEnv.map((text) => [text.split('=', 1)[0] ?? '', text.slice(text.indexOf('=') + 1)]),
    )
  }

  async sftp(): Promise<Channel> {
    const { serverCommand, subsystem } = this.#options
    const channel = await this.#channel((opened) => {
      if (serverCommand === '') this.#client.subsys(subsystem, opened)
      else this.#client.exec(serverCommand, { env: this.#env }, opened)
    })
    channel.stderr.resume()
    return { input: channel, output: channel, wire: this.#socket }
  }

  async run(command: string, signal: AbortSignal): Promise<Output> {
    const channel = await this.#channel((opened) => this.#client.exec(command, { env: this.#env }, opened))
    const [stdout, stderr] = [keep(channel), keep(channel.stderr)]
    return await new Promise((resolve, reject) => {
      let code: number | null = null
      const abort = () => {
        channel.close()
        reject(abortError(signal))
      }
      if (signal.aborted) return abort()
      signal.addEventListener('abort', abort, { once: true })
      channel.once('exit', (status: number | null) => (code = status))
      channel.once('error', (error: Error) => reject(toAppError(error)))
      channel.once('close', () => {
        signal.removeEventListener('abort', abort)
        resolve({ code, stdout: stdout(), stderr: stderr() })
      })
      channel.end()
      return undefined
    })
  }

  end(): void {
    this.#client.end()
    this.#client.destroy()
  }

  async #channel(
    open: (opened: (error: Error | undefined, channel: ClientChannel) => void) => void,
  ): Promise<ClientChannel> {
    return await new Promise((resolve, reject) => {
      // A connection that ends answers no request for a channel.
      const lost = () => reject(new AppError('io', 'the SSH connection was lost', { retry: 'now' }))
      this.#client.once('close', lost)
      const opened = (error: Error | undefined, channel: ClientChannel) => {
        this.#client.off('close', lost)
        if (error) reject(new AppError('io', `sftp: the server refuses: ${error.message}`, { cause: error }))
        else resolve(channel)
      }
      try {
        open(opened)
      } catch (error) {
        reject(new AppError('io', messageOf(error), { cause: error, retry: 'now' }))
      }
    })
  }
}

/** The keys by which the host is known, from the file that was named, or from the user's own. */
async function hostKeys({ knownHostsFile, hostKeys, host, port }: Values<typeof sftpOptions>): Promise<KnownKey[]> {
  if (knownHostsFile === '' && hostKeys.length > 0) return hostKeys.map(pinnedKey)
  const path = expanded(knownHostsFile === '' ? '~/.ssh/known_hosts' : knownHostsFile)
  try {
    return knownKeys(await readFile(path, 'utf8'), host, port)
  } catch (error) {
    if (knownHostsFile === '') return []
    throw new AppError('invalid', `sftp: can't read known_hosts_file ${path}: ${messageOf(error)}`, { cause: error })
  }
}

function checkHost(key: Buffer, known: readonly KnownKey[], settings: ClientSettings): AppError | undefined {
  const { host, knownHostsFile, hostKeys } = settings.options
  const shown = fingerprint(key)
  const verdict = verdictOn(key, known)
  if (verdict === 'known') return undefined
  if (verdict === 'unknown' && knownHostsFile === '') {
    settings.unchecked(shown)
    return undefined
  }
  const why = {
    unknown: `it is not in ${knownHostsFile}: add it, if it is the right one`,
    changed:
      hostKeys.length > 0 && knownHostsFile === ''
        ? 'it is not one of host_keys'
        : 'another one is known: somebody may listen in, or the server was set up anew',
    revoked: 'it was revoked',
  }[verdict]
  return new AppError('denied', `sftp: the host key ${shown} of ${host} is refused: ${why}`)
}

function algorithmsOf(options: Values<typeof sftpOptions>, known: readonly KnownKey[]): Algorithms {
  const old = options.useInsecureCipher
  const list = (names: readonly string[], insecure: readonly string[]) =>
    names.length > 0 ? names : old ? { append: insecure, prepend: [], remove: [] } : undefined
  const hostKeyTypes = options.hostKeyAlgorithms.length > 0 ? options.hostKeyAlgorithms : algorithmsFor(known)
  const chosen = {
    cipher: list(options.ciphers, ['aes128-cbc', 'aes192-cbc', 'aes256-cbc', '3des-cbc']),
    kex: list(options.keyExchange, [
      'diffie-hellman-group14-sha1',
      'diffie-hellman-group-exchange-sha1',
      'diffie-hellman-group1-sha1',
    ]),
    hmac: list(options.macs, []),
    serverHostKey: hostKeyTypes.length > 0 ? hostKeyTypes : list([], ['ssh-dss']),
  }
  return Object.fromEntries(Object.entries(chosen).filter(([, value]) => value !== undefined)) as Algorithms
}

/** What ssh2 tells of a connection that did not come about. */
function translate(error: Error, host: string, user: string): AppError {
  const level = (error as { level?: unknown }).level
  const options = { cause: error }
  if (level === 'client-authentication')
    return new AppError('denied', `sftp: ${host} refuses the login of ${user}: check user, pass and key_file`, options)
  if (level === 'agent') return new AppError('denied', `sftp: the ssh-agent failed: ${error.message}`, options)
  if (level === 'client-timeout')
    return new AppError('io', `sftp: ${host} did not answer in time`, { ...options, retry: 'now' })
  const unknownHost = errorCode(error) === 'ENOTFOUND'
  const settled = unknownHost || (level === 'handshake' && /no matching/i.test(error.message))
  return new AppError('io', `sftp: ${host}: ${messageOf(error)}`, { ...options, retry: settled ? false : 'now' })
}
