import { abortable } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import { hasher, hashKinds } from './hash.ts'
import type { PutInfo } from './remote.ts'

/**
 * The bytes of an upload on their way into storage: throws when the source has more or fewer bytes than announced, another
 * checksum, fails, or when the signal aborts, so that a store which commits at the end of this body never commits a part.
 */
export async function* incoming(body: Body, info: PutInfo, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const expected = info.size === undefined || info.size < 0 ? undefined : info.size
  const checks = Object.entries(info.hashes ?? {})
    .filter(([kind, value]) => value !== '' && hashKinds.includes(kind))
    .map(([kind, value]) => ({ kind, value: value.toLowerCase(), hash: hasher(kind) }))
  let size = 0
  for await (const chunk of abortable(body, signal)) {
    size += chunk.length
    if (expected !== undefined && size > expected)
      throw new AppError('invalid', `the source has more than the ${expected} bytes it announced`)
    for (const { hash } of checks) hash.update(chunk)
    yield chunk
  }
  if (expected !== undefined && size < expected)
    throw new AppError('invalid', `the source ended after ${size} of ${expected} bytes`)
  for (const { kind, value, hash } of checks)
    if (hash.digest() !== value) throw new AppError('io', `corrupted on transfer: ${kind} hashes differ`)
}

/**
 * A body that keeps its last chunk until it has ended well: a store that takes a file as whole once it has the announced bytes
 * never has them of a source that turns out to be wrong at its end. `see` gets each chunk as it comes.
 */
export async function* heldBack(body: Body, see?: (chunk: Uint8Array) => unknown): AsyncGenerator<Uint8Array> {
  let last: Uint8Array | undefined
  for await (const chunk of body) {
    if (chunk.length === 0) continue
    see?.(chunk)
    if (last) yield last
    last = chunk
  }
  if (last) yield last
}
