import { AppError } from '../base/error.ts'
import { isInside } from '../base/path.ts'
import type { Layer, Remote } from '../remote/remote.ts'
import { extend } from './extend.ts'

/** Hides some paths and all below them, and keeps them from being written: the server's own secrets that happen to lie inside what it serves. */
export function hidden(paths: ReadonlySet<string>): Layer {
  if (paths.size === 0) return (inner) => inner
  const hides = (path: string) => [...paths].some((secret) => isInside(path, secret))
  const refuse = (path: string) => {
    if (hides(path)) throw new AppError('denied', 'this name is not to be written')
  }
  return (inner) =>
    extend(inner, {
      async *list(ctx, dir) {
        if (hides(dir)) throw new AppError('not-found', 'directory not found')
        for await (const entry of inner.list(ctx, dir)) if (!hides(entry.path)) yield entry
      },
      stat: async (ctx, path) => (hides(path) ? undefined : await inner.stat(ctx, path)),
      put: async (ctx, path, body, info) => {
        refuse(path)
        return await inner.put(ctx, path, body, info)
      },
      openWriter: async (ctx, path, info) => {
        refuse(path)
        return await (inner.openWriter as NonNullable<Remote['openWriter']>)(ctx, path, info)
      },
      peek: (path) => (hides(path) ? undefined : inner.peek?.(path)),
    })
}
