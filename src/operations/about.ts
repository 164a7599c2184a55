import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { Remote, Usage } from '../remote/remote.ts'

/** What the storage knows of its space, keys in this order, without those it does not know. Throws `unsupported`. */
export async function usageOf(ctx: Context, remote: Remote): Promise<Usage> {
  if (!remote.about) throw new AppError('unsupported', `${remote.info.description} doesn't support about`)
  const usage = await remote.about(ctx)
  const keys = ['total', 'used', 'trashed', 'free', 'objects'] as const
  return Object.fromEntries(keys.flatMap((key) => (usage[key] === undefined ? [] : [[key, usage[key]]])))
}

/** A link by which everybody can read a path; or the end of that link. `expire` in ms. Throws `unsupported`. */
export async function publicLink(
  ctx: Context,
  remote: Remote,
  path: string,
  options: { readonly expire?: number; readonly unlink?: boolean } = {},
): Promise<string> {
  if (!remote.publicLink) throw new AppError('unsupported', `${remote.info.description} doesn't support public links`)
  return await remote.publicLink(ctx, path, options)
}
