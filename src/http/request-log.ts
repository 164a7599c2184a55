import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { countedRequest } from './changed-request.ts'
import { isStoring } from './methods.ts'
import { type HttpRequest, type HttpResponse, type Middleware, type Sent, whenDone } from './message.ts'

/** The words of the option, and the methods that they stand for. */
const words: Readonly<Record<string, string>> = {
  GET: 'GET',
  HEAD: 'HEAD',
  PUT: 'PUT',
  POST: 'POST',
  PATCH: 'PATCH',
  DEL: 'DELETE',
  DELETE: 'DELETE',
  OPT: 'OPTIONS',
  OPTIONS: 'OPTIONS',
}

/** What is logged. */
interface Wanted {
  readonly methods: ReadonlySet<string> | 'all'
  /** The files that are written. */
  readonly files: boolean
  readonly ends: boolean
}

/**
 * Logs the begin and the end of requests as httpout does (httpout.md section 2, `reqlog`), whatever else is logged. `text` is
 * a list of methods, `*` or `REC`, behind a `-` when the ends are left out; `''` logs nothing. Throws `usage`.
 */
export function requestLog(text: string): Middleware {
  const { methods, files, ends } = parse(text)
  let count = 0
  return (next) =>
    text === ''
      ? next
      : (ctx, request) => {
          const logs = methods === 'all' || methods.has(request.method)
          const records = files && (isStoring(request) || request.method === 'DELETE')
          if (!logs && !records) return next(ctx, request)
          const line = new Line(ctx, request, ++count)
          if (logs) line.begin()
          const counted = records ? countedRequest(request) : undefined
          if (records) line.open()
          return whenDone(next(ctx, counted?.request ?? request), (response) => {
            if (counted) line.close(response, counted.bytes())
            return logs ? line.end(response, ends) : response
          })
        }
}

function parse(text: string): Wanted {
  const list = text.replace(/^-/, '').toUpperCase().split(',')
  const methods = new Set<string>()
  for (const word of list) {
    const method = words[word.trim()]
    if (method !== undefined) methods.add(method)
    else if (!['', '*', 'REC'].includes(word.trim()))
      throw new AppError('usage', `bad --req-log "${text}": use ${Object.keys(words).join(',')},REC or *`)
  }
  return { methods: list.includes('*') ? 'all' : methods, files: list.includes('REC'), ends: !text.startsWith('-') }
}

/** What is logged of one request. */
class Line {
  readonly #ctx: Context
  readonly #request: HttpRequest
  readonly #name: string
  readonly #began = performance.now()

  constructor(ctx: Context, request: HttpRequest, number: number) {
    this.#ctx = ctx
    this.#request = request
    this.#name = `${request.protocol === 'HTTP/2.0' ? 'H2 ' : ''}REQ#${number}`
  }

  begin(): void {
    const { peer, method, rawPath } = this.#request
    const range = this.#request.header('range')
    const part = range === undefined ? '' : ` [range: ${range}]`
    this.#ctx.log.notice(`${this.#name} ${peer.address || '-'} ${method} ${rawPath}${part} start`)
  }

  end(response: HttpResponse, ends: boolean): HttpResponse {
    const { done, status } = response
    return {
      ...response,
      done: (sent) => {
        done?.(sent)
        if (ends || status >= 400) this.#over(status, sent)
      },
    }
  }

  #over(status: number, { bytes, complete }: Sent): void {
    const { method, rawPath } = this.#request
    const { log } = this.#ctx
    if (status >= 400) return log.notice(`${this.#name} ${method} ${rawPath} error ${status}`)
    const ms = performance.now() - this.#began
    const rate = ms > 0 ? (bytes * 8) / 1000 / ms : 0
    const how = complete ? 'done' : 'aborted'
    log.notice(
      `${this.#name} ${method} ${how}: reply ${status} - ${bytes} bytes in ${Math.round(ms)} ms at ${rate.toFixed(1)} mbps`,
    )
  }

  /** A file begins to be written. */
  open(): void {
    if (isStoring(this.#request)) this.#ctx.log.notice(`${this.#name} REC ${this.#request.rawPath} open`)
  }

  /** It is written, or not. */
  close({ status }: HttpResponse, bytes: number): void {
    const { method, rawPath } = this.#request
    const what = method === 'DELETE' ? 'deleted' : `closed: ${bytes} bytes`
    this.#ctx.log.notice(`${this.#name} REC ${rawPath} ${status < 400 ? what : `failed: ${status}`}`)
  }
}
