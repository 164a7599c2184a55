import { orAbort } from '../base/abort.ts'
import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { Events } from '../core/events.ts'
import { textResponse } from '../http/error.ts'
import type { Handler, HttpRequest, HttpResponse, Middleware } from '../http/message.ts'
import { adminPage } from './admin.ts'
import type { Reach } from '../net/guard.ts'
import { Channel } from './channel.ts'
import { Delays } from './delays.ts'
import { listen } from './listen.ts'
import { type Mount, type MountDefaults, parseMount } from './mount.ts'
import { publish, publishing } from './publish.ts'
import { playlist, statusPage } from './status.ts'
import { runSource, type Source } from './source.ts'

/** What the text of a mount may do that came over the network. */
export interface Trust {
  /** Run programs. */
  readonly exec: boolean
  /** Where URLs may lead to. */
  readonly reach: Reach
}

export interface LiveParts {
  /** Of the server. */
  readonly ctx: Context
  readonly events: Events
  /** Opens what a mount names as its source. */
  readonly sourceOf: (mount: Mount, trust?: Trust) => Source
  /** What mounts have that say nothing else. */
  readonly defaults: MountDefaults
  /** Origins whose web pages may publish; `*` = any. */
  readonly origins: readonly string[]
  /** The server asks for a login. */
  readonly locked: boolean
  /** `sluice/0.2.0` */
  readonly serverId: string
  readonly now?: () => number
}

/** The mounts of one server. */
export class Live {
  readonly delays = new Delays()
  /** When it began, ms since 1970. */
  readonly begun: number
  readonly #parts: LiveParts
  readonly #channels = new Map<string, Channel>()
  readonly #running = new Map<string, { readonly ending: AbortController; readonly over: Promise<void> }>()
  readonly #fallbacks = new Set<string>()
  readonly #now: () => number
  #id = 0

  constructor(parts: LiveParts) {
    this.#parts = parts
    this.#now = parts.now ?? Date.now
    this.begun = this.#now()
  }

  get channels(): readonly Channel[] {
    return [...this.#channels.values()]
  }

  /** There are no mounts now. */
  get isEmpty(): boolean {
    return this.#channels.size === 0
  }

  find(path: string): Channel | undefined {
    return this.#channels.get(path)
  }

  /** A path that publishers or listeners may use. */
  has(path: string): boolean {
    return this.#channels.has(path)
  }

  /** Adds a mount that a call describes as `--live` does. Throws as `start` and `parseMount` do. */
  add(text: string, trust: Trust): Channel {
    return this.start(parseMount(text, this.#parts.defaults), trust)
  }

  /** Adds a mount and begins its source. Throws `exists` when there is one at this path. */
  start(mount: Mount, trust?: Trust): Channel {
    if (this.#channels.has(mount.path)) throw new AppError('exists', `there is a live mount at /${mount.path} already`)
    if (mount.fallback !== undefined) this.#fallbacks.add(mount.fallback)
    const source = mount.source === '' ? undefined : this.#parts.sourceOf(mount, trust)
    const channel = new Channel({
      mount,
      find: (path) => this.#channels.get(path),
      isFallback: () => this.#fallbacks.has(mount.path),
      changed: () => this.#channels.forEach((one) => one.settle()),
      happened: (what, about) => this.#parts.events.publish('live', { mount: `/${mount.path}`, what, ...about }),
      passed: (bytes) => this.#parts.ctx.stats.passed(bytes),
      delays: this.delays,
      nextId: () => ++this.#id,
      now: this.#now,
    })
    this.#channels.set(mount.path, channel)
    if (source) this.#run(channel, source)
    return channel
  }

  #run(channel: Channel, source: Source): void {
    const { ctx } = this.#parts
    const ending = new AbortController()
    const signal = AbortSignal.any([ctx.signal, ending.signal])
    const over = runSource(channel, source, signal, ctx.log).catch(() => {})
    this.#running.set(channel.mount.path, { ending, over })
  }

  /** Resolves when the source of a mount has ended for good and all have heard it to its end. */
  async over(path: string, signal: AbortSignal): Promise<void> {
    await orAbort(signal, this.#running.get(path)?.over ?? Promise.resolve())
    await this.#channels.get(path)?.nobody(0, signal)
  }

  /** Takes a mount away: its publisher and its listeners are ended. Throws `not-found`. */
  async stop(path: string): Promise<void> {
    const channel = this.#channels.get(path)
    if (!channel) throw new AppError('not-found', `there is no live mount at /${path}`)
    this.#channels.delete(path)
    const running = this.#running.get(path)
    this.#running.delete(path)
    running?.ending.abort(new AppError('aborted', 'the mount was stopped'))
    channel.close()
    await running?.over
  }

  async close(): Promise<void> {
    await Promise.all([...this.#channels.keys()].map((path) => this.stop(path)))
  }

  /** Answers what is about mounts, and has `next` answer all else. */
  handler(next: Handler): Handler {
    return (ctx, request) => {
      if (this.isEmpty) return next(ctx, request)
      if (request.method === 'OPTIONS' && request.rawPath === '*') return options()
      const channel = request.directory ? undefined : this.#channels.get(request.path)
      if (channel) return this.#answer(ctx, request, channel)
      return this.#page(request) ?? next(ctx, request)
    }
  }

  /**
   * Lets through without a login what is meant for everybody: listening to mounts that are open, what is told about them, and
   * asking what this server can do. All else passes `guard` first.
   */
  guarded(guard: Middleware): Middleware {
    return (next) => {
      const inner = guard(next)
      return (ctx, request) => (this.#isFree(request) ? next : inner)(ctx, request)
    }
  }

  #isFree({ method, path, rawPath }: HttpRequest): boolean {
    if (this.isEmpty) return false
    if (method === 'OPTIONS') return rawPath === '*' || this.#channels.has(path)
    if (method !== 'GET' && method !== 'HEAD') return false
    const channel = this.#channels.get(path) ?? this.#channels.get(path.replace(/\.(?:m3u|xspf)$/, ''))
    if (channel) return channel.mount.open
    return path === 'status-json.xsl' && this.channels.some(({ mount }) => mount.open)
  }

  #page(request: HttpRequest): HttpResponse | Promise<HttpResponse> | undefined {
    if (request.directory || (request.method !== 'GET' && request.method !== 'HEAD')) return undefined
    const { locked } = this.#parts
    if (request.path === 'status-json.xsl') {
      const shown = locked && !request.user ? this.channels.filter(({ mount }) => mount.open) : this.channels
      return statusPage(shown, request, { begun: this.begun, serverId: this.#parts.serverId })
    }
    return adminPage(this, request, this.#parts) ?? playlist(this, request)
  }

  #answer(ctx: Context, request: HttpRequest, channel: Channel): HttpResponse | Promise<HttpResponse> {
    const { method } = request
    if (method === 'GET' || method === 'HEAD') return listen(ctx, request, channel)
    if (publishing.includes(method)) return publish(ctx, request, channel, this.#parts)
    return method === 'OPTIONS' ? options() : textResponse(405, 'Method Not Allowed', allow)
  }
}

const allow = ['allow', 'GET, HEAD, OPTIONS, PUT, POST, SOURCE']

function options(): HttpResponse {
  return { status: 204, headers: allow }
}
