import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { compileFunction, constants } from 'node:vm'
import { orAbort } from '../base/abort.ts'
import type { Logger } from '../core/log.ts'
import { decodePath } from '../http/target.ts'
import { gpaccore, globalsOf } from './gpaccore.ts'
import type { Hook, HookReply, HookRequest } from './hook.ts'

/** True for a script that was written for httpout: it sets `httpout.on_request`. */
export function isGpacScript(text: string): boolean {
  return /^\s*httpout\s*\.\s*on_request\s*=/m.test(text)
}

/** A header, as scripts see it, and as they make it. */
interface GpacHeader {
  readonly name: unknown
  readonly value: unknown
}

/** A request, as scripts see it (httpout.md section 6). */
interface GpacRequest {
  readonly method: string
  /** Decoded, with the query. */
  readonly url: string
  readonly IP: string
  readonly port: number
  readonly tls: boolean
  readonly netid: number
  readonly auth_code: number
  readonly headers_in: readonly GpacHeader[]
  headers_out: GpacHeader[]
  /** 0: the server goes on. */
  reply: unknown
  /** The answer; or, when the server goes on, the path of the file to send. */
  body?: unknown
  /** Fills the buffer: bytes, 0 = that was all, less = nothing yet. */
  read?: ((buffer: ArrayBuffer) => unknown) | null
  /** Takes a piece of the request's body; null = that was all. */
  write?: ((buffer: ArrayBuffer | null) => unknown) | null
  /** Microseconds to wait. */
  throttle?: ((done: number, total: number) => unknown) | null
  /** 1 = all was sent, negative = it was not. */
  close?: ((error: number) => unknown) | null
  /** Ends the handling; a text becomes the answer. */
  send(text?: string): void
}

type OnRequest = (request: GpacRequest) => unknown

/** The buffer that `read` fills: what GPAC gives a script unless it is told otherwise. */
const BLOCK = 10_000
/** The longest wait for a script that has nothing yet, ms. */
const LONGEST_POLL = 20

/** Runs a script written for httpout as a hook. Throws what the script throws, and when it sets no `on_request`. */
export async function gpacHook(text: string, path: string, log: Logger): Promise<Hook> {
  const httpout: { on_request?: OnRequest } = {}
  const globals = globalsOf(log)
  // The body is on the second line, and errors tell the lines of the file.
  const body = `return (async () => {\n${withoutImports(text)}\n})()`
  const names = ['httpout', 'gpaccore', ...Object.keys(globals)]
  const run = compileFunction(body, names, {
    filename: path,
    lineOffset: -1,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  }) as (...values: readonly unknown[]) => Promise<void>
  await run(httpout, gpaccore(globals), ...Object.values(globals))
  const { on_request: onRequest } = httpout
  if (typeof onRequest !== 'function') throw new Error('the script sets no httpout.on_request')
  return { onRequest: (request) => handle(onRequest, request) }
}

const importStatement =
  /^(?<space>[ \t]*)import\s+(?:(?<main>[\w$]+)\s*,?\s*)?(?:\*\s*as\s+(?<all>[\w$]+)\s*|\{(?<some>[^}]*)\}\s*)?(?:from\s*)?(?<quote>['"])(?<name>[^'"\n]+)\k<quote>/gm

/** Turns `import` statements into what may stand inside of a function; `gpaccore` is given. */
function withoutImports(text: string): string {
  return text.replace(importStatement, (...match) => {
    const { space = '', main, all, some, name } = match.at(-1) as Record<string, string | undefined>
    const source = name === 'gpaccore' ? 'gpaccore' : `await import(${JSON.stringify(name)})`
    const parts = [
      ...(all === undefined ? [] : [`${all} = ${source}`]),
      ...(main === undefined ? [] : [`{ default: ${main} } = ${source}`]),
      ...(some === undefined ? [] : [`{${some.replace(/\s+as\s+/g, ': ')}} = ${source}`]),
    ]
    return space + (parts.length === 0 ? source : `const ${parts.join(', ')}`)
  })
}

async function handle(onRequest: OnRequest, asked: HookRequest): Promise<HookReply> {
  const { request, sent } = gpacRequest(asked)
  try {
    // It may be an async function that fails, or one that leaves the sending to others.
    const returned = Promise.resolve(onRequest(request))
    await orAbort(asked.signal, Promise.race([sent, returned.then(() => sent)]))
    return await replyOf(request, asked)
  } catch (error) {
    request.close?.(-1)
    throw error
  }
}

/** What a script that has called `send` wants. */
async function replyOf(request: GpacRequest, asked: HookRequest): Promise<HookReply> {
  const reply: HookReply = {
    headers: headersOf(request.headers_out),
    ...(request.throttle ? { throttle: (done, total) => Number(request.throttle?.(done, total)) / 1000 } : {}),
    ...(request.close ? { onClose: ({ ok }) => void request.close?.(ok ? 1 : -1) } : {}),
  }
  const status = Number(request.reply)
  if (status === 0) return typeof request.body === 'string' ? { ...reply, file: resolve(request.body) } : reply
  if (request.write && (asked.method === 'PUT' || asked.method === 'POST')) await take(request, asked)
  if (typeof request.body === 'string') return { ...reply, status, body: request.body }
  return request.read ? { ...reply, status, body: pull(request, asked.signal) } : { ...reply, status }
}

function gpacRequest(asked: HookRequest): { request: GpacRequest; sent: Promise<void> } {
  const { method, ip, port, tls, connId, url, path, rawHeaders, auth } = asked
  const sent = Promise.withResolvers<void>()
  let isSent = false
  const query = decodePath(url.search) ?? url.search
  const request: GpacRequest = {
    method,
    url: path + query,
    IP: ip,
    port,
    tls,
    netid: connId,
    auth_code: auth.code,
    headers_in: pairs(rawHeaders),
    headers_out: [],
    reply: 0,
    send(text) {
      if (isSent) throw new Error('this request was sent already')
      isSent = true
      if (typeof text === 'string') request.body ??= text
      sent.resolve()
    },
  }
  return { request, sent: sent.promise }
}

function pairs(raw: readonly string[]): GpacHeader[] {
  const headers: GpacHeader[] = []
  for (let i = 0; i < raw.length; i += 2) headers.push({ name: raw[i] ?? '', value: raw[i + 1] ?? '' })
  return headers
}

function headersOf(list: readonly GpacHeader[]): Record<string, string[]> {
  const headers = new Map<string, string[]>()
  for (const { name, value } of list) {
    const key = String(name).toLowerCase()
    headers.set(key, [...(headers.get(key) ?? []), String(value)])
  }
  return Object.fromEntries(headers)
}

/** Gives the body of the request to the script. */
async function take(request: GpacRequest, { body }: HookRequest): Promise<void> {
  for await (const chunk of body) request.write?.(Uint8Array.from(chunk).buffer)
  request.write?.(null)
}

/** What the script makes when it is asked for more. */
async function* pull(request: GpacRequest, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const buffer = new ArrayBuffer(BLOCK)
  for (let pause = 1; !signal.aborted;) {
    const count = Number(request.read?.(buffer) ?? 0)
    if (count === 0) return
    if (count > 0) {
      yield new Uint8Array(buffer.slice(0, count))
      pause = 1
    } else {
      await sleep(pause)
      pause = Math.min(2 * pause, LONGEST_POLL)
    }
  }
}
