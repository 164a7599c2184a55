import { collect, bodyOf } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import type { ClientResponse, HttpClient } from '../../net/client.ts'
import { leave } from '../../net/response-body.ts'
import { statusError } from '../../net/status.ts'
import type { Values } from '../../schema/option.ts'
import type { swiftOptions } from './index.ts'

export type SwiftOptions = Values<typeof swiftOptions>

/** Where an account is, and what opens it. */
export interface Session {
  readonly url: URL
  readonly token: string
}

/** The variables of OpenStack that stand for options; the first that is set counts. */
const variables: Readonly<Partial<Record<keyof SwiftOptions, readonly string[]>>> = {
  user: ['OS_USERNAME', 'ST_USER'],
  key: ['OS_PASSWORD', 'ST_KEY'],
  auth: ['OS_AUTH_URL', 'ST_AUTH'],
  userId: ['OS_USER_ID'],
  domain: ['OS_USER_DOMAIN_NAME'],
  tenant: ['OS_PROJECT_NAME', 'OS_TENANT_NAME'],
  tenantId: ['OS_PROJECT_ID', 'OS_TENANT_ID'],
  tenantDomain: ['OS_PROJECT_DOMAIN_NAME'],
  region: ['OS_REGION_NAME'],
  storageUrl: ['OS_STORAGE_URL'],
  authToken: ['OS_AUTH_TOKEN'],
  applicationCredentialId: ['OS_APPLICATION_CREDENTIAL_ID'],
  applicationCredentialName: ['OS_APPLICATION_CREDENTIAL_NAME'],
  applicationCredentialSecret: ['OS_APPLICATION_CREDENTIAL_SECRET'],
}

/** The options with what the environment says where they say nothing, when they ask for that. */
export function withEnvironment(
  options: SwiftOptions,
  env: Readonly<Record<string, string | undefined>>,
): SwiftOptions {
  if (!options.envAuth) return options
  const found = Object.entries(variables).map(([key, names]) => {
    const set = names.map((name) => env[name]).find(Boolean)
    return [key, options[key as keyof SwiftOptions] || set || '']
  })
  const version = Number(env.ST_AUTH_VERSION ?? 0)
  return {
    ...options,
    ...(Object.fromEntries(found) as Partial<SwiftOptions>),
    authVersion: options.authVersion || (Number.isInteger(version) ? version : 0),
  }
}

/** Throws `invalid` when the options do not tell how to log in. */
export function checkLogin(options: SwiftOptions): void {
  if (options.storageUrl !== '' && options.authToken !== '') return
  if (options.auth === '')
    throw new AppError('invalid', 'swift backend: the option auth is missing, the URL of the login')
  const { protocol } = URL.parse(options.auth) ?? {}
  if (protocol !== 'https:' && protocol !== 'http:')
    throw new AppError('invalid', 'swift backend: the option auth is not an http or https URL')
  if (options.applicationCredentialSecret === '' && options.key === '')
    throw new AppError('invalid', 'swift backend: the option key is missing')
}

/** Logs in, by version 1 (TempAuth), 2 or 3 (Keystone). Throws `denied` when the login is wrong. */
export async function logIn(ctx: Context, http: HttpClient, options: SwiftOptions): Promise<Session> {
  const { storageUrl, authToken } = options
  if (storageUrl !== '' && authToken !== '') return { url: accountUrl(storageUrl), token: authToken }
  const { url, token } = await logins[versionOf(options)](ctx, http, options)
  return { url: accountUrl(storageUrl || url), token }
}

type Login = (ctx: Context, http: HttpClient, options: SwiftOptions) => Promise<{ url: string; token: string }>

const logins: Readonly<Record<1 | 2 | 3, Login>> = { 1: logInV1, 2: logInV2, 3: logInV3 }

function versionOf({ auth, authVersion, applicationCredentialSecret }: SwiftOptions): 1 | 2 | 3 {
  if (authVersion === 1 || authVersion === 2 || authVersion === 3) return authVersion
  const told = /\/v([123])\b/.exec(auth)?.[1]
  if (told !== undefined) return Number(told) as 1 | 2 | 3
  if (applicationCredentialSecret !== '') return 3
  throw new AppError('invalid', 'swift backend: the URL of the login names no version, set auth_version')
}

async function logInV1(ctx: Context, http: HttpClient, { auth, user, key }: SwiftOptions) {
  const answer = await http.request(ctx, {
    method: 'GET',
    url: new URL(auth),
    headers: { 'x-auth-user': user, 'x-auth-key': key },
  })
  await leave(answer.body)
  const { 'x-storage-url': url, 'x-auth-token': token } = fine(answer).headers
  if (url === undefined || token === undefined) throw new AppError('denied', 'the login gave no token')
  return { url, token }
}

interface V2Answer {
  readonly access: {
    readonly token: { readonly id: string }
    readonly serviceCatalog?: readonly {
      readonly type: string
      readonly endpoints: readonly Readonly<Record<string, string>>[]
    }[]
  }
}

async function logInV2(ctx: Context, http: HttpClient, options: SwiftOptions) {
  const { user, key, tenant, tenantId, region, endpointType } = options
  const { body } = await post(ctx, http, endpoint(options, 'tokens'), {
    auth: {
      passwordCredentials: { username: user, password: key },
      ...(tenant === '' ? {} : { tenantName: tenant }),
      ...(tenantId === '' ? {} : { tenantId }),
    },
  })
  const { access } = body as V2Answer
  const store = access.serviceCatalog?.find(({ type }) => type === 'object-store')
  const found = store?.endpoints.find((each) => region === '' || each.region === region)
  return { url: found?.[`${endpointType}URL`] ?? '', token: access.token.id }
}

interface V3Answer {
  readonly token: {
    readonly catalog?: readonly {
      readonly type: string
      readonly endpoints: readonly { readonly interface: string; readonly region?: string; readonly url: string }[]
    }[]
  }
}

async function logInV3(ctx: Context, http: HttpClient, options: SwiftOptions) {
  const { region, endpointType } = options
  const auth = { identity: identityOf(options), ...scopeOf(options) }
  const { body, headers } = await post(ctx, http, endpoint(options, 'auth/tokens'), { auth })
  const store = (body as V3Answer).token.catalog?.find(({ type }) => type === 'object-store')
  const found = store?.endpoints.find(
    (each) => each.interface === endpointType && (region === '' || each.region === region),
  )
  return { url: found?.url ?? '', token: headers['x-subject-token'] ?? '' }
}

function identityOf(options: SwiftOptions): object {
  const { applicationCredentialId: id, applicationCredentialName: name, applicationCredentialSecret: secret } = options
  const { user, userId, domain, key } = options
  const who = userId === '' ? { name: user, domain: { name: domain || 'Default' } } : { id: userId }
  if (secret === '') return { methods: ['password'], password: { user: { ...who, password: key } } }
  const credential = id === '' ? { name, user: who, secret } : { id, secret }
  return { methods: ['application_credential'], application_credential: credential }
}

/** An application credential is for one project, and may not name it. */
function scopeOf(options: SwiftOptions): object {
  const { tenant, tenantId, tenantDomain, domain, applicationCredentialSecret } = options
  if (applicationCredentialSecret !== '') return {}
  if (tenantId !== '') return { scope: { project: { id: tenantId } } }
  if (tenant === '') return {}
  return { scope: { project: { name: tenant, domain: { name: tenantDomain || domain || 'Default' } } } }
}

function endpoint({ auth }: SwiftOptions, path: string): URL {
  return new URL(path, auth.endsWith('/') ? auth : `${auth}/`)
}

async function post(ctx: Context, http: HttpClient, url: URL, json: object) {
  const text = JSON.stringify(json)
  const answer = await http.request(ctx, {
    method: 'POST',
    url,
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: bodyOf(text),
    length: Buffer.byteLength(text),
  })
  const body = Buffer.from(await collect(answer.body)).toString()
  return { headers: fine(answer).headers, body: JSON.parse(body) as unknown }
}

function fine(answer: ClientResponse): ClientResponse {
  if (answer.status < 300) return answer
  throw statusError(answer.status, `the login at ${answer.url.host}`, answer.headers['retry-after'])
}

function accountUrl(text: string): URL {
  const url = URL.parse(text.endsWith('/') ? text : `${text}/`)
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url
  throw new AppError('invalid', 'the login names no object store: check region and endpoint_type, or set storage_url')
}
