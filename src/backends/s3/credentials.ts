import { AppError, messageOf } from '../../base/error.ts'
import type { S3Options } from './options.ts'
import { anonymous, type Keys, type Signer, signerV2, signerV4 } from './sign.ts'

/**
 * The signer for the keys of the configuration; with `env_auth` for those of the environment, the profiles or the role of this
 * machine, which are asked for anew when they run out; without either for none.
 */
export async function signerOf(options: S3Options): Promise<Signer> {
  const keys = options.accessKeyId === '' && options.envAuth ? await fromEnvironment(options) : fromOptions(options)
  if (!keys) return anonymous
  return options.v2Auth ? signerV2(keys) : await signerV4(keys)
}

function fromOptions({ accessKeyId, secretAccessKey, sessionToken }: S3Options): (() => Promise<Keys>) | undefined {
  if (accessKeyId === '' && secretAccessKey === '') return undefined
  if (accessKeyId === '') throw new AppError('invalid', 's3: the option access_key_id is missing')
  if (secretAccessKey === '') throw new AppError('invalid', 's3: the option secret_access_key is missing')
  const keys: Keys = { accessKeyId, secretAccessKey, ...(sessionToken === '' ? {} : { sessionToken }) }
  return () => Promise.resolve(keys)
}

/** Keys that hold for a time are asked for anew this long before they run out. */
const EARLY_MS = 5 * 60_000

async function fromEnvironment({ profile, sharedCredentialsFile }: S3Options): Promise<() => Promise<Keys>> {
  const { fromNodeProviderChain } = await import('@aws-sdk/credential-providers')
  const provide = fromNodeProviderChain({
    ...(profile === '' ? {} : { profile }),
    ...(sharedCredentialsFile === '' ? {} : { filepath: sharedCredentialsFile }),
  })
  let known: ReturnType<typeof provide> | undefined
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
    } catch (cause) {
      known = undefined
      throw new AppError('denied', `s3: env_auth found no keys: ${messageOf(cause)}`, { cause })
    }
  }
}
