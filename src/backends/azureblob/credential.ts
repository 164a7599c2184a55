import { bodyOf, collect } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import type { ClientRequest, HttpClient } from '../../net/client.ts'

const STORAGE = 'https://storage.azure.com/'
/** Where a machine in Azure is told about itself. */
const METADATA = 'http://169.254.169.254/metadata/identity/oauth2/token'
const LOGIN = 'https://login.microsoftonline.com/'
/** A token is asked for anew this long before it ends, in ms. */
const EARLY_MS = 5 * 60_000

type Asking = Pick<HttpClient, 'request'>

export interface Token {
  readonly token: string
  /** In ms since 1970. */
  readonly expiresOnTimestamp: number
}

/** Gives a token for the storage, as the library asks for it before each request. */
export interface TokenSource {
  getToken(): Promise<Token>
}

/** An application that logs in with a secret: the client credentials grant of OAuth 2.0 (RFC 6749 section 4.4). */
export function applicationLogin(
  ctx: Context,
  http: Asking,
  { tenant, id, secret }: { readonly tenant: string; readonly id: string; readonly secret: string },
): TokenSource {
  return kept(() => {
    const form = new URLSearchParams({
      grant_type: 'client_credentials',
      client_id: id,
      client_secret: secret,
      scope: `${STORAGE}.default`,
    }).toString()
    return ask(ctx, http, {
      method: 'POST',
      url: new URL(`${encodeURIComponent(tenant)}/oauth2/v2.0/token`, LOGIN),
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: bodyOf(form),
      length: Buffer.byteLength(form),
    })
  })
}

/** The managed identity of this machine; `which` names one of several: `client_id`, `object_id` or `mi_res_id`. */
export function managedIdentity(ctx: Context, http: Asking, which: Readonly<Record<string, string>>): TokenSource {
  return kept(() => {
    const url = new URL(METADATA)
    const named = Object.entries(which).filter(([, value]) => value !== '')
    for (const [name, value] of [['api-version', '2018-02-01'], ['resource', STORAGE], ...named] as const)
      url.searchParams.set(name, value)
    return ask(ctx, http, { method: 'GET', url, headers: { metadata: 'true' } })
  })
}

/** Asks once for all who need the token at a time, and again before it ends. */
function kept(fetchToken: () => Promise<Token>): TokenSource {
  let current: Promise<Token> | undefined
  let until = 0
  return {
    async getToken() {
      if (!current || Date.now() > until) {
        until = Infinity
        current = fetchToken()
        current.then(
          ({ expiresOnTimestamp }) => (until = expiresOnTimestamp - EARLY_MS),
          () => (until = 0),
        )
      }
      return await current
    },
  }
}

async function ask(ctx: Context, http: Asking, request: ClientRequest): Promise<Token> {
  const response = await http.request(ctx, request)
  const text = Buffer.from(await collect(response.body)).toString()
  if (response.status !== 200)
    throw new AppError('denied', `${request.url.host} gave no token (status ${response.status}): check the login`)
  const { access_token: token, expires_in: seconds } = JSON.parse(text) as Record<string, string | number>
  if (typeof token !== 'string') throw new AppError('io', `${request.url.host} gave an answer without a token`)
  return { token, expiresOnTimestamp: Date.now() + Number(seconds) * 1000 }
}
