import { FileSlice } from '../base/body.ts'
import type { Body } from '../base/body.ts'
import { derive } from '../base/derive.ts'
import { toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { Transfer } from '../core/stats.ts'
import type { HttpResponse, Sent } from '../http/message.ts'

/** Adds the body to a response so that what the client takes of it is counted and held to the bandwidth limit. */
export function tracked(ctx: Context, response: HttpResponse, body: Body, transfer: Transfer): HttpResponse {
  const signal = () => ctx.signal
  let failure: unknown
  response.body =
    body instanceof FileSlice
      ? transfer.account(body, signal)
      : derive(body, async function* counted(source) {
          try {
            yield* transfer.account(source, signal)
          } catch (error) {
            failure = error
            throw error
          }
        })
  const before = response.done
  response.done = (sent: Sent) => {
    before?.(sent)
    const reason = body instanceof FileSlice ? body.failure : failure
    // A client that leaves is no error of ours: players do it each time somebody seeks.
    transfer.done(sent.complete || reason === undefined ? undefined : toAppError(reason))
  }
  return response
}
