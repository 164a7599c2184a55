import type { RcApi } from './method.ts'
import type { methods } from './methods/index.ts'

/** The methods by path, with the types of their parameters and answers. */
export type Api = RcApi<typeof methods>

/** Parameters that every call may have. */
export interface Special {
  /** Stats group of the call. */
  readonly _group?: string
  /** Options for this call, named as in `options/get` main. */
  readonly _config?: Readonly<Record<string, unknown>>
  /** Filters for this call, named as in `options/get` filter. */
  readonly _filter?: Readonly<Record<string, unknown>>
}

export type Input<P extends keyof Api> = Api[P]['input'] & Special
/** What a method answers; some fields of some methods are known only at run time. */
export type Output<P extends keyof Api> = Api[P]['output'] & Readonly<Record<string, unknown>>

/** The input may be left out where nothing in it is needed. */
type Args<P extends keyof Api> = {} extends Api[P]['input']
  ? [input?: Input<P>, settings?: CallSettings]
  : [input: Input<P>, settings?: CallSettings]

export interface ClientSettings {
  /** Where the remote control is, with its `--rc-baseurl`: `http://localhost:5572/`. */
  readonly url: string | URL
  readonly user?: string
  readonly pass?: string
  /** Sent with every call. */
  readonly headers?: Readonly<Record<string, string>>
  /** In the place of the `fetch` of the environment. */
  readonly fetch?: typeof fetch
}

export interface CallSettings {
  /** Ends the call, and what it does there. */
  readonly signal?: AbortSignal
  /** The body of the request, for methods that read it (`operations/uploadfile`); the input then goes into the URL. */
  readonly body?: RequestInit['body']
}

/** What was wrong with a call. An Error with these fields: there is no class of its own. */
export interface RcError extends Error {
  readonly name: 'RcError'
  readonly path: string
  /** HTTP status; 0 when the job of the call is gone. */
  readonly status: number
  /** The parameters as the server understood them. */
  readonly input: unknown
}

/** A job that was begun. */
export interface StartedJob<P extends keyof Api> {
  readonly jobid: number
  readonly executeId: string
  /** Resolves with the answer when the job has ended. When the signal aborts, the job is stopped. */
  result(settings?: { readonly signal?: AbortSignal }): Promise<Output<P>>
  stop(): Promise<void>
}

export interface Client {
  /** Calls a method and waits for its answer. Throws an RcError. */
  call<P extends keyof Api>(path: P, ...args: Args<P>): Promise<Output<P>>
  /** Begins a method as a job of its own: for what takes longer than a connection lives. Throws an RcError. */
  start<P extends keyof Api>(path: P, ...args: Args<P>): Promise<StartedJob<P>>
  /** Calls a method for the HTTP response alone: for answers that are streams (`core/command`). Throws no RcError. */
  request<P extends keyof Api>(path: P, ...args: Args<P>): Promise<Response>
}

/**
 * A client of the remote control of Sluice, or of rclone, for Node.js, browsers and other places with `fetch`.
 *
 *     const rc = rcClient({ url: 'http://localhost:5572/', user: 'me', pass: 'secret' })
 *     const { remotes } = await rc.call('config/listremotes')
 */
export function rcClient(settings: ClientSettings): Client {
  async function request(path: string, input: object = {}, { signal, body }: CallSettings = {}): Promise<Response> {
    const url = new URL(path, withSlash(settings.url))
    if (body !== undefined)
      for (const [key, value] of Object.entries(input as Record<string, unknown>))
        if (value !== undefined) url.searchParams.set(key, typeof value === 'string' ? value : JSON.stringify(value))
    return await (settings.fetch ?? fetch)(url, {
      method: 'POST',
      headers: {
        ...(body === undefined ? { 'content-type': 'application/json' } : {}),
        ...authorization(settings),
        ...settings.headers,
      },
      body: body === undefined ? JSON.stringify(input) : body,
      ...(signal ? { signal } : {}),
      ...(body instanceof ReadableStream ? { duplex: 'half' } : {}),
    })
  }

  async function call(path: string, input?: object, call?: CallSettings): Promise<Record<string, unknown>> {
    const response = await request(path, input, call)
    const text = await response.text()
    const answer = parsed(text)
    if (response.ok && answer) return answer
    const what = typeof answer?.error === 'string' ? answer.error : text.trim() || `HTTP status ${response.status}`
    throw failure(what, path, response.status, answer?.input ?? null)
  }

  async function start(path: string, input: object = {}, settings?: CallSettings): Promise<StartedJob<never>> {
    const begun = (await call(path, { ...input, _async: true }, settings)) as { jobid: number; executeId: string }
    const job = { ...begun, path, call }
    return { ...begun, result: (wait) => resultOf(job, wait?.signal) as Promise<never>, stop: () => stop(job) }
  }

  return { call, start, request }
}

interface Running {
  readonly jobid: number
  readonly executeId: string
  readonly path: string
  call(path: string, input?: object, settings?: CallSettings): Promise<Record<string, unknown>>
}

/** Between two looks at a job, ms: often at first, then less so. */
const SOONEST = 50
const LATEST = 2000

async function resultOf(job: Running, signal: AbortSignal | undefined): Promise<unknown> {
  const { jobid, executeId, path } = job
  try {
    for (let wait = SOONEST; ; wait = Math.min(wait * 1.5, LATEST)) {
      const status = await job.call('job/status', { jobid }, signal ? { signal } : {})
      if (status.executeId !== executeId) throw failure('the server was started anew: the job is gone', path, 0, null)
      if (status.finished === true) {
        if (status.success === true) return status.output
        throw failure(status.error as string, path, 500, null)
      }
      await pause(wait, signal)
    }
  } catch (error) {
    if (signal?.aborted) await stop(job)
    throw error
  }
}

async function stop(job: Running): Promise<void> {
  const { jobid } = job
  await job.call('job/stop', { jobid })
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(done, ms)
    signal?.addEventListener('abort', aborted, { once: true })
    function done(): void {
      signal?.removeEventListener('abort', aborted)
      resolve()
    }
    function aborted(): void {
      clearTimeout(timer)
      reject(signal?.reason as Error)
    }
  })
}

/** True for what a call throws when the server refused it or failed. */
export function isRcError(reason: unknown): reason is RcError {
  return reason instanceof Error && reason.name === 'RcError'
}

function failure(message: string, path: string, status: number, input: unknown): RcError {
  return Object.assign(new Error(message), { name: 'RcError' as const, path, status, input })
}

function withSlash(url: string | URL): URL {
  const base = new URL(url)
  if (!base.pathname.endsWith('/')) base.pathname += '/'
  return base
}

/** Basic authentication (RFC 7617), in UTF-8. */
function authorization({ user, pass }: ClientSettings): Record<string, string> {
  if (user === undefined && pass === undefined) return {}
  const bytes = new TextEncoder().encode(`${user ?? ''}:${pass ?? ''}`)
  return { authorization: `Basic ${btoa(String.fromCharCode(...bytes))}` }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}
