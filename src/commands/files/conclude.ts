import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import type { CheckResult } from '../../operations/check.ts'

/** Logs the totals of a check under what was compared, and throws when there were differences. */
export function conclude(ctx: Context, result: CheckResult, names: { source: string; target: string }): void {
  const say = (object: string, text: string) => ctx.log.notice(text, { object })
  const { source, target } = names
  const { differences, missingOnSource, missingOnTarget, matches, unhashed } = result
  if (missingOnTarget > 0) say(target, `${missingOnTarget} files missing`)
  if (missingOnSource > 0) say(source, `${missingOnSource} files missing`)
  say(target, `${differences} differences found`)
  const { errors } = ctx.stats.snapshot() as { readonly errors: number }
  if (errors > 0) say(target, `${errors} errors while checking`)
  if (unhashed > 0) say(target, `${unhashed} hashes could not be checked`)
  if (matches > 0) say(target, `${matches} matching files`)
  if (differences > 0) throw new AppError('io', `${differences} differences found`)
}
