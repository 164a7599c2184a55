import { AppError } from '../base/error.ts'
import { asCanonical, type CanonicalPath, isInside, join } from '../base/path.ts'
import { changedRequest } from '../http/changed-request.ts'
import type { Handler, HttpRequest } from '../http/message.ts'
import { textResponse } from '../http/error.ts'
import { encodePath } from '../http/target.ts'
import type { ShelfSettings } from '../media/shelf.ts'
import { type ShelfOptions, shelfOptions } from '../media/shelf-options.ts'
import type { OriginParts } from '../origin/origin.ts'
import type { Mount } from './mounts.ts'
import { withoutSecrets } from './secrets.ts'
import type { ServerParts } from './server.ts'
import type { Trees } from './trees.ts'
import { type Answers, type LiveAnswers, liveTree, type MayWrite } from './writing.ts'

/** Most bytes of a live folder in memory when nothing else is said. */
const IN_MEMORY = 512 * 1024 * 1024

/** A folder of URLs for live media; its name is the path. */
export interface LiveDir extends Mount {
  readonly name: CanonicalPath
}

/** Opens what `--live-dir` names, the innermost folders first. Throws `usage`, and what opening a remote throws. */
export async function openLiveDirs(parts: ServerParts): Promise<readonly LiveDir[]> {
  const dirs: LiveDir[] = []
  for (const text of parts.get(shelfOptions).liveDir) dirs.push(await open(parts, text))
  return dirs.sort((a, b) => b.name.length - a.name.length)
}

async function open(parts: ServerParts, text: string): Promise<LiveDir> {
  const [, path = '', place = ''] = /^\/*([^=]*?)\/*=(.+)$/.exec(text) ?? []
  if (path === '' || place === '')
    throw new AppError('usage', `bad --live-dir ${JSON.stringify(text)}: write it as PATH=REMOTE:PATH or PATH=memory`)
  const name = asCanonical(path)
  const spec = place === 'memory' || place === 'gmem' ? `:memory:live/${name}` : place
  const opened = await (await parts.remotes()).open(spec, { exec: parts.exec ?? true })
  const remote = withoutSecrets(parts, opened)
  if (opened.info.traits.emptyDirectories) await remote.mkdir(parts.ctx, '')
  return { name, spec, remote }
}

export interface LiveDirsParts {
  /** What is served outside of live folders. */
  readonly outside: Answers
  readonly trees: Trees
  /** What the operator says of the caching of a path. */
  readonly rules: (path: string) => string | undefined
  /** What reads the tree of a live folder. */
  readonly reading: (tree: OriginParts['tree'], dir: string) => Handler
  /** A login is needed. */
  readonly locked: boolean
  readonly mayWrite: MayWrite | undefined
}

export interface ServedLiveDirs extends Answers {
  /** True for a path that lies in a live folder. */
  has(path: string): boolean
  close(): void
}

/** Puts live folders in front of what is served. */
export async function withLiveDirs(
  parts: ServerParts,
  dirs: readonly LiveDir[],
  all: LiveDirsParts,
): Promise<ServedLiveDirs> {
  const served: (LiveAnswers & Pick<LiveDir, 'name'>)[] = []
  for (const dir of dirs) served.push({ name: dir.name, ...(await answersOf(parts, dir, all)) })
  // The innermost folder counts.
  const find = (path: string) => served.find(({ name }) => isInside(path, name))
  const { outside } = all
  return {
    has: (path) => find(path) !== undefined,
    close() {
      for (const dir of served) dir.close()
    },
    caching(request) {
      const dir = find(request.path)
      return dir ? dir.caching(within(request, dir.name)) : outside.caching(request)
    },
    handler(ctx, request) {
      const dir = find(request.path)
      if (!dir) return outside.handler(ctx, request)
      if (request.path === dir.name && !request.directory)
        return textResponse(308, undefined, ['location', `${encodePath(request.base)}/${encodePath(dir.name)}/`])
      return dir.handler(ctx, within(request, dir.name))
    },
  }
}

/** The request as the folder sees it. */
function within(request: HttpRequest, dir: CanonicalPath): HttpRequest {
  const path = request.path.slice(dir.length + 1) as CanonicalPath
  return changedRequest(request, { path, base: `${request.base}/${dir}` })
}

async function answersOf(
  parts: ServerParts,
  { name, spec, remote }: LiveDir,
  { trees, rules, reading, locked, mayWrite }: LiveDirsParts,
): Promise<LiveAnswers> {
  const tree = trees.over(remote, spec)
  return await liveTree(parts, {
    remote,
    read: reading(() => tree, name),
    changed: (changed) => void tree.forget(changed),
    caching: (request) => rules(join(name, request.path)),
    shelf: shelfSettings(parts.get(shelfOptions), remote.info.type === 'memory'),
    locked,
    mayWrite: mayWrite && ((request, path) => mayWrite(request, join(name, path))),
    place: name,
  })
}

function shelfSettings({ maxCacheSegs, maxCacheAge, maxCacheBytes }: ShelfOptions, inMemory: boolean): ShelfSettings {
  const most = maxCacheBytes < 0 ? Infinity : maxCacheBytes
  return {
    segments: maxCacheSegs === 0 ? Infinity : Math.abs(maxCacheSegs),
    age: maxCacheAge > 0 ? maxCacheAge : Infinity,
    bytes: most === Infinity && inMemory ? IN_MEMORY : most,
  }
}
