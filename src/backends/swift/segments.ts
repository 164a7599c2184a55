import { randomInt } from 'node:crypto'
import type { Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import type { Headers } from '../../net/client.ts'
import type { Place } from '../../remote/object-store.ts'
import { pathOf, type SwiftClient } from './client.ts'
import type { Listed } from './object.ts'

/** Swift takes no more in one object. */
export const LARGEST = 5 * 1024 ** 3

/** The container for the segments of another one, as rclone keeps them. */
function segmentsOf(bucket: string): string {
  return `${bucket}_segments`
}

/** The place that the segments of a dynamic large object have in common; undefined for other objects. */
export function manifestOf(headers: Headers): Place | undefined {
  const [bucket, ...names] = headers['x-object-manifest']?.split('/').map(decodeURIComponent) ?? []
  return bucket === undefined ? undefined : { bucket, key: names.join('/') }
}

/** As `manifestOf`, if the segments are those of this object alone, as far as can be told by where they lie. */
export function ownSegments(place: Place, headers: Headers): Place | undefined {
  const found = manifestOf(headers)
  if (found?.bucket === segmentsOf(place.bucket)) return found
  // Where rclone keeps them when it is told to use no other container.
  return found?.bucket === place.bucket && found.key.startsWith('.file-segments/') ? found : undefined
}

/** The header that makes an empty object stand for its segments. */
export function manifestHeader(prefix: Place): Headers {
  return { 'x-object-manifest': pathOf(prefix) }
}

/** A place for the segments of a new version of an object, which no other upload has. `now` is in ms. */
export function newSegments({ bucket, key }: Place, size: number | undefined, now: number): Place {
  const seconds = `${(now / 1000).toFixed(3)}${String(randomInt(1_000_000)).padStart(6, '0')}`
  return { bucket: segmentsOf(bucket), key: `${key}/${seconds}/${size ?? -1}` }
}

/** Stores the bytes of a body as segments below a place, one after the other. */
export async function sendSegments(
  ctx: Context,
  client: SwiftClient,
  body: Body,
  {
    prefix,
    size,
    chunkSize,
  }: { readonly prefix: Place; readonly size: number | undefined; readonly chunkSize: number },
): Promise<void> {
  const source = new Segments(body)
  try {
    for (let index = 0, left = size ?? Infinity; left > 0 && !(await source.ended()); index++) {
      const length = Math.min(chunkSize, left)
      left -= length
      const place = segment(prefix, index)
      const known = size === undefined ? undefined : length
      await client.send(ctx, { method: 'PUT', place, body: source.next(length), length: known })
    }
    // The source tells of bytes that are missing, or too many, when it is asked for more than was announced.
    await source.ended()
  } finally {
    await source.leave()
  }
}

/** Copies all segments of an object to another place. */
export async function copySegments(ctx: Context, client: SwiftClient, from: Place, to: Place): Promise<void> {
  let index = 0
  for await (const place of listSegments(ctx, client, from)) {
    const headers = { 'x-copy-from': `/${pathOf(place)}` }
    await client.send(ctx, { method: 'PUT', place: segment(to, index++), headers, length: 0 })
  }
}

/** Removes all segments below a place; those that are gone already are no error. */
export async function removeSegments(ctx: Context, client: SwiftClient, prefix: Place): Promise<void> {
  for (const place of await Array.fromAsync(listSegments(ctx, client, prefix)))
    await client.send(ctx, { method: 'DELETE', place }).catch((error: unknown) => {
      if (!(error instanceof AppError && error.code === 'not-found')) throw error
    })
}

async function* listSegments(ctx: Context, client: SwiftClient, { bucket, key }: Place): AsyncGenerator<Place> {
  for (let marker = ''; ;) {
    const query = { prefix: `${key}/`, ...(marker === '' ? {} : { marker }) }
    const page = await client.json<Listed>(ctx, { bucket, key: '' }, query)
    for (const { name = '' } of page) yield { bucket, key: name }
    marker = page.at(-1)?.name ?? ''
    if (marker === '') return
  }
}

function segment({ bucket, key }: Place, index: number): Place {
  return { bucket, key: `${key}/${String(index).padStart(8, '0')}` }
}

/** Gives the bytes of one body as several. */
class Segments {
  readonly #source: AsyncIterator<Uint8Array>
  #rest: Uint8Array | undefined

  constructor(body: Body) {
    this.#source = body[Symbol.asyncIterator]()
  }

  /** Whether there are no more bytes. */
  async ended(): Promise<boolean> {
    while (this.#rest === undefined || this.#rest.length === 0) {
      const { done, value } = await this.#source.next()
      if (done) return true
      this.#rest = value
    }
    return false
  }

  async leave(): Promise<void> {
    await this.#source.return?.()
  }

  /** The next bytes, at most `length` of them. */
  async *next(length: number): AsyncGenerator<Uint8Array> {
    for (let left = length; left > 0 && !(await this.ended());) {
      const chunk = this.#rest ?? new Uint8Array()
      const part = chunk.subarray(0, left)
      this.#rest = chunk.subarray(part.length)
      left -= part.length
      // Looked at before it is given away: a segment is whole only when the source did not fail right behind it.
      if (left === 0) await this.ended()
      yield part
    }
  }
}
