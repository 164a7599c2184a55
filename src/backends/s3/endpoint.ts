import { isIP } from 'node:net'
import { AppError } from '../../base/error.ts'
import { accessPointOf } from './access-point.ts'
import type { S3Options } from './options.ts'
import { quirksOf } from './providers.ts'

/** What a request is about, as far as that decides where it goes. */
export interface Target {
  /** `''` = the store as a whole. */
  readonly bucket: string
  /** The bucket itself is made or removed. */
  readonly bucketItself: boolean
}

/** Where a store is, and how its buckets are named in URLs. */
export interface Endpoint {
  /** The region that is signed for where nothing else is known. */
  readonly region: string
  /** Its regions are places of their own, of which a bucket is in one. */
  readonly regional: boolean
  /** The region that the name of a bucket tells. */
  regionOf(bucket: string): string | undefined
  /** The URL for what is in a bucket, whose path ends in a slash, and whether the host already names that bucket. */
  urlOf(target: Target, region: string): { readonly url: URL; readonly inHost: boolean }
}

/** The endpoint that the options name. Throws `invalid` when they name none. */
export function endpointOf(options: S3Options): Endpoint {
  const { endpoint, useAccelerateEndpoint, forcePathStyle } = options
  const { pathStyle } = quirksOf(options)
  const region = options.region === '' || options.region === 'other-v2-signature' ? 'us-east-1' : options.region
  baseOf(options, region)
  const inPath = pathStyle === true && forcePathStyle
  return {
    region,
    regional: endpoint === '',
    regionOf: (bucket) => (options.useArnRegion ? accessPointOf(bucket)?.region : undefined),
    urlOf({ bucket, bucketItself }, at) {
      const point = endpoint === '' ? accessPointOf(bucket) : undefined
      if (point) return { url: parsed(point.host(at, options.useDualStack)), inHost: true }
      // The accelerated one knows the buckets that are there, and no list of them.
      const accelerated = useAccelerateEndpoint && bucket !== '' && !bucketItself
      const url = accelerated ? acceleratedOf(options) : baseOf(options, at)
      const inHost = bucket !== '' && (accelerated || !inPath) && isHostName(bucket, url)
      if (inHost) url.host = `${bucket}.${url.host}`
      return { url, inHost }
    },
  }
}

function baseOf(options: S3Options, region: string): URL {
  const { endpoint, useDualStack } = options
  const own = quirksOf(options).host?.(region, useDualStack) ?? ''
  if (endpoint === '' && own === '') throw new AppError('invalid', 's3: this provider needs the option endpoint')
  return parsed(endpoint === '' ? own : endpoint)
}

function acceleratedOf({ useDualStack }: S3Options): URL {
  return parsed(`s3-accelerate.${useDualStack ? 'dualstack.' : ''}amazonaws.com`)
}

/** The URL of an endpoint, which may be a host alone; its path ends in a slash. Throws `invalid`. */
export function parsed(endpoint: string): URL {
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
