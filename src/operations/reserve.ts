import type { Context } from '../core/context.ts'
import type { FileEntry } from '../remote/remote.ts'
import type { Budget } from './budget.ts'
import { compareAsked, compareListed, modifyWindow } from './compare.ts'
import { copyFile } from './copy.ts'
import type { Ends } from './ends.ts'

/**
 * Looks for a file of the source in `--compare-dest`, where it is enough that it is there, and `--copy-dest`, from where it is
 * copied. Undefined when it has to come from the source.
 */
export async function fromReserve(
  ctx: Context,
  { compareDest, copyDest, source, target }: Ends,
  { file, path, budget }: { readonly file: FileEntry; readonly path: string; readonly budget: Budget },
): Promise<'copied' | 'found' | undefined> {
  for (const { remote, bridge } of [...compareDest, ...copyDest]) {
    const found = await remote.stat(ctx, path)
    if (found?.kind !== 'file') continue
    const [left, right] = [
      { remote: source, file },
      { remote, file: found },
    ]
    const window = modifyWindow(ctx, source, remote)
    const listed = compareListed(ctx, left, right, window)
    const verdict = listed === 'ask' ? await compareAsked(ctx, left, right, window) : listed
    if (verdict !== 'same') continue
    if (copyDest.length === 0) {
      ctx.log.debug('Destination found in --compare-dest, skipping', { object: file.path })
      return 'found'
    }
    await copyFile(ctx, { source: remote, file: found, target, path, bridge, budget })
    return 'copied'
  }
  return undefined
}
