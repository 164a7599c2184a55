import { AppError } from '../base/error.ts'
import { isInside } from '../base/path.ts'
import type { Layer } from '../remote/remote.ts'
import { extend } from './extend.ts'

/** Hides some paths and all below them, and keeps them from being written: the server's own secrets that happen to lie inside what it serves. */
export function hidden(paths: ReadonlySet<string>): Layer {
  if (paths.size === 0) return (inner) => inner
  const hides = (path: string) => [...paths].some((secret) => isInside(path, secret))
  return (inner) =>
    extend(inner, {
      async *list(ctx, dir) {
        if (hides(dir)) throw new AppError('not-found', 'directory not found')
        for await (const entry of inner.list(ctx, dir)) if (!hides(entry.path)) yield entry
      },
      stat: async (ctx, path) => (hides(path) ? undefined : await inner.stat(ctx, path)),
      put: async (ctx, path, body, info) => {
        if (hides(path)) throw new AppError('denied', 'this name is not to be written')
        return await inner.put(ctx, path, body, info)
      },
      peek: (path) => (hides(path) ? undefined : inner.peek?.(path)),
    })
}
