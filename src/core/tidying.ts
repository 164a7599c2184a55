import type { Context } from './context.ts'

/** How long removing what is left of broken work may take, in ms. */
const TIDY_MS = 30_000

/**
 * Runs `work`. When it fails, `tidy` removes what it left, with a context of its own: the work may have been stopped. What goes
 * wrong with that is not told, for the error of the work is.
 */
export async function tidying<T>(
  ctx: Context,
  work: () => Promise<T>,
  tidy: (ctx: Context) => Promise<unknown>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await tidy(ctx.with({ signal: AbortSignal.timeout(TIDY_MS) })).catch(() => {})
    throw error
  }
}

/** A context that nobody stops: for a change of several steps, of which some alone would be worse than none or all. */
export function unstopped(ctx: Context): Context {
  return ctx.with({ signal: new AbortController().signal })
}
