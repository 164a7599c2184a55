import { AppError } from '../../base/error.ts'

/** What the JSON file under the name of a file in chunks says. */
export interface Metadata {
  /** Bytes of all chunks. */
  readonly size: number
  readonly chunks: number
  readonly md5?: string
  readonly sha1?: string
  /** The transaction in the names of the chunks, `''` when they have none. */
  readonly txn: string
}

/** A file that is larger is not one of these. */
export const LONGEST = 255
/** The newest version of the format; one without a transaction is of version 1. */
const VERSION = 2

/** The text of the file, as rclone writes it. */
export function formatMetadata({ size, chunks, md5, sha1, txn }: Metadata): string {
  return JSON.stringify({
    ver: txn === '' ? 1 : VERSION,
    size,
    nchunks: chunks,
    ...(md5 === undefined ? {} : { md5 }),
    ...(sha1 === undefined ? {} : { sha1 }),
    ...(txn === '' ? {} : { txn }),
  })
}

/**
 * What a small file says; undefined when it is any file of somebody. Strict, so that hardly any is taken for one of these by
 * accident. Throws `unsupported` for what a later version has written.
 */
export function parseMetadata(bytes: Uint8Array): Metadata | undefined {
  const text = Buffer.from(bytes).toString()
  if (bytes.length > LONGEST || !text.startsWith('{') || !text.endsWith('}')) return undefined
  const fields = fieldsOf(text)
  const { ver, size, nchunks, md5 = '', sha1 = '', txn = '' } = fields ?? {}
  if (!isCount(ver) || !isCount(size) || !isCount(nchunks) || ver < 1) return undefined
  if (typeof txn !== 'string' || !isHash(md5, 32) || !isHash(sha1, 40)) return undefined
  if (ver > VERSION) throw new AppError('unsupported', 'this file in chunks was written by a newer version')
  if (nchunks < 1) return undefined
  return { size, chunks: nchunks, ...(md5 === '' ? {} : { md5 }), ...(sha1 === '' ? {} : { sha1 }), txn }
}

/** True for bytes that would be taken for metadata when they are read. */
export function looksLikeMetadata(bytes: Uint8Array): boolean {
  try {
    return parseMetadata(bytes) !== undefined
  } catch {
    return true
  }
}

function fieldsOf(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return undefined
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isHash(value: unknown, length: number): value is string {
  return value === '' || (typeof value === 'string' && value.length === length && /^[0-9a-fA-F]+$/.test(value))
}
