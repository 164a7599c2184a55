import { join } from '../base/path.ts'
import { toAppError } from '../base/error.ts'
import type { CanonicalPath } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { textResponse } from '../http/error.ts'
import { compose, type Handler, type HttpRequest, type HttpResponse, type Middleware } from '../http/message.ts'
import { encodePath } from '../http/target.ts'
import type { DirNode, FileNode, Node } from '../vfs/node.ts'
import { archive } from './archive.ts'
import { Files } from './file.ts'
import { Listings, type ListingSettings } from './listing.ts'
import type { OriginOptions } from './options.ts'
import type { Tree } from './tree.ts'
import { favicon, robots } from './well-known.ts'

/** What an origin is made from. */
export interface OriginParts {
  /** The tree to serve to this request; one for all, or one for each user. */
  readonly tree: (ctx: Context, request: HttpRequest) => Tree | Promise<Tree>
  readonly options: Pick<
    OriginOptions,
    | 'index'
    | 'disableDirList'
    | 'strictSlash'
    | 'disableZip'
    | 'zipMethod'
    | 'favicon'
    | 'robots'
    | 'noRange'
    | 'gpacMultirange'
  >
  readonly listing: ListingSettings
  /** Parts of files may be asked for (not with `--no-seek`). */
  readonly seekable: boolean
  /** Whether who asks may read what is at a path beside that of the request, such as a file that goes into a zip; all may be read without it. */
  readonly mayRead?: ((request: HttpRequest, path: string) => boolean) | undefined
  /** Whether who asks may add files to the folder of the request; nobody may without it. */
  readonly mayUpload?: ((request: HttpRequest) => boolean) | undefined
  /** A login is needed: search engines are told to stay away. */
  readonly locked: boolean
  /** Answers for what is not there, instead of our own 404. */
  readonly missing?: Handler
}

/** The layers around the router. Their order is `pipeline`'s business. */
export interface Around {
  readonly access: Middleware
  readonly headers: Middleware
  readonly hosts: Middleware
  readonly ready: Middleware
  readonly cors: Middleware
  readonly errors: Middleware
  readonly auth: Middleware
  readonly encoding: Middleware
}

/** Each request passes these in this order, the first outermost: what is refused early has still been logged and has its headers, and pages of other origins may read what failed. */
export function pipeline(handler: Handler, around: Around): Handler {
  return compose(
    handler,
    around.access,
    around.hosts,
    around.ready,
    around.headers,
    around.cors,
    around.errors,
    around.auth,
    around.encoding,
  )
}

/** How files are served by these options. */
export function filesOf({ noRange, gpacMultirange }: FileOptions, seekable: boolean): Files {
  return new Files(seekable ? (noRange ? 'none' : 'bytes') : 'silent', { joinsRanges: gpacMultirange })
}

type FileOptions = Pick<OriginOptions, 'noRange' | 'gpacMultirange'>

/** Serves a tree: files, listings, zips, and what browsers ask for unasked (serve-http.md 1.1). */
export function originHandler(parts: OriginParts): Handler {
  const { options } = parts
  const listings = new Listings(parts.listing)
  const mayRead = parts.mayRead ?? (() => true)
  const files = filesOf(options, parts.seekable)

  return function serveTree(ctx, request) {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(request)
    const tree = parts.tree(ctx, request)
    if (tree instanceof Promise) return tree.then((t) => find(ctx, request, t))
    const node = request.directory ? undefined : tree.peek(request.path)
    if (!node) return find(ctx, request, tree)
    if (ctx.log.enabled('info')) say(ctx, request, 'Serving file')
    return files.hot(ctx, request, node) ?? file(ctx, request, tree, node, true)
  }

  async function find(ctx: Context, request: HttpRequest, tree: Tree): Promise<HttpResponse> {
    const node = await tree.lookup(ctx, request.path)
    if (!node) return missing(ctx, request)
    if (node.kind === 'directory') return await directory(ctx, request, tree, node)
    if (request.directory) return textResponse(404, 'Not a directory')
    say(ctx, request, 'Serving file')
    return await file(ctx, request, tree, node)
  }

  async function file(
    ctx: Context,
    request: HttpRequest,
    tree: Tree,
    node: FileNode,
    keep = false,
  ): Promise<HttpResponse> {
    try {
      return await files.serve(ctx, request, node, keep)
    } catch (reason) {
      const { code, retry } = toAppError(reason)
      if (code !== 'not-found') throw reason
      // It changed between being found and being opened: serve what is there now, or nothing.
      const again = retry === 'now' ? await tree.lookup(ctx, request.path) : undefined
      return again?.kind === 'file' ? await files.serve(ctx, request, again) : missing(ctx, request)
    }
  }

  async function directory(ctx: Context, request: HttpRequest, tree: Tree, node: DirNode): Promise<HttpResponse> {
    const index = options.index === '' ? undefined : await indexOf(ctx, request, tree)
    if (options.disableDirList && !index) return textResponse(404, '404 page not found')
    if (!request.directory) return options.strictSlash ? textResponse(404, 'Not a file') : toSlash(request)
    if (index) return await file(ctx, request, tree, index)
    if (!options.disableZip && new URLSearchParams(request.query).get('download') === 'zip') {
      say(ctx, request, 'Zipping directory')
      return await archive(ctx, request, tree, node, {
        method: options.zipMethod,
        admits: (path) => mayRead(request, path),
      })
    }
    say(ctx, request, 'Serving directory')
    return await listings.answer(ctx, request, node, {
      admits: parts.mayRead && ((path) => mayRead(request, path)),
      upload: parts.mayUpload?.(request) ?? false,
    })
  }

  async function indexOf(ctx: Context, request: HttpRequest, tree: Tree): Promise<FileNode | undefined> {
    const path = join(request.path, options.index) as CanonicalPath
    const node: Node | undefined = mayRead(request, path) ? await tree.lookup(ctx, path) : undefined
    return node?.kind === 'file' ? node : undefined
  }

  function missing(ctx: Context, request: HttpRequest): HttpResponse | Promise<HttpResponse> {
    if (parts.missing) return parts.missing(ctx, request)
    if (request.path === 'favicon.ico' && !request.directory && options.favicon) return favicon()
    if (request.path === 'robots.txt' && !request.directory && (options.robots || parts.locked)) return robots()
    if (options.disableDirList) return textResponse(404, '404 page not found')
    const what = request.directory ? 'Directory not found' : 'File not found'
    say(ctx, request, what)
    return textResponse(404, what)
  }
}

function refuse({ method }: HttpRequest): HttpResponse {
  const allow = ['allow', 'GET, HEAD, OPTIONS']
  return method === 'OPTIONS' ? { status: 204, headers: allow } : textResponse(405, 'Method Not Allowed', allow)
}

/** Sends to the same place with a slash. The path is rebuilt from its segments, so that it cannot name another host. */
function toSlash(request: HttpRequest): HttpResponse {
  const query = request.query === '' ? '' : `?${request.query}`
  return textResponse(308, undefined, ['location', `${encodePath(request.base)}/${encodePath(request.path)}/${query}`])
}

function say(ctx: Context, { path, peer }: HttpRequest, what: string): void {
  if (ctx.log.enabled('info')) ctx.log.info(`${peer.address}:${peer.port}: ${what}`, { object: path })
}
