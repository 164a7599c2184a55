import { AppError, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { isPreflight } from '../http/cors.ts'
import type { Handler, HttpRequest, HttpResponse, Middleware, User } from '../http/message.ts'
import { type Credentials, parseBasic } from './credentials.ts'
import { Guesses } from './guesses.ts'
import { openGpacUsers } from './gpac-users.ts'
import { openHtpasswd } from './htpasswd.ts'
import type { AuthOptions } from './options.ts'
import { Passwords } from './passwords.ts'
import { AuthProxy } from './proxy.ts'
import { Networks } from './trusted.ts'
import type { Groups } from './users.ts'

/** How the options let users in. */
export interface Gate {
  readonly realm: string
  readonly passwords?: Passwords
  /** The groups of the users as they are now, where their file has any. */
  readonly groups?: () => Groups
  readonly proxy?: AuthProxy
  readonly header?: { readonly name: string; readonly from: Networks }
  /** Verified client certificates name the user. */
  readonly certificates: boolean
}

/** Names that a header may give: letters and digits of any script, and `@._-`. */
const headerUser = /^[\p{L}\d@._-]+$/u

/** The gate that the options describe, or undefined when everybody may come in. Throws when the password file is missing. */
export function gateOf(ctx: Context, options: AuthOptions, clientCa: boolean): Gate | undefined {
  checkOptions(options)
  const login = options.htpasswd !== '' || options.gpacUsers !== '' || options.user !== ''
  if (!login && options.authProxy.length === 0 && !options.userFromHeader && !clientCa) return undefined
  return {
    realm: options.realm,
    certificates: clientCa && !login,
    ...passwordsOf(ctx, options),
    ...(options.authProxy.length > 0 ? { proxy: new AuthProxy(options.authProxy, ctx.log) } : {}),
    ...(options.userFromHeader && !login
      ? { header: { name: options.userFromHeader.toLowerCase(), from: new Networks(options.trustedProxies) } }
      : {}),
  }
}

/** Throws `usage` for options that do not go together. */
function checkOptions({ htpasswd, gpacUsers, user, pass, userFromHeader }: AuthOptions): void {
  if (htpasswd !== '' && gpacUsers !== '') throw new AppError('usage', 'give --htpasswd or --gpac-users, not both')
  if (user === '' && pass !== '') throw new AppError('usage', '--pass needs --user')
  if (user !== '' && pass === '' && htpasswd === '' && gpacUsers === '')
    throw new AppError('usage', '--user needs --pass: an empty password lets nobody in')
  if (user.includes(':')) throw new AppError('usage', `--user ${JSON.stringify(user)} has a colon: nobody could log in`)
  if (userFromHeader && !/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(userFromHeader))
    throw new AppError('usage', `--user-from-header ${JSON.stringify(userFromHeader)} is no name of a header`)
}

function passwordsOf(ctx: Context, options: AuthOptions): Pick<Gate, 'passwords' | 'groups'> {
  if (options.gpacUsers !== '') {
    const file = openGpacUsers(options.gpacUsers, ctx.log)
    return { passwords: new Passwords({ file }), groups: () => file.value.groups }
  }
  if (options.htpasswd !== '') return { passwords: new Passwords({ file: openHtpasswd(options.htpasswd, ctx.log) }) }
  if (options.user === '') return {}
  return { passwords: new Passwords({ single: { user: options.user, pass: options.pass } }) }
}

/**
 * Lets in whom the gate knows, and sets `request.user`; others get 401, guessers 429. A preflight passes: a browser sends it
 * without credentials, and its answer is the same for every path. So does `OPTIONS *`, which asks for nothing that is served.
 */
export function authentication(gate: Gate, guesses = new Guesses()): Middleware {
  const challenge = `Basic realm="${quote(gate.realm)}", charset="UTF-8"`
  return (next) => (ctx, request) => {
    if (isPreflight(request) || request.rawPath === '*') return next(ctx, request)
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
