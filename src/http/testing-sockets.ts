import { connect, type Socket } from 'node:net'
import { connect as tlsConnect, type ConnectionOptions } from 'node:tls'
import type { TestContext } from 'node:test'
import { recordingLogger, testContext } from '../core/testing.ts'
import { defaultsOf } from '../schema/option.ts'
import { listen, type Listening, type ListenSettings } from './listener.ts'
import type { Handler } from './message.ts'
import { httpOptions } from './options.ts'

/** A server on a free port, closed when the test ends. */
export interface TestServer extends Listening {
  readonly port: number
  /** What it logged. */
  readonly lines: readonly string[]
}

export async function serve(
  t: TestContext,
  handler: Handler,
  change: Partial<ListenSettings> & { signal?: AbortSignal } = {},
): Promise<TestServer> {
  const log = recordingLogger()
  const { signal = new AbortController().signal, ...settings } = change
  const listening = await listen(testContext({ log, signal }), handler, {
    ...defaultsOf(httpOptions),
    addr: ['127.0.0.1:0'],
    ...settings,
  })
  t.after(() => listening.close({ drainMs: 0 }))
  const port = Number(/:(\d+)$/.exec(listening.addresses[0] ?? '')?.[1] ?? 0)
  return {
    port,
    lines: log.lines,
    urls: listening.urls,
    addresses: listening.addresses,
    get connections() {
      return listening.connections
    },
    idle: listening.idle,
    reload: () => listening.reload(),
    close: (options) => listening.close(options),
  }
}

/** A connection that a test speaks over byte by byte. */
export class Raw {
  readonly socket: Socket
  text = ''
  closed = false
  readonly #waiting = new Set<() => void>()

  constructor(target: number | string, tls?: ConnectionOptions) {
    const to = typeof target === 'number' ? { port: target, host: '127.0.0.1' } : { path: target }
    this.socket = tls ? tlsConnect({ ...to, rejectUnauthorized: false, ...tls }) : connect(to)
    this.socket.setEncoding('latin1')
    this.socket.on('data', (chunk: string) => {
      this.text += chunk
      this.#wake()
    })
    this.socket.on('error', () => {})
    this.socket.on('end', () => this.#wake())
    this.socket.on('close', () => {
      this.closed = true
      this.#wake()
    })
  }

  send(text: string): this {
    this.socket.write(text, 'latin1')
    return this
  }

  /** Waits until `done` holds for what has come so far; fails after `ms`. */
  async until(done: (text: string) => boolean, ms = 5000): Promise<string> {
    const deadline = performance.now() + ms
    while (!done(this.text)) {
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`not in time; so far: ${JSON.stringify(this.text)}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, left)
        this.#waiting.add(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
    return this.text
  }

  /** All that came until the server closed. */
  async end(ms = 5000): Promise<string> {
    return await this.until(() => this.closed || this.socket.readableEnded, ms)
  }

  #wake(): void {
    for (const wake of this.#waiting) wake()
    this.#waiting.clear()
  }
}

/** Sends bytes on a connection of its own and gives all that comes until the server closes it. */
export async function talk(target: number | string, text: string, tls?: ConnectionOptions): Promise<string> {
  const raw = new Raw(target, tls).send(text)
  try {
    return await raw.end()
  } finally {
    raw.socket.destroy()
  }
}

/** `GET path HTTP/1.1` with a Host and `Connection: close`. */
export function get(path: string, ...headers: readonly string[]): string {
  return ['GET ' + path + ' HTTP/1.1', 'Host: x', 'Connection: close', ...headers, '', ''].join('\r\n')
}

/** The status of the first answer in a text. */
export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1] ?? 0)
}

/** The body of the first answer in a text. */
export function bodyOfAnswer(text: string): string {
  return text.slice(text.indexOf('\r\n\r\n') + 4)
}
