import { messageOf } from '../base/error.ts'
import { whenDone, headerOf, type HttpRequest, type HttpResponse, type Middleware, type Sent } from './message.ts'

export interface AccessSettings {
  readonly format: 'common' | 'combined' | 'json'
  /** Takes one line, without its line break. */
  readonly write: (line: string) => void
  /** The time, ms since 1970. */
  readonly now?: () => number
}

/**
 * Writes a line for each response when it is over: with the bytes that were really sent, and the time from the head of the
 * request to the last byte. Never shows credentials; control characters come out as `\xNN`.
 */
export function accessLog({ format, write, now = Date.now }: AccessSettings): Middleware {
  const line = format === 'json' ? jsonLine : clfLine(format === 'combined')
  return (next) =>
    function logAccess(ctx, request) {
      const began = now()
      const response = next(ctx, request)
      return whenDone(response, (answer) => {
        const { done } = answer
        return {
          ...answer,
          done(sent) {
            done?.(sent)
            try {
              write(line({ request, response: answer, sent, began, ended: now() }))
            } catch (reason) {
              ctx.log.error(`cannot write the access log: ${messageOf(reason)}`)
            }
          },
        }
      })
    }
}

interface Entry {
  readonly request: HttpRequest
  readonly response: HttpResponse
  readonly sent: Sent
  readonly began: number
  readonly ended: number
}

/** The Common Log Format, or the combined one, which has referrer and user agent as well. */
function clfLine(combined: boolean): (entry: Entry) => string {
  return ({ request, response, sent, began }) => {
    const parts = [
      request.peer.address || '-',
      '-',
      quoteless(request.user?.name || '-'),
      `[${clfTime(began)}]`,
      `"${quoted(requestLine(request))}"`,
      String(response.status),
      sent.bytes === 0 ? '-' : String(sent.bytes),
    ]
    if (combined)
      parts.push(
        `"${quoted(discreet(request.header('referer') ?? '-'))}"`,
        `"${quoted(request.header('user-agent') ?? '-')}"`,
      )
    return parts.join(' ')
  }
}

/** `GET /a?b HTTP/1.1`, or what is known of it. */
function requestLine(request: HttpRequest): string {
  const { method, rawPath, query, protocol } = request
  const target = query === '' ? rawPath : `${rawPath}?${discreet(query)}`
  return [method, target, protocol].filter((part) => part !== '').join(' ') || '-'
}

/** Parameters of URLs that hold what nobody else may know: of clients of radio servers, of links that are logins or signed. */
const secret = /(?<=^|[?&;])((?:[\w-]*[_-])?(?:pass(?:word)?|token|secret|sig|signature|api[_-]?key)=)[^&;#]*/gi

/** A query or URL without the secrets in it. */
function discreet(text: string): string {
  return text.replace(secret, '$1***')
}

function jsonLine({ request, response, sent, began, ended }: Entry): string {
  const referer = request.header('referer')
  return JSON.stringify({
    time: new Date(began).toISOString(),
    remote: request.peer.address,
    port: request.peer.port,
    user: request.user?.name,
    method: request.method,
    path: request.rawPath,
    query: request.query === '' ? undefined : discreet(request.query),
    protocol: request.protocol,
    host: request.peer.host,
    tls: request.peer.secure,
    status: response.status,
    bytes: sent.bytes,
    complete: sent.complete,
    ms: Math.round((ended - began) * 10) / 10,
    range: request.header('range'),
    type: headerOf(response.headers, 'content-type'),
    referer: referer === undefined ? undefined : discreet(referer),
    agent: request.header('user-agent'),
  }).replace(/[\u007f-\u009f\u2028\u2029]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** `03/Feb/2001:04:05:06 +0000`, UTC. */
function clfTime(ms: number): string {
  const [date = '', clock = ''] = new Date(ms).toISOString().split('T')
  const [year = '', month = '', day = ''] = date.split('-')
  return `${day}/${months[Number(month) - 1]}/${year}:${clock.slice(0, 8)} +0000`
}

/** The text as it may stand between double quotes: control characters, quotes and backslashes escaped. */
function quoted(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f"\\\u2028\u2029]/g, (c) =>
    c === '"' || c === '\\' ? `\\${c}` : hex(c),
  )
}

function quoteless(text: string): string {
  return quoted(text).replaceAll(' ', '\\x20')
}

function hex(c: string): string {
  const code = c.charCodeAt(0)
  return code > 0xff ? `\\u${code.toString(16)}` : `\\x${code.toString(16).padStart(2, '0')}`
}
