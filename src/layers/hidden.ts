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
  /** What is done to a whole directory is done to what lies in it. */
  const refuseTree = (dir: string) => {
    refuse(dir)
    if ([...paths].some((secret) => isInside(secret, dir)))
      throw new AppError('denied', 'something in this directory is not to be touched')
  }
  return (inner) =>
    extend(inner, {
      async *list(ctx, dir) {
        if (hides(dir)) throw new AppError('not-found', 'directory not found')
        for await (const entry of inner.list(ctx, dir)) if (!hides(entry.path)) yield entry
      },
      async *listRecursive(ctx, dir) {
        if (hides(dir)) throw new AppError('not-found', 'directory not found')
        for await (const entry of inner.listRecursive?.(ctx, dir) ?? []) if (!hides(entry.path)) yield entry
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
      copy: async (ctx, file, to) => {
        refuse(to)
        return await (inner.copy as NonNullable<Remote['copy']>)(ctx, file, to)
      },
      move: async (ctx, file, to) => {
        refuse(to)
        return await (inner.move as NonNullable<Remote['move']>)(ctx, file, to)
      },
      moveDirectory: async (ctx, from, to) => {
        refuseTree(from)
        refuseTree(to)
        await inner.moveDirectory?.(ctx, from, to)
      },
      purge: async (ctx, dir) => {
        refuseTree(dir)
        await inner.purge?.(ctx, dir)
      },
      mkdir: async (ctx, dir) => {
        refuse(dir)
        await inner.mkdir(ctx, dir)
      },
      peek: (path) => (hides(path) ? undefined : inner.peek?.(path)),
    })
}
