import { setTimeout as sleep } from 'node:timers/promises'
import type { Body } from './body.ts'
import { AppError } from './error.ts'

/** The error for work that ended because its signal did; the signal's reason is the cause, unless it is an AppError itself. */
export function abortError(signal: AbortSignal): AppError {
  const reason: unknown = signal.reason
  return reason instanceof AppError ? reason : new AppError('aborted', 'stopped before the end', { cause: reason })
}

/** Throws when the signal has aborted. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw abortError(signal)
}

/** The value of `promise`, or an `aborted` error as soon as the signal aborts. What `promise` does later is ignored. */
export async function orAbort<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  if (signal.aborted) {
    promise.catch(() => {})
    throw abortError(signal)
  }
  return await new Promise<T>((resolve, reject) => {
    const abort = () => reject(abortError(signal))
    signal.addEventListener('abort', abort, { once: true })
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** Passes a body on and ends with an `aborted` error as soon as the signal aborts, even while the source keeps it waiting. */
export async function* abortable(body: Body, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const source = body[Symbol.asyncIterator]()
  let ended = false
  try {
    for (;;) {
      const { done, value } = await orAbort(signal, source.next())
      if (done) {
        ended = true
        return
      }
      yield value
    }
  } finally {
    // A source that hangs must not keep whoever left it waiting.
    if (!ended) source.return?.().catch(() => {})
  }
}

/** Waits for `ms`. Throws an `aborted` error as soon as the signal aborts. */
export async function wait(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {
    throw abortError(signal)
  })
}
