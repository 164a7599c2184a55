import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { checkSums, type SumCheckOptions } from '../../operations/sum-file.ts'
import type { CommandIo } from '../command.ts'
import { conclude } from './conclude.ts'

/** A path to be checked, and the list of checksums that it is compared with; both may be on any remote. */
export interface SumList {
  /** As in `hashKinds`. */
  readonly kind: string
  readonly list: string
  readonly text: string
}

/** Compares a path with a list of checksums, logs the totals and throws when there were differences. */
export async function compareSums(
  io: CommandIo,
  ctx: Context,
  { kind, list, text }: SumList,
  options: SumCheckOptions,
): Promise<void> {
  const remotes = await io.remotes()
  const [source, target] = [await remotes.openAt(list), await remotes.openAt(text)]
  if (!source.file) throw new AppError('not-found', `not a file of checksums: ${list}`)
  const sums = { remote: source.remote, path: source.file.path, kind }
  const result = await checkSums(ctx, target.remote, sums, options)
  conclude(ctx, result, { source: list, target: target.remote.info.description })
}
