import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { AppError, messageOf } from '../base/error.ts'
import type { NetOptions } from './options.ts'

/** How servers are checked, and the certificate to show to them. Throws `invalid` for files that can't be read. */
export function tlsOptions(options: NetOptions): ConnectionOptions {
  const read = (path: string) => {
    try {
      return readFileSync(path)
    } catch (error) {
      throw new AppError('invalid', `can't read ${path}: ${messageOf(error)}`, { cause: error })
    }
  }
  if ((options.clientCert === '') !== (options.clientKey === ''))
    throw new AppError('invalid', 'need both --client-cert and --client-key')
  return {
    rejectUnauthorized: !options.noCheckCertificate,
    ...(options.caCert.length === 0 ? {} : { ca: options.caCert.map(read) }),
    ...(options.clientCert === '' ? {} : { cert: read(options.clientCert), key: read(options.clientKey) }),
  }
}
