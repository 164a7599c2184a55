import type { Body } from '../base/body.ts'
import { AppError, toAppError } from '../base/error.ts'
import { discard } from '../base/derive.ts'
import { isEntryName, join } from '../base/path.ts'
import { fromMs } from '../base/time.ts'
import type { Context } from '../core/context.ts'
import { type FileEntry, type Remote, rootText } from '../remote/remote.ts'
import { leaveOut } from './leave-out.ts'

/** A file that somebody sends. */
export interface Upload {
  /** Its name; it gets no further than the folder it goes to. */
  readonly name: string
  readonly body: Body
  readonly contentType?: string
}

/** Longer than any file system takes, and than any person wants. */
const LONGEST_NAME = 1024

/**
 * Stores a file that is sent, in a folder of the remote. Nothing is to be seen of it before all of its bytes are there. Throws
 * `usage` for a name that is none.
 */
export async function storeUpload(
  ctx: Context,
  { remote, dir }: { readonly remote: Remote; readonly dir: string },
  { name, body, contentType }: Upload,
): Promise<FileEntry | undefined> {
  if (!isEntryName(name) || name.length > LONGEST_NAME || hasControls(name))
    throw new AppError('usage', `${JSON.stringify(name.slice(0, 80))} can't be the name of a file`)
  const path = join(dir, name)
  if (await leaveOut(ctx, 'copy', { object: path })) {
    await discard(body)
    return undefined
  }
  const transfer = ctx.stats.transfer(path, -1, 'transfer', { dstFs: rootText(remote.info), dstRemote: path })
  try {
    const counted = transfer.account(body, () => ctx.signal)
    const type = contentType === undefined || contentType === '' ? {} : { contentType }
    const entry = await remote.put(ctx, path, counted, { modTime: fromMs(Date.now()), ...type })
    transfer.done()
    ctx.log.info('Copied (new)', { object: path })
    return entry
  } catch (reason) {
    const error = toAppError(reason)
    transfer.done(error)
    throw error
  }
}

function hasControls(name: string): boolean {
  // oxlint-disable-next-line no-control-regex -- they are what is looked for
  return /[\u0000-\u001f\u007f]/.test(name)
}
