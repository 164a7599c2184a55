import { createHash } from 'node:crypto'
import type { Headers } from '../../net/client.ts'
import { lockHeaders } from './lock.ts'
import type { S3Options } from './options.ts'

/** What is asked of the store for the objects of one remote: where and how they are kept. */
export interface Keeping {
  /** For new objects: ACL, storage class, encryption, lock. */
  stored(): Headers
  /** To read an object, and to upload its parts: the key that the store does not keep. */
  readonly opened: Headers
  /** To copy an object: that key for what is read. */
  readonly copied: Headers
  /** The ETag of an object in one piece is its MD5. */
  readonly etagIsMd5: boolean
}

/** The headers that the options ask for. */
export function keepingOf(options: S3Options): Keeping {
  const { acl, storageClass, serverSideEncryption, sseKmsKeyId } = options
  const opened = customerKey('x-amz-server-side-encryption-customer', options)
  const stored: Headers = {
    ...when('x-amz-acl', acl),
    ...when('x-amz-storage-class', storageClass),
    ...when('x-amz-server-side-encryption', serverSideEncryption),
    ...when('x-amz-server-side-encryption-aws-kms-key-id', sseKmsKeyId),
    ...opened,
  }
  lockHeaders(options)
  return {
    stored: () => ({ ...stored, ...lockHeaders(options) }),
    opened,
    copied: customerKey('x-amz-copy-source-server-side-encryption-customer', options),
    etagIsMd5: !serverSideEncryption.startsWith('aws:') && options.sseCustomerAlgorithm === '',
  }
}

function when(name: string, value: string): Headers {
  return value === '' ? {} : { [name]: value }
}

function customerKey(prefix: string, options: S3Options): Headers {
  const { sseCustomerAlgorithm, sseCustomerKey, sseCustomerKeyBase64, sseCustomerKeyMd5 } = options
  if (sseCustomerAlgorithm === '') return {}
  const key = sseCustomerKeyBase64 === '' ? Buffer.from(sseCustomerKey) : Buffer.from(sseCustomerKeyBase64, 'base64')
  const md5 = sseCustomerKeyMd5 === '' ? createHash('md5').update(key).digest('base64') : sseCustomerKeyMd5
  return {
    [`${prefix}-algorithm`]: sseCustomerAlgorithm,
    [`${prefix}-key`]: key.toString('base64'),
    [`${prefix}-key-md5`]: md5,
  }
}
