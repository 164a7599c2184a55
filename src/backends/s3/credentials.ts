import { AppError, messageOf } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import type { HttpClient } from '../../net/client.ts'
import type { S3Options } from './options.ts'
import { roleKeys } from './role.ts'
import { anonymous, type Keys, type Signer, signerV2, signerV4 } from './sign.ts'

/**
 * The signer for the keys of the configuration; with `env_auth` for those of the environment, the profiles or the role of this
 * machine; without either for none. With `role_arn` they only serve to take that role on. What runs out is asked for anew.
 */
export async function signerOf(ctx: Context, http: HttpClient, options: S3Options): Promise<Signer> {
  const own = options.accessKeyId === '' && options.envAuth ? await fromEnvironment(options) : fromOptions(options)
  if (!own && options.roleArn !== '') throw new AppError('invalid', 's3: role_arn needs keys: set them, or env_auth')
  if (!own) return anonymous
  const keys = options.roleArn === '' ? own : renewed(await roleKeys(ctx, http, options, own))
  return options.v2Auth ? signerV2(keys) : await signerV4(keys)
}

function fromOptions({ accessKeyId, secretAccessKey, sessionToken }: S3Options): (() => Promise<Keys>) | undefined {
  if (accessKeyId === '' && secretAccessKey === '') return undefined
  if (accessKeyId === '') throw new AppError('invalid', 's3: the option access_key_id is missing')
  if (secretAccessKey === '') throw new AppError('invalid', 's3: the option secret_access_key is missing')
  const keys: Keys = { accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) }
  return () => Promise.resolve(keys)
}

async function fromEnvironment({ profile, sharedCredentialsFile }: S3Options): Promise<() => Promise<Keys>> {
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers')
  const provide = fromNodeProviderChain({
    ...(profile === '' ? {} : { profile }),
    ...(sharedCredentialsFile === '' ? {} : { filepath: sharedCredentialsFile }),
  })
  return renewed(async () => {
    try {
      return await provide()
    } catch (cause) {
      throw new AppError('denied', `s3: env_auth found no keys: ${messageOf(cause)}`, { cause })
    }
  })
}

/** Keys that hold for a time are asked for anew this long before they run out. */
const EARLY_MS = 5 * 60_000

/** Keys that are asked for once, and again before they run out. */
function renewed(provide: () => Promise<Keys>): () => Promise<Keys> {
  let known: Promise<Keys> | undefined
  let until = 0
  return async () => {
    if (!known || Date.now() > until) {
      known = provide()
      until = Infinity
    }
    try {
      const keys = await known
      until = keys.expiration ? keys.expiration.getTime() - EARLY_MS : Infinity
      return keys
    } catch (error) {
      known = undefined
      throw error
    }
  }
}
