import { toAppError } from '../base/error.ts'
import { isFile } from '../operations/missing.ts'
import type { Remote } from '../remote/remote.ts'
import type { Call } from './method.ts'

/** Opens the remote of a call that is about a folder, there or not. Throws `not-directory` for one that names a file. */
export async function openFolder(call: Call, spec: string): Promise<Remote> {
  const { folders } = call.services
  const remote = await call.open(spec)
  if (folders.has(remote)) return remote
  const root = await remote.stat(call.ctx, '')
  if (root?.kind === 'file') throw isFile()
  if (!remote.info.traits.isLocal) folders.add(remote)
  return remote
}

/** What work on a folder gives; an error for a file in its place says so, without the words of the system. */
export async function onFolder<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (reason) {
    throw toAppError(reason).code === 'not-directory' ? isFile() : reason
  }
}
