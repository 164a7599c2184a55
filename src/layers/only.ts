import { AppError } from '../base/error.ts'
import type { Layer } from '../remote/remote.ts'
import { extend } from './extend.ts'

/** Shows one file of a directory and nothing else: how a root that is a file is served. */
export function only(name: string): Layer {
  return (inner) =>
    extend(inner, {
      async *list(ctx, dir) {
        if (dir !== '') throw new AppError('not-found', 'directory not found')
        const entry = await inner.stat(ctx, name)
        if (entry) yield entry
      },
      stat: async (ctx, path) => (path === name || path === '' ? await inner.stat(ctx, path) : undefined),
      peek: (path) => (path === name ? inner.peek?.(path) : undefined),
    })
}
