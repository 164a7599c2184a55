import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { AppError, messageOf } from '../../base/error.ts'
import { once } from '../../base/once.ts'
import type { Headers } from '../../net/client.ts'
import type { Values } from '../../schema/option.ts'
import type { gcsOptions } from './index.ts'

export type GcsOptions = Values<typeof gcsOptions>

/** Gives the headers that a request needs as a login: none for public buckets. */
export type Login = () => Promise<Headers>

const scopes = ['https://www.googleapis.com/auth/devstorage.full_control']

/** How Google's library speaks to the world. */
interface Transport {
  readonly fetchImplementation: typeof fetch
}

/** What Google's library is used for here. */
interface TokenClient {
  getAccessToken(): Promise<string | null | undefined | { token?: string | null }>
}

/**
 * The login that the options ask for; `ask` is how tokens are asked for. Throws `invalid` when they ask for none; keys are read
 * when the first request is made.
 */
export function loginOf(options: GcsOptions, ask: typeof fetch): Login {
  const transporterOptions = { fetchImplementation: ask }
  const { accessToken, anonymous, envAuth, serviceAccountCredentials, serviceAccountFile, token } = options
  if (anonymous) return () => Promise.resolve({})
  if (accessToken !== '') return () => Promise.resolve(bearer(accessToken))
  if (serviceAccountCredentials !== '') {
    const key = jsonOf(serviceAccountCredentials, 'service_account_credentials')
    return byLibrary(() => serviceAccount(key, transporterOptions))
  }
  if (serviceAccountFile !== '') {
    const path = serviceAccountFile.replace(/^~(?=\/)/, homedir())
    return byLibrary(
      async () =>
        await serviceAccount(jsonOf(await readFile(path, 'utf8'), 'service_account_file'), transporterOptions),
    )
  }
  if (token !== '') return userLogin(options, transporterOptions)
  if (envAuth)
    return byLibrary(async () => new (await library()).GoogleAuth({ scopes, clientOptions: { transporterOptions } }))
  throw new AppError(
    'invalid',
    'google cloud storage backend: no login. Set service_account_file, env_auth, token, or anonymous for public buckets',
  )
}

async function serviceAccount(
  key: Readonly<Record<string, unknown>>,
  transporterOptions: Transport,
): Promise<TokenClient> {
  const { client_email: email, private_key: secret } = key
  if (typeof email !== 'string' || typeof secret !== 'string')
    throw new AppError('invalid', 'it is not the key of a service account')
  const { JWT } = await library()
  return new JWT({ email, key: secret, scopes, transporterOptions })
}

/** The login of a user by a refresh token, which belongs to one OAuth client. */
function userLogin({ clientId, clientSecret, token }: GcsOptions, transporterOptions: Transport): Login {
  const stored = jsonOf(token, 'token')
  const text = (key: string) => (typeof stored[key] === 'string' ? stored[key] : '')
  if (clientId === '' || text('refresh_token') === '')
    throw new AppError('invalid', 'google cloud storage backend: token needs client_id, and a refresh_token within it')
  return byLibrary(async () => {
    const { OAuth2Client } = await library()
    const client = new OAuth2Client({ clientId, clientSecret, transporterOptions })
    client.setCredentials({
      access_token: text('access_token'),
      refresh_token: text('refresh_token'),
      expiry_date: Date.parse(text('expiry')) || 1,
    })
    return client
  })
}

function byLibrary(make: () => Promise<TokenClient>): Login {
  const client = once(make)
  return async () => {
    try {
      const got = await (await client()).getAccessToken()
      const token = typeof got === 'string' ? got : got?.token
      if (token) return bearer(token)
    } catch (cause) {
      throw new AppError('denied', `Google gave no token: ${messageOf(cause)}`, { cause })
    }
    throw new AppError('denied', 'Google gave no token')
  }
}

async function library() {
  return await import('google-auth-library')
}

function bearer(token: string): Headers {
  return { authorization: `Bearer ${token}` }
}

function jsonOf(text: string, name: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch {
    // told below, without the text: it is a secret
  }
  throw new AppError('invalid', `google cloud storage backend: the option ${name} is not JSON`)
}
