import { STATUS_CODES, type ServerResponse } from 'node:http'
import type { HeaderList } from './message.ts'

/** Larger answers gain nothing from being one text. */
const LARGEST = 16 * 1024

/** An answer whose headers, a frozen list with Content-Length, are kept together with its body. */
export interface KeptAnswer {
  readonly status: number
  readonly headers: HeaderList
  readonly body: Uint8Array
  /** See `HttpResponse.again`. */
  again(): boolean
}

interface Made {
  /** The second for which the Date header is right. */
  readonly second: number
  readonly text: string
}

/**
 * Answers that are given many times, as whole texts that are made once a second. Node checks and joins each header of each
 * answer anew and copies the body behind them, which for a small file costs as much as all the rest of its work; here the
 * text takes the place of the head. That place (`_header`) has been the same since Node's first years but is no documented
 * one: a Node that lacks it gets the usual way.
 */
export class KeptAnswers {
  readonly #made = new WeakMap<HeaderList, Made>()
  /** What is announced to clients that keep the connection: `timeout=65`. Undefined when it is kept for ever. */
  readonly keepAlive: string | undefined

  /** `idleTimeout`: how long an idle connection is kept, ms; Infinity = for ever. */
  constructor(idleTimeout: number) {
    const seconds = Math.floor(idleTimeout / 1000)
    this.keepAlive = Number.isFinite(seconds) ? `timeout=${seconds}` : undefined
  }

  /** Sends a whole answer in one write; false when it has to go the usual way. */
  send(res: ServerResponse, answer: KeptAnswer): boolean {
    const place = res as unknown as { _header?: string | null; maxRequestsOnConnectionReached?: boolean }
    if (place._header !== null || !res.shouldKeepAlive || place.maxRequestsOnConnectionReached) return false
    const text = this.textOf(answer)
    if (text === undefined) return false
    res.statusCode = answer.status
    place._header = text
    res.end()
    return true
  }

  /** The answer as it goes out, each character a byte; undefined for one that is sent in another way. */
  textOf({ status, headers, body }: KeptAnswer): string | undefined {
    const second = Math.floor(Date.now() / 1000)
    const made = this.#made.get(headers)
    if (made?.second === second) return made.text
    if (body.length > LARGEST || headers.some((part) => /[^\t\u0020-\u007e]/.test(part))) return undefined
    const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status]}`]
    for (let i = 0; i < headers.length; i += 2) lines.push(`${headers[i]}: ${headers[i + 1]}`)
    lines.push(`Date: ${new Date(second * 1000).toUTCString()}`, 'Connection: keep-alive')
    if (this.keepAlive !== undefined) lines.push(`Keep-Alive: ${this.keepAlive}`)
    const head = `${lines.join('\r\n')}\r\n\r\n`
    const text = Buffer.concat([Buffer.from(head, 'latin1'), body]).toString('latin1')
    this.#made.set(headers, { second, text })
    return text
  }
}
