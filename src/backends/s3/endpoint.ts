import { isIP } from 'node:net'
import { AppError } from '../../base/error.ts'
import type { S3Options } from './options.ts'
import { quirksOf } from './providers.ts'

/** Where a store is, and how its buckets are named in URLs. */
export interface Endpoint {
  /** The region that is signed for where nothing else is known. */
  readonly region: string
  /** Its regions are places of their own, of which a bucket is in one. */
  readonly regional: boolean
  /** Its URL for a region; the path ends in a slash. */
  base(region: string): URL
  /** Whether a bucket goes into the host name of that URL. */
  inHost(bucket: string, url: URL): boolean
}

/** The endpoint that the options name. Throws `invalid` when they name none. */
export function endpointOf(options: S3Options): Endpoint {
  const { endpoint, useAccelerateEndpoint, forcePathStyle } = options
  const { host, pathStyle } = quirksOf(options)
  const region = options.region === '' || options.region === 'other-v2-signature' ? 'us-east-1' : options.region
  const at = (region: string) =>
    urlOf(useAccelerateEndpoint ? 's3-accelerate.amazonaws.com' : endpoint === '' ? (host?.(region) ?? '') : endpoint)
  at(region)
  const inPath = pathStyle === true && forcePathStyle && !useAccelerateEndpoint
  return {
    region,
    regional: endpoint === '',
    base: at,
    inHost: (bucket, url) => !inPath && isHostName(bucket, url),
  }
}

function urlOf(endpoint: string): URL {
  if (endpoint === '') throw new AppError('invalid', 's3: this provider needs the option endpoint')
  const url = URL.parse(endpoint.includes('://') ? endpoint : `https://${endpoint}`)
  if (url?.protocol !== 'http:' && url?.protocol !== 'https:')
    throw new AppError('invalid', `s3: the endpoint "${endpoint}" is not an http or https URL`)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

/** Buckets with capitals or a dot would give names that no certificate is for. */
function isHostName(bucket: string, { protocol, hostname }: URL): boolean {
  if (isIP(hostname.replaceAll(/[[\]]/g, '')) !== 0) return false
  return /^[a-z0-9][a-z0-9.-]+[a-z0-9]$/.test(bucket) && !(protocol === 'https:' && bucket.includes('.'))
}
