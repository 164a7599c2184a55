import { globToRegex } from '../base/glob.ts'
import { AppError, messageOf } from '../base/error.ts'
import { Regex } from '../base/regex.ts'
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
 * Says how caches may keep what is served. An answer that says so itself, and one that is no success, is left alone, and all
 * for which `value` is undefined or `none`.
 */
export function cacheControl(value: (request: HttpRequest) => string | undefined): Middleware {
  return (next) =>
    function addCacheControl(ctx, request) {
      const said = value(request)
      if (said === undefined || said === 'none') return next(ctx, request)
      return whenDone(next(ctx, request), (response) => marked(response, said))
    }
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
