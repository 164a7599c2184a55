import { AppError } from '../base/error.ts'
import { asCanonical, type CanonicalPath, isInside } from '../base/path.ts'
import { changedRequest } from '../http/changed-request.ts'
import type { Handler, HttpRequest } from '../http/message.ts'
import { textResponse } from '../http/error.ts'
import { encodePath } from '../http/target.ts'
import type { ShelfSettings } from '../media/shelf.ts'
import { type ShelfOptions, shelfOptions } from '../media/shelf-options.ts'
import type { OriginParts } from '../origin/origin.ts'
import { withoutSecrets } from './secrets.ts'
import type { ServerParts } from './server.ts'
import type { Trees } from './trees.ts'
import { liveTree, type Served, type ServedLive } from './writing.ts'

/** Most bytes of a live folder in memory when nothing else is said. */
const IN_MEMORY = 512 * 1024 * 1024

export interface LiveDirParts {
  /** What is served outside of live folders. */
  readonly served: Served
  readonly trees: Trees
  /** What the operator says of the caching of a path. */
  readonly rules: (path: string) => string | undefined
  /** What reads a tree. */
  readonly reading: (tree: OriginParts['tree']) => Handler
  /** A login is needed. */
  readonly locked: boolean
}

interface LiveDir extends ServedLive {
  readonly path: CanonicalPath
}

export interface LiveDirs extends Served {
  readonly paths: readonly string[]
  /** True for a path that lies in a live folder. */
  has(path: string): boolean
  close(): void
}

/** Puts the live folders of `--live-dir` in front of what is served. Throws `usage`, and what opening a remote throws. */
export async function withLiveDirs(parts: ServerParts, all: LiveDirParts): Promise<LiveDirs> {
  const options = parts.get(shelfOptions)
  const dirs: LiveDir[] = []
  for (const text of options.liveDir) dirs.push(await open(parts, all, text, options))
  // The innermost folder counts.
  dirs.sort((a, b) => b.path.length - a.path.length)
  const find = (path: string) => dirs.find((dir) => isInside(path, dir.path))
  const { served } = all
  return {
    paths: dirs.map(({ path }) => path),
    has: (path) => find(path) !== undefined,
    close() {
      for (const dir of dirs) dir.close()
    },
    caching(request) {
      const dir = find(request.path)
      return dir ? dir.caching(within(request, dir.path)) : served.caching(request)
    },
    handler(ctx, request) {
      const dir = find(request.path)
      if (!dir) return served.handler(ctx, request)
      if (request.path === dir.path && !request.directory)
        return textResponse(308, undefined, ['location', `${encodePath(request.base)}/${encodePath(dir.path)}/`])
      return dir.handler(ctx, within(request, dir.path))
    },
  }
}

/** The request as the folder sees it. */
function within(request: HttpRequest, dir: CanonicalPath): HttpRequest {
  const path = request.path.slice(dir.length + 1) as CanonicalPath
  return changedRequest(request, { path, base: `${request.base}/${dir}` })
}

async function open(
  parts: ServerParts,
  { trees, rules, reading, locked }: LiveDirParts,
  text: string,
  options: ShelfOptions,
): Promise<LiveDir> {
  const [, name = '', spec = ''] = /^\/*([^=]*?)\/*=(.+)$/.exec(text) ?? []
  if (name === '' || spec === '')
    throw new AppError('usage', `bad --live-dir ${JSON.stringify(text)}: write it as PATH=REMOTE:PATH or PATH=memory`)
  const path = asCanonical(name)
  const inMemory = spec === 'memory' || spec === 'gmem'
  const opened = await (
    await parts.remotes()
  ).open(inMemory ? `:memory:live/${path}` : spec, { exec: parts.exec ?? true })
  const remote = withoutSecrets(parts, opened)
  if (opened.info.traits.emptyDirectories) await remote.mkdir(parts.ctx, '')
  const tree = trees.over(remote, inMemory ? `:memory:live/${path}` : spec)
  const live = liveTree(parts, {
    remote,
    read: reading(() => tree),
    changed: (changed) => void tree.forget(changed),
    caching: (request) => rules(`${path}/${request.path}`),
    shelf: shelfSettings(options, opened.info.type === 'memory'),
    locked,
    place: path,
  })
  return { path, ...live }
}

function shelfSettings({ maxCacheSegs, maxCacheAge, maxCacheBytes }: ShelfOptions, inMemory: boolean): ShelfSettings {
  const most = maxCacheBytes < 0 ? Infinity : maxCacheBytes
  return {
    segments: maxCacheSegs === 0 ? Infinity : Math.abs(maxCacheSegs),
    age: maxCacheAge > 0 ? maxCacheAge : Infinity,
    bytes: most === Infinity && inMemory ? IN_MEMORY : most,
  }
}
