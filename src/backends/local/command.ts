import { AppError } from '../../base/error.ts'
import type { Json } from '../../base/json.ts'

/**
 * The one command of the local disk, `noop`: with the option `echo` it gives back what it was called with, with `error` it
 * fails so. Throws `unsupported` for any other.
 */
export function runCommand(name: string, args: readonly string[], opt: Readonly<Record<string, string>>): Json {
  if (name !== 'noop') throw new AppError('unsupported', 'command not found')
  if (opt.error !== undefined) throw new AppError('invalid', opt.error === '' ? 'unspecified error' : opt.error)
  return opt.echo === undefined ? null : { name, arg: [...args], opt: { ...opt } }
}
