import { globToRegex } from '../base/glob.ts'
import { AppError, messageOf } from '../base/error.ts'
import { Regex } from '../base/regex.ts'
import { changedRequest } from '../http/changed-request.ts'
import { headerOf, type HttpRequest, type HttpResponse, type Middleware, whenDone } from '../http/message.ts'

interface Rule {
  readonly matches: (path: string) => boolean
  readonly value: string
}

/**
 * The Cache-Control for a path by rules: `VALUE` for all files, `PATTERN VALUE` for those that match, the first that fits.
 * `none` stands for none at all. Throws `usage`.
 */
export function cacheRules(rules: readonly string[]): (path: string) => string | undefined {
  const all = rules.map(parse)
  return (path) => all.find(({ matches }) => matches(path))?.value
}

/**
 * Says how caches may keep what is served. `none` says nothing, and gives no cache an ETag to ask with. An answer that says so
 * itself, and one that is no success, is left alone, and all for which `value` is undefined.
 */
export function cacheControl(value: (request: HttpRequest) => string | undefined): Middleware {
  return (next) =>
    function addCacheControl(ctx, request) {
      const said = value(request)
      if (said === undefined) return next(ctx, request)
      if (said === 'none') return whenDone(next(ctx, unconditional(request)), unmarked)
      return whenDone(next(ctx, request), (response) => marked(response, said))
    }
}

/** What a cache asks to find out whether it may give what it has once more. */
const revalidation = new Set(['if-none-match', 'if-modified-since'])

function unconditional(request: HttpRequest): HttpRequest {
  const reads = request.method === 'GET' || request.method === 'HEAD'
  if (!reads || ![...revalidation].some((name) => request.header(name) !== undefined)) return request
  return changedRequest(request, { header: (name) => (revalidation.has(name) ? undefined : request.header(name)) })
}

function unmarked(response: HttpResponse): HttpResponse {
  const { headers } = response
  return { ...response, headers: headers.filter((_, i) => headers[i - (i % 2)] !== 'etag') }
}

function marked(response: HttpResponse, value: string): HttpResponse {
  const { status, headers } = response
  if ((status >= 300 && status !== 304) || headerOf(headers, 'cache-control') !== undefined) return response
  return { ...response, headers: [...headers, 'cache-control', value] }
}

function parse(rule: string): Rule {
  // A pattern has no blank in it, and a value does not begin with a wildcard, a dot or a slash.
  const [, pattern, value = ''] = /^\s*(?:([*/.?[{]\S*|\S*[*?[{]\S*)\s+)?(.*?)\s*$/.exec(rule) ?? []
  if (!/^[\t\u0020-\u007e]+$/.test(value)) throw new AppError('usage', `bad --cache-control ${JSON.stringify(rule)}`)
  if (pattern === undefined) return { matches: () => true, value }
  try {
    const regex = new Regex(globToRegex(pattern))
    return { matches: (path) => regex.test(path), value }
  } catch (error) {
    throw new AppError('usage', `bad pattern in --cache-control ${JSON.stringify(rule)}: ${messageOf(error)}`, {
      cause: error,
    })
  }
}
