import { wait } from '../base/abort.ts'
import { type Body, bodyOf } from '../base/body.ts'
import { Bucket } from '../base/bucket.ts'
import { derive } from '../base/derive.ts'
import { bodyLength, type HttpResponse } from '../http/message.ts'
import type { HookReply } from './hook.ts'

/** The largest piece that is sent between two waits. */
const PIECE = 16 * 1024

/** Slows the body of a response down as a hook wants it. The waits end when `signal` aborts. */
export function throttled(
  response: HttpResponse,
  throttle: NonNullable<HookReply['throttle']>,
  signal: () => AbortSignal,
): HttpResponse {
  const { body } = response
  if (body === undefined) return response
  const length = response.length ?? bodyLength(body)
  const bucket = typeof throttle === 'number' ? new Bucket(throttle) : undefined
  const piece = Math.min(PIECE, bucket?.chunk ?? PIECE)
  const source = typeof body === 'string' || body instanceof Uint8Array ? bodyOf(body) : body

  async function* slowed(source: Body): AsyncGenerator<Uint8Array> {
    let done = 0
    for await (const chunk of source)
      for (let at = 0; at < chunk.length; at += piece) {
        const part = chunk.subarray(at, at + piece)
        const ms = typeof throttle === 'function' ? throttle(done, length ?? -1) : (bucket?.book(part.length) ?? 0)
        if (ms > 0) await wait(ms, signal())
        yield part
        done += part.length
      }
  }
  return { ...response, length, body: derive(source, slowed) }
}
