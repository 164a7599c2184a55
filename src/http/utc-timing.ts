import { nameOf } from '../base/path.ts'
import type { HttpRequest, HttpResponse, Middleware } from './message.ts'

/** Where players ask for the time, in any folder: manifests may name it beside themselves. */
const NAME = '.utc'

/**
 * Answers `/.utc` with the time, to the millisecond, for players of live streams to set their clocks by (ISO 23009-1, UTCTiming):
 * `http-iso:2014` and `http-xsdate:2014` get a date as text, `http-head:2014` the Date header; `?ms`, or a client that wants
 * JSON, milliseconds since 1970.
 */
export const utcTiming: Middleware = (next) =>
  function answerTime(ctx, request) {
    if (nameOf(request.path) !== NAME || request.directory || !['GET', 'HEAD'].includes(request.method))
      return next(ctx, request)
    return timeOf(request)
  }

function timeOf(request: HttpRequest): HttpResponse {
  const now = new Date()
  const query = new URLSearchParams(request.query)
  const form = query.get('form') ?? query.get('scheme') ?? request.query
  const headers = ['cache-control', 'no-store', 'server-utc', String(now.getTime())]
  if (/(?:^|[:-])head/.test(form)) return { status: 204, headers }
  const accept = request.header('accept') ?? ''
  if (/^json\b/.test(form) || (form === '' && accept.includes('application/json')))
    return {
      status: 200,
      headers: ['content-type', 'application/json', ...headers],
      body: `{"utc":${now.getTime()}}\n`,
    }
  const body = /^ms\b/.test(form) ? String(now.getTime()) : now.toISOString()
  return { status: 200, headers: ['content-type', 'text/plain; charset=utf-8', ...headers], body }
}
