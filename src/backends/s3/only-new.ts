import type { Body } from '../../base/body.ts'
import { AppError, toAppError } from '../../base/error.ts'
import { KeyedLock } from '../../base/keyed-lock.ts'
import type { Context } from '../../core/context.ts'
import type { Headers } from '../../net/client.ts'
import { lastInTurn } from '../../remote/last-in-turn.ts'
import type { Place } from '../../remote/object-store.ts'
import type { PutInfo } from '../../remote/remote.ts'
import { findObject } from './find.ts'
import type { Store } from './store.ts'

/** What is known of a store's `If-None-Match: *`, and the names that are being made in one that may not know it. */
export interface Conditions {
  known: 'yes' | 'no' | 'maybe'
  readonly making: KeyedLock
}

export function conditionsOf(provider: string): Conditions {
  return { known: provider === 'AWS' ? 'yes' : 'maybe', making: new KeyedLock() }
}

/**
 * Makes an object of a body; with `ifAbsent` it throws `exists` where there is one. A store that knows no conditions is asked
 * before the end, and only the uploads of this process wait for each other then.
 */
export async function onlyNew<T>(
  ctx: Context,
  store: Store,
  { place, info, body }: { readonly place: Place; readonly info: PutInfo; readonly body: Body },
  make: (body: Body) => Promise<T>,
): Promise<T> {
  if (!info.ifAbsent) return await make(body)
  const name = `${place.bucket}/${place.key}`
  const taken = (cause?: unknown) => new AppError('exists', `${name} exists already`, { cause })
  const attempt = async (source: Body) => {
    try {
      return await make(source)
    } catch (reason) {
      if (toAppError(reason).code !== 'precondition') throw reason
      store.conditions.known = 'yes'
      throw taken(reason)
    }
  }
  const { known, making } = store.conditions
  if (known === 'yes') return await attempt(body)
  const check = async () => {
    if (await findObject(ctx, store, place)) throw taken()
  }
  return await lastInTurn({ lock: making, name, check }, body, attempt)
}

/** Sends what may be sent again on the condition that there is no such object, where one is asked for and the store knows it. */
export async function ifNew<T>(
  { conditions }: Store,
  { ifAbsent }: PutInfo,
  send: (headers: Headers) => Promise<T>,
): Promise<T> {
  if (!ifAbsent || conditions.known === 'no') return await send({})
  try {
    return await send({ 'if-none-match': '*' })
  } catch (reason) {
    if (toAppError(reason).code !== 'unsupported' || conditions.known === 'yes') throw reason
    conditions.known = 'no'
    return await send({})
  }
}
