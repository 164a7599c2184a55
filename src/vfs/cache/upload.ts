import { type Body, bodyOf } from '../../base/body.ts'
import { discard } from '../../base/derive.ts'
import { AppError, toAppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { hasher, hashKinds } from '../../remote/hash.ts'
import type { Remote } from '../../remote/remote.ts'
import type { VfsOptions } from '../options.ts'
import { fingerprintOf, sourceOf } from './fingerprint.ts'
import type { Item } from './item.ts'

/** How long the end of an upload of which every byte was sent is waited for when it is not wanted any more, ms. */
const GRACE_MS = 5000

type Settings = Pick<VfsOptions, 'fastFingerprint' | 'noChecksum'>

/**
 * Stores an item that waits. It becomes a copy of what is stored once the storage has confirmed size and checksum. Throws
 * what went wrong: the item waits on.
 */
export async function uploadItem(ctx: Context, remote: Remote, item: Item, settings: Settings): Promise<void> {
  const { path, size, modTime, contentType } = item
  if (!item.isWhole) item.source = await sourceOf(ctx, remote, item, settings.fastFingerprint)
  const transfer = ctx.stats.transfer(path, size)
  const kind = settings.noChecksum ? undefined : remote.info.hashes.find((one) => hashKinds.includes(one))
  const hash = kind === undefined ? undefined : hasher(kind)
  let allSent = false
  const { signal, done } = patient(ctx.signal, () => allSent)
  async function* sent(body: Body): AsyncGenerator<Uint8Array> {
    for await (const chunk of transfer.account(body, () => signal)) {
      hash?.update(chunk)
      yield chunk
    }
    allSent = true
  }
  let body: Body | undefined
  try {
    body = size === 0 ? bodyOf() : await opened(ctx, item)
    const info = { size, modTime, ...(contentType === undefined ? {} : { contentType }) }
    const stored = await remote.put(ctx.with({ signal }), path, sent(body), info)
    const theirs = kind === undefined ? undefined : stored.hashes?.[kind]
    const ours = hash?.digest()
    if ((stored.size >= 0 && stored.size !== size) || (theirs && theirs.toLowerCase() !== ours))
      throw new AppError('io', `corrupted on transfer: ${theirs ?? stored.size} is stored, ${ours ?? size} was sent`)
    await item.stored(stored, await fingerprintOf(ctx, remote, stored, settings.fastFingerprint))
    transfer.done()
    ctx.log.info('vfs cache: upload succeeded', { object: path })
  } catch (reason) {
    transfer.done(toAppError(reason))
    throw reason
  } finally {
    done()
    // A storage that failed before it asked for the first byte has left it open.
    await discard(body)
  }
}

/**
 * A signal for an upload that ends with `unwanted`, but not at once while the storage is about to store all that it was sent:
 * it may do so anyway, over what comes next. `done` when the upload is over.
 */
function patient(
  unwanted: AbortSignal,
  allSent: () => boolean,
): { readonly signal: AbortSignal; readonly done: () => void } {
  const stop = new AbortController()
  let timer: NodeJS.Timeout | undefined
  const end = () => {
    timer = setTimeout(() => stop.abort(unwanted.reason), allSent() ? GRACE_MS : 0)
  }
  if (unwanted.aborted) end()
  else unwanted.addEventListener('abort', end, { once: true })
  const done = () => {
    clearTimeout(timer)
    unwanted.removeEventListener('abort', end)
  }
  return { signal: stop.signal, done }
}

async function opened(ctx: Context, item: Item): Promise<Body> {
  await item.acquire()
  return await item.open(ctx, { start: 0, end: item.size })
}
