import { AppError, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { isPreflight } from '../http/cors.ts'
import type { Handler, HttpRequest, HttpResponse, Middleware, User } from '../http/message.ts'
import { type Credentials, parseBasic } from './credentials.ts'
import { Guesses } from './guesses.ts'
import { Htpasswd } from './htpasswd.ts'
import type { AuthOptions } from './options.ts'
import { Passwords } from './passwords.ts'
import { AuthProxy } from './proxy.ts'
import { Networks } from './trusted.ts'

/** How the options let users in. */
export interface Gate {
  readonly realm: string
  readonly passwords?: Passwords
  readonly proxy?: AuthProxy
  readonly header?: { readonly name: string; readonly from: Networks }
  /** Verified client certificates name the user. */
  readonly certificates: boolean
}

/** Names that a header may give: letters and digits of any script, and `@._-`. */
const headerUser = /^[\p{L}\d@._-]+$/u

/** The gate that the options describe, or undefined when everybody may come in. Throws when the password file is missing. */
export function gateOf(ctx: Context, options: AuthOptions, clientCa: boolean): Gate | undefined {
  const login = options.htpasswd !== '' || options.user !== ''
  if (options.user === '' && options.pass !== '') throw new AppError('usage', '--pass needs --user')
  if (options.user !== '' && options.pass === '' && options.htpasswd === '')
    throw new AppError('usage', '--user needs --pass: an empty password lets nobody in')
  if (options.userFromHeader && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(options.userFromHeader))
    throw new AppError('usage', `--user-from-header ${JSON.stringify(options.userFromHeader)} is no name of a header`)
  if (!login && options.authProxy.length === 0 && !options.userFromHeader && !clientCa) return undefined
  return {
    realm: options.realm,
    certificates: clientCa && !login,
    ...(options.htpasswd
      ? { passwords: new Passwords({ file: new Htpasswd(options.htpasswd, ctx.log) }) }
      : options.user
        ? { passwords: new Passwords({ single: { user: options.user, pass: options.pass } }) }
        : {}),
    ...(options.authProxy.length > 0 ? { proxy: new AuthProxy(options.authProxy, ctx.log) } : {}),
    ...(options.userFromHeader && !login
      ? { header: { name: options.userFromHeader.toLowerCase(), from: new Networks(options.trustedProxies) } }
      : {}),
  }
}

/**
 * Lets in whom the gate knows, and sets `request.user`; others get 401, guessers 429. A preflight passes: a browser sends it
 * without credentials, and its answer is the same for every path.
 */
export function authentication(gate: Gate, guesses = new Guesses()): Middleware {
  const challenge = `Basic realm="${quote(gate.realm)}", charset="UTF-8"`
  return (next) => (ctx, request) => {
    if (isPreflight(request)) return next(ctx, request)
    const credentials = parseBasic(request.header('authorization'))
    const named = namedUser(gate, request)
    if (gate.proxy) return viaProxy(gate.proxy, credentials ?? (named && { user: named.name, pass: '' }))
    if (named) return admitted(named)
    if (!gate.passwords) return refused(ctx, request, undefined)
    if (!credentials) return refused(ctx, request, undefined)
    if (gate.passwords.known(credentials)) return admitted({ name: credentials.user, by: gate.passwords.by })
    return checked(gate.passwords, credentials)

    function admitted(user: User): ReturnType<Handler> {
      request.user = user
      return next(ctx, request)
    }
    async function checked(passwords: Passwords, given: Credentials): Promise<HttpResponse> {
      const wait = guesses.waitOf(request.peer.address)
      if (wait > 0) return later(wait)
      try {
        if (await passwords.check(ctx, given)) return await admitted({ name: given.user, by: passwords.by })
      } catch (error) {
        if (toAppError(error).code === 'rate-limited') return later(1)
        throw error
      }
      return wrong(given)
    }
    async function viaProxy(proxy: AuthProxy, given: Credentials | undefined): Promise<HttpResponse> {
      if (!given) return refused(ctx, request, undefined)
      const wait = guesses.waitOf(request.peer.address)
      if (wait > 0) return later(wait)
      const backend = await proxy.lookup(given, request.peer.address)
      return backend ? await admitted({ name: given.user, by: 'proxy', backend }) : wrong(given)
    }
    function wrong(given: Credentials): HttpResponse {
      guesses.wrong(request.peer.address)
      return refused(ctx, request, given.user)
    }
  }

  function refused(ctx: Context, request: HttpRequest, user: string | undefined): HttpResponse {
    const { address, port } = request.peer
    const who = user === undefined ? '' : ` from ${user}`
    ctx.log.info(`${address}:${port}: Unauthorized request${who}`, { object: `/${request.path}` })
    return {
      status: 401,
      headers: ['content-type', 'text/plain', 'www-authenticate', challenge],
      body: '401 Unauthorized\n',
    }
  }
}

function later(seconds: number): HttpResponse {
  return {
    status: 429,
    headers: ['content-type', 'text/plain; charset=utf-8', 'retry-after', String(seconds)],
    body: 'Too many wrong passwords: try again later\n',
  }
}

/** The user that a trusted proxy or a client certificate names. */
function namedUser(gate: Gate, request: HttpRequest): User | undefined {
  // Who can open a unix socket is on this machine, and meant to be in front of the server.
  const { address } = request.peer
  if (gate.header && (address === '' || gate.header.from.has(address))) {
    const name = request.header(gate.header.name)?.trim() ?? ''
    return headerUser.test(name) ? { name, by: 'header' } : undefined
  }
  const common = gate.certificates && !gate.header ? request.peer.certificate : undefined
  return common ? { name: common, by: 'certificate' } : undefined
}

/** A realm inside double quotes (RFC 9110 section 5.6.4); what a header cannot carry is left out. */
function quote(realm: string): string {
  return realm.replace(/[^\t\u0020-\u007e\u00a0-\u00ff]/g, '').replace(/["\\]/g, '\\$&')
}
