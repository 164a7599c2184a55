import { join } from '../../src/base/path.ts'
import type { Entry, FileEntry, Remote } from '../../src/remote/remote.ts'
import { asCanonical } from '../../src/base/path.ts'

/** A remote seen from one of its directories, so that the suite can run below the root of a remote whose root is special. */
export function rooted(inner: Remote, dir: string): Remote {
  const full = (path: string) => join(dir, path === '' ? '' : asCanonical(path))
  const shown = <E extends Entry>(entry: E): E => ({ ...entry, path: entry.path.slice(dir.length + 1) })
  const deep = <E extends Entry>(entry: E): E => ({ ...entry, path: full(entry.path) })
  const { copy, move, moveDirectory, purge, hash, setModTime, watch } = bound(inner)
  return {
    info: inner.info,
    async *list(ctx, path) {
      for await (const entry of inner.list(ctx, full(path))) yield shown(entry)
    },
    async stat(ctx, path) {
      const entry = await inner.stat(ctx, full(path))
      return entry && shown(entry)
    },
    open: (ctx, file, range) => inner.open(ctx, deep(file), range),
    put: async (ctx, path, body, info) => shown(await inner.put(ctx, full(path), body, info)),
    remove: (ctx, file) => inner.remove(ctx, deep(file)),
    mkdir: async (ctx, path) => await inner.mkdir(ctx, full(path)),
    rmdir: (ctx, path) => inner.rmdir(ctx, full(path)),
    copy: copy && (async (ctx, file, to) => shown(await copy(ctx, deep(file), full(to)))),
    move: move && (async (ctx, file, to) => shown(await move(ctx, deep(file), full(to)))),
    moveDirectory: moveDirectory && ((ctx, from, to) => moveDirectory(ctx, full(from), full(to))),
    purge: purge && ((ctx, path) => purge(ctx, full(path))),
    hash: hash && ((ctx, file: FileEntry, kind) => hash(ctx, deep(file), kind)),
    setModTime: setModTime && ((ctx, entry, time) => setModTime(ctx, deep(entry), time)),
    watch: watch && ((path, changed) => watch(full(path), changed)),
  }
}

function bound(remote: Remote) {
  return {
    copy: remote.copy?.bind(remote),
    move: remote.move?.bind(remote),
    moveDirectory: remote.moveDirectory?.bind(remote),
    purge: remote.purge?.bind(remote),
    hash: remote.hash?.bind(remote),
    setModTime: remote.setModTime?.bind(remote),
    watch: remote.watch?.bind(remote),
  }
}
