import {
  AnonymousCredential,
  BlobServiceClient,
  ContainerClient,
  newPipeline,
  StorageSharedKeyCredential,
  type StoragePipelineOptions,
} from '@azure/storage-blob'
import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import type { HttpClient } from '../../net/client.ts'
import type { Values } from '../../schema/option.ts'
import { applicationLogin, managedIdentity } from './credential.ts'
import type { azureblobOptions } from './index.ts'
import { libraryClient } from './pipeline.ts'

type Options = Values<typeof azureblobOptions>
type Environment = Readonly<Record<string, string | undefined>>
type Credential = Parameters<typeof newPipeline>[0]

/** The account and the key that every emulator has. */
export const emulator = {
  account: 'devstoreaccount1',
  key: 'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==',
  endpoint: 'http://127.0.0.1:10000/devstoreaccount1',
}

/** The containers that a login leads to. */
export interface Service {
  container(name: string): ContainerClient
  /** Undefined when the login is for one container alone. */
  readonly account: BlobServiceClient | undefined
  /** For people: where it is. */
  readonly place: string
}

/** Finds out what the options say about where the storage is and how to log in. Throws `invalid` when that is not enough. */
export function serviceOf(ctx: Context, http: HttpClient, options: Options, env: Environment = process.env): Service {
  // Trying again is for layers/retry, which knows of Retry-After and of the limits of the user.
  const pipeline: StoragePipelineOptions = { httpClient: libraryClient(ctx, http), retryOptions: { maxTries: 1 } }
  if (options.sasUrl !== '') return sasService(options.sasUrl, pipeline)
  const text = options.connectionString || (options.envAuth ? (env.AZURE_STORAGE_CONNECTION_STRING ?? '') : '')
  if (text !== '') return whole(fromConnectionString(text, pipeline))
  const account = options.account || (options.envAuth ? (env.AZURE_STORAGE_ACCOUNT ?? '') : '')
  const name = account || (options.useEmulator ? emulator.account : '')
  if (name === '' && options.endpoint === '')
    throw new AppError('invalid', 'azureblob backend: the option account is missing, or sas_url or connection_string')
  const standard = options.useEmulator ? emulator.endpoint : `https://${name}.blob.core.windows.net`
  const endpoint = URL.parse(options.endpoint || standard)
  if (endpoint?.protocol !== 'https:' && endpoint?.protocol !== 'http:')
    throw new AppError('invalid', 'azureblob backend: the option endpoint is not an http or https URL')
  const credential = credentialOf(ctx, http, { ...options, account: name }, env)
  return whole(new BlobServiceClient(endpoint.href, newPipeline(credential, pipeline)))
}

function whole(account: BlobServiceClient): Service {
  return { account, place: account.url.split('?')[0] ?? '', container: (name) => account.getContainerClient(name) }
}

function sasService(text: string, pipeline: StoragePipelineOptions): Service {
  const url = URL.parse(text)
  if (!url?.searchParams.has('sig'))
    throw new AppError('invalid', 'azureblob backend: the option sas_url is no SAS URL')
  const made = newPipeline(new AnonymousCredential(), pipeline)
  const named =
    url.searchParams.get('sr') === 'c' ? decodeURIComponent(url.pathname.split('/').at(-1) ?? '') : undefined
  if (named === undefined) return whole(new BlobServiceClient(text, made))
  return {
    account: undefined,
    place: `${url.origin}${url.pathname}`,
    container(name) {
      if (name !== named) throw new AppError('denied', `the SAS URL is for the container ${named} alone`)
      return new ContainerClient(text, made)
    },
  }
}

function fromConnectionString(text: string, pipeline: StoragePipelineOptions): BlobServiceClient {
  try {
    return BlobServiceClient.fromConnectionString(text, pipeline)
  } catch (cause) {
    throw new AppError('invalid', 'azureblob backend: the connection string is none', { cause })
  }
}

function credentialOf(ctx: Context, http: HttpClient, options: Options, env: Environment): Credential {
  const fromEnv = (name: string) => (options.envAuth ? (env[name] ?? '') : '')
  const key = options.key || (options.useEmulator ? emulator.key : '') || fromEnv('AZURE_STORAGE_KEY')
  if (key !== '') return new StorageSharedKeyCredential(options.account, key)
  const tenant = options.tenant || fromEnv('AZURE_TENANT_ID')
  const id = options.clientId || fromEnv('AZURE_CLIENT_ID')
  const secret = options.clientSecret || fromEnv('AZURE_CLIENT_SECRET')
  if (tenant !== '' && id !== '' && secret !== '') return applicationLogin(ctx, http, { tenant, id, secret })
  if (options.useMsi || options.envAuth)
    return managedIdentity(ctx, http, {
      client_id: options.msiClientId || id,
      object_id: options.msiObjectId,
      mi_res_id: options.msiMiResId,
    })
  return new AnonymousCredential()
}
