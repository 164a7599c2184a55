import { toAppError } from '../base/error.ts'
import type { Layer } from '../remote/remote.ts'
import { around } from './extend.ts'

/** One debug line for each storage call, with its duration. */
export function logged(now: () => number = () => performance.now()): Layer {
  return (inner) =>
    around(inner, async (ctx, op, call) => {
      if (!ctx.log.enabled('debug')) return await call()
      const start = now()
      const took = () => `${op.name} took ${Math.round(now() - start)} ms`
      try {
        const result = await call()
        ctx.log.debug(took(), { object: op.path })
        return result
      } catch (error) {
        ctx.log.debug(`${took()}: ${toAppError(error).message}`, { object: op.path })
        throw error
      }
    })
}
