import type { Context } from '../core/context.ts'
import type { Remote } from '../remote/remote.ts'
import { Faults } from './faults.ts'
import { walk } from './walk.ts'

/** `operations/size`: files, their bytes, and how many of them have no known size. */
export interface Size {
  readonly count: number
  readonly bytes: number
  readonly sizeless: number
}

/** Adds up all files. Throws when a folder could not be listed. */
export async function sizeOf(ctx: Context, remote: Remote): Promise<Size> {
  const faults = new Faults(ctx)
  let [count, bytes, sizeless] = [0, 0, 0]
  const failed = (error: Error, dir: string) => faults.log(dir, 'error listing: ', error)
  for await (const entry of walk(ctx, remote, { failed })) {
    if (entry.kind !== 'file') continue
    count++
    if (entry.size < 0) sizeless++
    else bytes += entry.size
  }
  faults.throw()
  return { count, bytes, sizeless }
}
