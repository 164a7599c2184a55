import type { Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { asCanonical, join } from '../../base/path.ts'
import type { Range } from '../../base/range.ts'
import type { Context } from '../../core/context.ts'
import { mainOptions } from '../../core/options.ts'
import { retry } from '../../layers/retry.ts'
import { headerPairs, HttpClient, type ClientResponse, type Headers } from '../../net/client.ts'
import { leave } from '../../net/response-body.ts'
import { statusError } from '../../net/status.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { download, lengthOf, strongTag, timeOf } from '../../remote/download.ts'
import type { Entry, FileEntry, Remote, RemoteInfo } from '../../remote/remote.ts'
import type { Values } from '../../schema/option.ts'
import type { httpOptions } from './index.ts'
import { links, type Link } from './listing.ts'

const SECOND = 1_000_000_000

/** A directory of a web server, to be read only. */
export class HttpRemote implements Remote {
  readonly info: RemoteInfo
  readonly #client: HttpClient
  readonly #root: URL
  readonly #options: Values<typeof httpOptions>
  readonly #headers: Headers

  private constructor(client: HttpClient, root: URL, args: OpenArgs<typeof httpOptions>) {
    this.#client = client
    this.#root = root
    this.#options = args.config
    this.#headers = headerPairs(args.config.headers)
    this.info = {
      name: args.name,
      type: 'http',
      root: args.root,
      description: `HTTP root at ${root.origin}${root.pathname}`,
      hashes: [],
      precision: SECOND,
      traits: {},
    }
  }

  static open(ctx: Context, args: OpenArgs<typeof httpOptions>): HttpRemote {
    const { url } = args.config
    if (url === '') throw new AppError('invalid', 'http backend: the option url is missing')
    const base = URL.parse(url.endsWith('/') ? url : `${url}/`)
    if (base?.protocol !== 'http:' && base?.protocol !== 'https:')
      throw new AppError('invalid', `http backend: "${url}" is not an http or https URL`)
    const client = HttpClient.of(ctx)
    return new HttpRemote(client, below(base, asCanonical(trimmed(args.root)), true, args.config.noEscape), args)
  }

  async *list(ctx: Context, dir: string): AsyncGenerator<Entry> {
    const response = await this.#get(ctx, this.#url(dir, true), {})
    if (!response.url.pathname.endsWith('/') || !isHtml(response)) {
      await leave(response.body)
      throw new AppError('not-directory', `${dir === '' ? 'the root' : dir} is not an index page`)
    }
    yield* this.#entries(ctx, dir, links(response.body, response.url))
  }

  async stat(ctx: Context, path: string): Promise<Entry | undefined> {
    if (path === '') return (await this.#exists(ctx, '')) ? directory('') : undefined
    const response = await this.#head(ctx, this.#url(path, false))
    if (response.status < 300) return this.#entry(path, response)
    if (response.status === 404 || response.status === 410)
      return (await this.#exists(ctx, path)) ? directory(path) : undefined
    // Names that a server finds too long or malformed cannot be there.
    if (response.status === 400 || response.status === 414) return undefined
    throw statusError(response.status, path, response.headers['retry-after'])
  }

  async open(ctx: Context, file: FileEntry, range?: Range): Promise<Body> {
    return await download(file, range, (headers) =>
      this.#client.request(ctx, {
        method: 'GET',
        url: this.#url(file.path, false),
        headers: { ...this.#headers, ...headers },
        follow: true,
      }),
    )
  }

  put(): Promise<never> {
    return refuse()
  }

  remove(): Promise<never> {
    return refuse()
  }

  mkdir(): Promise<never> {
    return refuse()
  }

  rmdir(): Promise<never> {
    return refuse()
  }

  async close(): Promise<void> {
    this.#client.close()
  }

  /** The entries that links stand for, looked up some at a time. */
  async *#entries(ctx: Context, dir: string, found: AsyncIterable<Link>): AsyncGenerator<Entry> {
    const most = Math.max(1, ctx.get(mainOptions).checkers)
    const waiting: Promise<Entry | undefined>[] = []
    try {
      for await (const link of found) {
        const entry = this.#linked(ctx, join(dir, link.name), link)
        entry.catch(() => {})
        waiting.push(entry)
        const first = waiting.length > most ? await waiting.shift() : undefined
        if (first) yield first
      }
      for (const entry of waiting.splice(0)) {
        const ready = await entry
        if (ready) yield ready
      }
    } finally {
      await Promise.allSettled(waiting)
    }
  }

  async #linked(ctx: Context, path: string, link: Link): Promise<Entry | undefined> {
    if (link.directory) return directory(path)
    if (this.#options.noHead && !this.#options.noSlash) return { kind: 'file', path, size: -1, modTime: 0n }
    const response = await this.#head(ctx, this.#url(path, false))
    if (response.status < 300) return this.#entry(path, response)
    ctx.log.debug(`left out: the server answered ${response.status}`, { object: path })
    return undefined
  }

  async #exists(ctx: Context, dir: string): Promise<boolean> {
    const { status, headers } = await this.#head(ctx, this.#url(dir, true))
    if (status < 300) return true
    if (status < 500 && status !== 401 && status !== 403 && status !== 429) return false
    throw statusError(status, dir, headers['retry-after'])
  }

  /** HEAD, or GET where there is no HEAD; errors that may pass are tried again. */
  async #head(ctx: Context, url: URL): Promise<ClientResponse> {
    const policy = { tries: 3, first: 50, longest: 1000, random: Math.random }
    return await retry(ctx, policy, async () => {
      const ask = async (method: string) => {
        const response = await this.#client.request(ctx, { method, url, headers: this.#headers, follow: true })
        await leave(response.body)
        return response
      }
      const response = await ask('HEAD')
      return response.status === 405 || response.status === 501 ? await ask('GET') : response
    })
  }

  async #get(ctx: Context, url: URL, headers: Headers): Promise<ClientResponse> {
    return await this.#client.fetch(ctx, {
      method: 'GET',
      url,
      headers: { ...this.#headers, ...headers },
      follow: true,
    })
  }

  #entry(path: string, response: ClientResponse): Entry {
    const { headers, url } = response
    // Most servers redirect a directory to its name with a slash; without slashes only the type tells.
    const isDirectory = url.pathname.endsWith('/') || (this.#options.noSlash && isHtml(response))
    if (isDirectory) return directory(path)
    return {
      kind: 'file',
      path,
      size: lengthOf(headers['content-length']),
      modTime: timeOf(headers['last-modified']) ?? 0n,
      contentType: headers['content-type'],
      version: strongTag(headers.etag),
    }
  }

  #url(path: string, asDirectory: boolean): URL {
    return below(this.#root, path, asDirectory && !(this.#options.noSlash && path !== ''), this.#options.noEscape)
  }
}

function refuse(): Promise<never> {
  return Promise.reject(new AppError('denied', 'an http remote can only be read'))
}

function directory(path: string): Entry {
  return { kind: 'directory', path, modTime: 0n }
}

/** The URL of a path below a directory's. */
function below(base: URL, path: string, asDirectory: boolean, raw: boolean): URL {
  if (path === '') return base
  const shown = raw ? path : path.split('/').map(encodeURIComponent).join('/')
  const url = new URL(base)
  url.pathname = `${base.pathname.replace(/\/$/, '')}/${shown}${asDirectory ? '/' : ''}`
  return url
}

function trimmed(path: string): string {
  return path.replace(/^\/+|\/+$/g, '')
}

function isHtml({ headers }: ClientResponse): boolean {
  return /^(text\/html|application\/xhtml\+xml)\b/i.test(headers['content-type'] ?? '')
}
