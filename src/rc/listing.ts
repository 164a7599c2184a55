import { AppError, toAppError } from '../base/error.ts'
import { ordered, orderedItems } from '../base/json.ts'
import { hashKind } from '../operations/hashsum.ts'
import { listInBatches, type ListItem, listOne, type ListOptions } from '../operations/list.ts'
import { directoryNotFound, isFile } from '../operations/missing.ts'
import { openFolder } from './folder.ts'
import type { RcListOptions } from './list-options.ts'
import type { Call } from './method.ts'

interface Wanted {
  readonly fs: string
  readonly remote: string
  readonly opt?: RcListOptions | undefined
}

/** The entries of a folder, as `operations/list` gives them. */
export async function listFolder(call: Call, { fs, remote: path, opt = {} }: Wanted): Promise<readonly ListItem[]> {
  const remote = await openFolder(call, fs)
  const { listings } = call.services
  const options: ListOptions = { ...chosen(opt), list: async (...folder) => await listings.list(...folder) }
  const items: ListItem[] = []
  try {
    for await (const batch of listInBatches(call.ctx, remote, path, options)) items.push(...batch)
  } catch (reason) {
    const error = toAppError(reason)
    if (error.code === 'aborted') throw error
    const { message } = error.code === 'not-directory' ? isFile() : error
    throw new AppError(error.code, `error in ListJSON: ${message}`, { cause: error })
  }
  return orderedItems(items)
}

/** One entry, as `operations/stat` gives it; null when there is none. Throws `not-found` for a root that is not there. */
export async function statPath(call: Call, { fs, remote: path, opt = {} }: Wanted): Promise<ListItem | null> {
  const remote = await openFolder(call, fs)
  const options = chosen(opt)
  if (path === '' && !opt.filesOnly && !(await remote.stat(call.ctx, ''))) throw directoryNotFound()
  const item = await listOne(call.ctx, remote, path, options)
  return item ? ordered(item) : null
}

function chosen(opt: RcListOptions): ListOptions {
  const { hashTypes = [] } = opt
  for (const kind of hashTypes) hashKind(kind)
  // Who names kinds wants to see them.
  return hashTypes.length > 0 ? { ...opt, showHash: true } : opt
}
