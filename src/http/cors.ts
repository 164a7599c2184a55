import type { Logger } from '../core/log.ts'
import { whenDone, type HeaderList, type HttpRequest, type HttpResponse, type Middleware } from './message.ts'

export interface CorsSettings {
  /** Origins that may read what is served; `*` = any. */
  readonly origins: readonly string[]
  /** `on`: any origin, on every response. `auto`: any, when a request names its origin. `off`: only `origins`. Default off. */
  readonly mode?: 'on' | 'off' | 'auto'
  /** Methods that a preflight allows, `GET, HEAD, OPTIONS`: always, or at the time. */
  readonly methods: string | (() => string)
  readonly log: Logger
}

const MAX_AGE = '86400'
/** `*` does not hold for requests with a login, so that those which players need stand beside it (live.md 3.5). */
const EXPOSED =
  '*, Date, Age, Content-Length, Content-Range, Accept-Ranges, ETag, Server-UTC, Server-Timing, CMSD-Static, CMSD-Dynamic, ' +
  'icy-metaint, icy-name, icy-br, icy-genre, icy-url, icy-description'
/** Headers that players and uploads send. */
const ALLOWED =
  'Range, Authorization, Content-Type, Icy-MetaData, CMCD-Request, CMCD-Object, CMCD-Status, CMCD-Session, If-None-Match'

/**
 * Lets web pages of other origins read responses, errors included, and answers their preflight requests with 204 before
 * anybody asks for a login (Fetch Standard, section "CORS protocol"). Logs a warning when any origin is allowed by name `*`.
 */
export function cors({ origins, mode = 'off', methods, log }: CorsSettings): Middleware {
  const allow = rule(origins, mode)
  if (allow === undefined) return (next) => next
  if (origins.includes('*'))
    log.warn(
      '--allow-origin * lets every web page read what is served; name the origins instead when that is not meant',
    )
  return (next) =>
    function addCors(ctx, request) {
      const added = allow(request.header('origin'))
      if (isPreflight(request)) return preflight(request, added, typeof methods === 'string' ? methods : methods())
      return whenDone(next(ctx, request), (response) => withHeaders(response, added))
    }
}

/** The headers that say whether an origin may read; undefined = CORS is off. */
function rule(
  origins: readonly string[],
  mode: 'on' | 'off' | 'auto',
): ((origin: string | undefined) => HeaderList) | undefined {
  const expose = ['access-control-expose-headers', EXPOSED]
  const any = ['access-control-allow-origin', '*', 'timing-allow-origin', '*', ...expose]
  const varied = ['vary', 'origin']
  if (mode === 'on' || origins.includes('*')) return () => any
  if (mode === 'auto') return (origin) => (origin === undefined ? varied : [...allowed(origin), ...varied])
  const [only] = origins
  if (only === undefined) return undefined
  if (origins.length === 1) {
    const always = allowed(only)
    return () => always
  }
  const known = new Set(origins)
  return (origin) => (origin !== undefined && known.has(origin) ? [...allowed(origin), ...varied] : varied)
  function allowed(origin: string): HeaderList {
    return ['access-control-allow-origin', origin, 'timing-allow-origin', origin, ...expose]
  }
}

/** True for the question of a browser whether a page may make a request; it never carries credentials. */
export function isPreflight(request: HttpRequest): boolean {
  return (
    request.method === 'OPTIONS' &&
    request.header('origin') !== undefined &&
    request.header('access-control-request-method') !== undefined
  )
}

function preflight(request: HttpRequest, added: HeaderList, methods: string): HttpResponse {
  const list = ['access-control-allow-methods', methods, 'access-control-max-age', MAX_AGE]
  const asked = request.header('access-control-request-headers')
  // `*` does not cover Authorization, so that the names asked for are given back.
  if (asked !== undefined && /^[!#$%&'*+.^_`|~0-9A-Za-z, -]+$/.test(asked))
    list.push('access-control-allow-headers', asked, 'vary', 'access-control-request-headers')
  else list.push('access-control-allow-headers', ALLOWED)
  return { status: 204, headers: [...list, ...added] }
}

function withHeaders(response: HttpResponse, added: HeaderList): HttpResponse {
  return { ...response, headers: [...response.headers, ...added] }
}
