import { LRUCache } from 'lru-cache'
import { AppError, toAppError } from '../base/error.ts'
import { asCanonical, type CanonicalPath } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import { changedRequest } from '../http/changed-request.ts'
import { headerOf, type HttpRequest, type HttpResponse } from '../http/message.ts'
import { decodePath, encodePath } from '../http/target.ts'
import { archive } from '../origin/archive.ts'
import { Files } from '../origin/file.ts'
import { Listings } from '../origin/listing.ts'
import type { Tree } from '../origin/tree.ts'
import type { DirEntry, Layer, Remote } from '../remote/remote.ts'
import { parseSpec } from '../remote/spec.ts'
import type { Template } from '../template/template.ts'
import type { DirNode } from '../vfs/node.ts'
import { vfsOptions } from '../vfs/options.ts'
import { Vfs } from '../vfs/vfs.ts'
import { errorAnswer, errorObject } from './error.ts'
import type { Page } from './handler.ts'
import type { Services } from './services.ts'

export interface ObjectsParts {
  readonly services: Services
  /** There is a login, or `--rc-no-auth`: whoever gets here may read everything. */
  readonly allowed: boolean
  /** Pages of other origins may show what is served (`--rc-allow-origin`). */
  readonly shared: boolean
  /** Times are shown in listings (not with `--rc-serve-no-modtime`). */
  readonly modTimes: boolean
  /** Page of listings (`--rc-template`). */
  readonly template?: Template
  /** Leaves out what is never served: the program's own files. */
  readonly cover: Layer
}

/** Remotes whose trees are kept at a time. */
const MOST_TREES = 32

const AUTH = 'requires authentication to be set up on the rc server or the --rc-no-auth flag'

/** What `--rc-serve` shows: remotes and what is in them at `/[fs]/path`, the list of remotes at `/*` and `/` (rc.md 1.7). */
export class Objects {
  readonly #parts: ObjectsParts
  readonly #files = new Files('bytes')
  readonly #listings: Listings
  readonly #roots: Listings
  readonly #trees = new LRUCache<Remote, Vfs>({
    max: MOST_TREES,
    dispose: (vfs) => void vfs.close().catch(() => {}),
  })

  constructor(parts: ObjectsParts) {
    this.#parts = parts
    const { modTimes, template } = parts
    const page = template ? { template } : {}
    this.#listings = new Listings({ zip: true, modTimes, ...page })
    this.#roots = new Listings({ zip: false, modTimes: false, title: 'List of all rclone remotes.', ...page })
  }

  /** `GET /[fs]/path` */
  readonly object: Page = async (ctx, request) => {
    const place = placeOf(request)
    if (!place) return undefined
    try {
      const tree = this.#tree(await this.#open(place.fs))
      return guarded(await this.#serve(ctx, changedRequest(request, place), place, tree), this.#parts)
    } catch (error) {
      return this.#failed(error, place.path)
    }
  }

  /** `GET /*` */
  readonly list: Page = (ctx, request) => (request.path === '*' ? this.#list(ctx, request) : undefined)

  /** `GET /` */
  readonly home: Page = (ctx, request) => (request.path === '' ? this.#list(ctx, request) : undefined)

  close(): void {
    this.#trees.clear()
  }

  async #open(fs: string): Promise<Remote> {
    const { services, allowed } = this.#parts
    const refused = refusal(fs, allowed)
    if (refused) throw new AppError('denied', refused)
    try {
      const remote = await (await services.remotes()).open(fs, { exec: services.allowExec })
      if ((await remote.stat(services.ctx, ''))?.kind === 'file')
        throw new AppError('invalid', 'is a file not a directory')
      return remote
    } catch (reason) {
      const error = toAppError(reason)
      throw new AppError(error.code === 'denied' ? 'denied' : 'io', `failed to make Fs: ${error.message}`, {
        cause: error,
      })
    }
  }

  #tree(remote: Remote): Tree {
    const { services, cover } = this.#parts
    let vfs = this.#trees.get(remote)
    if (!vfs) {
      const options = services.ctx.get(vfsOptions)
      // A call may have changed the storage a moment ago: what does not tell of its changes is asked each time.
      const dirCacheTime = remote.info.traits.isLocal ? options.dirCacheTime : 0
      const own = { ...options, dirCacheTime, pollInterval: 0, refresh: false }
      vfs = new Vfs(services.ctx, cover(remote), own, services.ctx.get(mainOptions).bufferSize)
      this.#trees.set(remote, vfs)
    }
    const tree = vfs
    return {
      peek: (path) => tree.peek(path),
      async lookup(ctx, path) {
        // A tree has a root even where there is nothing.
        const knows = path === '' && remote.info.traits.emptyDirectories
        return knows && !(await remote.stat(ctx, '')) ? undefined : await tree.lookup(ctx, path)
      },
    }
  }

  async #serve(ctx: Context, request: HttpRequest, place: Place, tree: Tree): Promise<HttpResponse> {
    const node = await tree.lookup(ctx, place.path)
    if (place.directory) return await this.#directory(ctx, request, tree, node)
    if (!node) throw missingObject()
    if (node.kind === 'directory') return toSlash(request, place)
    if (request.header('service-worker') !== undefined)
      throw new AppError('denied', 'objects of a remote are no service workers')
    try {
      return await this.#files.serve(ctx, request, node)
    } catch (error) {
      throw toAppError(error).code === 'not-found' ? missingObject() : error
    }
  }

  async #directory(
    ctx: Context,
    request: HttpRequest,
    tree: Tree,
    node: Awaited<ReturnType<Tree['lookup']>>,
  ): Promise<HttpResponse> {
    try {
      if (node?.kind !== 'directory') throw new AppError('not-found', 'directory not found')
      if (new URLSearchParams(request.query).get('download') === 'zip')
        return await archive(ctx, request, tree, node, { method: 'store' })
      return await this.#listings.answer(ctx, request, node)
    } catch (reason) {
      const { code, message } = toAppError(reason)
      const said = code === 'not-found' ? 'directory not found' : message
      throw new AppError(code, `failed to list directory: ${said}`, { cause: reason })
    }
  }

  async #list(ctx: Context, request: HttpRequest): Promise<HttpResponse> {
    try {
      if (!this.#parts.allowed) throw new AppError('denied', `listing the remotes ${AUTH}`)
      const names = (await this.#parts.services.config()).sections()
      const entries = names.map((name): DirEntry => ({ kind: 'directory', path: `[${name}:]`, modTime: 0n }))
      const node: DirNode = {
        kind: 'directory',
        entry: { kind: 'directory', path: '', modTime: 0n },
        entries: () => Promise.resolve(entries),
        scan: () => {
          throw new AppError('unsupported', 'there are no more')
        },
      }
      return await this.#roots.answer(
        ctx,
        changedRequest(request, { path: '' as CanonicalPath, directory: true }),
        node,
      )
    } catch (error) {
      return this.#failed(error, request.path)
    }
  }

  #failed(reason: unknown, path: string): HttpResponse {
    const error = toAppError(reason)
    // Whoever may not see a disk must not learn where on it things are.
    const tells = this.#parts.allowed || !/(?:^|[^\w.])[/\\]\w/.test(error.message)
    const shown = tells ? error : new AppError(error.code, 'failed to serve this')
    return errorAnswer(errorObject(shown, path, null))
  }
}

interface Place {
  readonly fs: string
  readonly path: CanonicalPath
  /** The directory is asked for, not the object. */
  readonly directory: boolean
}

/** The remote and the path in it that a URL path `/[fs]path` names; undefined for all others. */
function placeOf(request: HttpRequest): Place | undefined {
  const { path, base, rawPath, directory } = request
  const end = path.indexOf(']')
  if (!path.startsWith('[') || end < 0) return undefined
  // Slashes in a row mean something within a remote (`http://`): its text is taken from what was sent.
  const sent = base.includes('[') ? path : (decodePath(rawPath) ?? path)
  const fs = sent.slice(sent.indexOf('[') + 1, sent.indexOf(']'))
  const rest = path.slice(end + 1).replace(/^\//, '')
  return { fs, path: asCanonical(rest), directory: rest === '' || directory }
}

/** Why a remote may not be served: only what the operator has set up is, when everybody may come in (security.md T1). */
function refusal(fs: string, allowed: boolean): string | undefined {
  let spec
  try {
    spec = parseSpec(fs)
  } catch {
    return allowed ? undefined : `serving local paths ${AUTH}`
  }
  const keys = spec.kind === 'local' ? [] : Object.keys(spec.overrides)
  const global = keys.find((key) => /^(?:global|override)\./.test(key))
  if (global !== undefined) return `setting ${JSON.stringify(global)} on a served remote is not allowed`
  if (allowed) return undefined
  if (spec.kind === 'local') return `serving local paths ${AUTH}`
  if (spec.kind === 'inline') return `serving inline remotes ${AUTH}`
  return keys.length > 0 ? `serving remotes with connection string parameters ${AUTH}` : undefined
}

function missingObject(): AppError {
  return new AppError('not-found', 'failed to find object: object not found')
}

/** Sends to the same place with a slash; rebuilt from its parts, so that it cannot name another host. */
function toSlash({ base, query }: HttpRequest, { fs, path }: Place): HttpResponse {
  const location = `${encodePath(base)}/${encodeURIComponent(`[${fs}]`)}/${encodePath(path)}/`
  return { status: 308, headers: ['location', query === '' ? location : `${location}?${query}`] }
}

/** Types that a browser only shows or plays; whatever else could be a page that runs scripts. */
const harmless =
  /^(?:image\/(?!svg)|video\/|audio\/|font\/|application\/(?:pdf|zip|octet-stream|json)\b|text\/plain\b)/i

/**
 * What others have stored stands on the origin of the remote control: it must not run there with the rights of whoever
 * looks at it (security.md T4).
 */
function guarded(response: HttpResponse, { shared }: ObjectsParts): HttpResponse {
  const { headers } = response
  if (headerOf(headers, 'x-content-type-options') === undefined) headers.push('x-content-type-options', 'nosniff')
  headers.push('cross-origin-resource-policy', shared ? 'cross-origin' : 'same-origin')
  const type = headerOf(headers, 'content-type')
  if (type !== undefined && !harmless.test(type) && headerOf(headers, 'content-security-policy') === undefined)
    headers.push('content-security-policy', 'sandbox')
  return response
}
