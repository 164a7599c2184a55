import { AppError, toAppError } from '../base/error.ts'
import type { Json } from '../base/json.ts'
import type { Context } from '../core/context.ts'
import type { Remote } from '../remote/remote.ts'

/** Something that only one kind of storage can do: its name, arguments and options. */
export interface BackendCommand {
  readonly name: string
  readonly args: readonly string[]
  readonly opt: Readonly<Record<string, string>>
}

/** Has a storage do what only it can. Throws `unsupported` for one that has no such commands. */
export async function backendCommand(ctx: Context, remote: Remote, { name, args, opt }: BackendCommand): Promise<Json> {
  if (!remote.command) throw new AppError('unsupported', `${remote.info.description}: doesn't support backend commands`)
  try {
    return await remote.command(ctx, name, args, opt)
  } catch (reason) {
    const error = toAppError(reason)
    const options = { cause: error, ...(error.stop ? { stop: error.stop } : {}) }
    throw new AppError(error.code, `command ${JSON.stringify(name)} failed: ${error.message}`, options)
  }
}
