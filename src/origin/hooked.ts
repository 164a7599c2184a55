import { abortable, orAbort } from '../base/abort.ts'
import { AppError, messageOf } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { changedRequest, countedRequest } from '../http/changed-request.ts'
import type { Handler, HttpRequest, HttpResponse, Middleware, Peer, User } from '../http/message.ts'
import { isStoring } from '../http/methods.ts'
import { parseTarget } from '../http/target.ts'
import type { Place } from '../layers/open.ts'
import type { FileNode } from '../vfs/node.ts'
import type { Files } from './file.ts'
import type { Hook, HookReply, HookRequest } from './hook.ts'
import { Asked } from './hook-request.ts'
import { applyHeaders, bytes, rewritten } from './hook-response.ts'
import { throttled } from './throttle.ts'

export interface HookedParts {
  /** Serves what `HookReply.file` names. */
  readonly files: Files
  /** The hook as it is now. */
  current(): Hook | Promise<Hook>
  /** Opens what `HookReply.file` names. */
  open(text: string): Promise<Place>
  /** Holds a request to the rules: one that a hook has sent elsewhere. */
  readonly guard: Middleware
  /** The groups that a user belongs to. */
  groupsOf(user: User): readonly string[]
}

/**
 * Lets a hook see each request before the handler behind it, and answer or change it. What it throws is the answer 500, and
 * logged; a request whose client has left is not waited for.
 */
export function hooked(parts: HookedParts): Middleware {
  const connections = new WeakMap<Peer, number>()
  let [requests, peers] = [0, 0]

  function asked(ctx: Context, request: HttpRequest): HookRequest {
    const { peer, user } = request
    const connId = connections.get(peer) ?? ++peers
    connections.set(peer, connId)
    return new Asked(ctx, request, { id: ++requests, connId, groups: user ? parts.groupsOf(user) : [] })
  }

  return (next) => {
    const guarded = parts.guard(next)

    return async function callHook(ctx, request) {
      const began = performance.now()
      const hook = await parts.current()
      const view = asked(ctx, request)
      const reply = (await called(ctx, async () => await hook.onRequest?.(view))) ?? {}
      const response = await answer(ctx, request, { hook, view, reply })
      return watched(ctx, response, { hook, view, reply, began })
    }

    async function answer(ctx: Context, request: HttpRequest, { hook, view, reply }: Call): Promise<HttpResponse> {
      const made = await ownAnswer(ctx, request, reply)
      if (made) return applyHeaders(made, reply.headers)
      const handler = reply.rewrite === undefined ? next : guarded
      const wanted = reply.rewrite === undefined ? request : elsewhere(request, reply.rewrite)
      const response = await uploading(ctx, wanted, { hook, view }, handler)
      const changed = hook.onResponse
        ? await called(ctx, async () => await rewritten(response, async (r) => await hook.onResponse?.(view, r)))
        : response
      return applyHeaders(changed, reply.headers)
    }
  }

  /** The answer that the hook gives itself; undefined when the server is to go on. */
  async function ownAnswer(ctx: Context, request: HttpRequest, reply: HookReply): Promise<HttpResponse | undefined> {
    if (reply.file !== undefined) return await serveFile(ctx, request, reply.file)
    if (reply.status === undefined && reply.body === undefined) return undefined
    const { status = 200, body } = reply
    if (!Number.isInteger(status) || status < 200 || status > 599)
      throw new AppError('io', `the hook answered with status ${status}: use a number from 200 to 599`)
    if (body === undefined || body instanceof Uint8Array) return { status, headers: [], body }
    if (typeof body === 'string') return { status, headers: ['content-type', 'text/plain; charset=utf-8'], body }
    return { status, headers: [], body: abortable(bytes(body), ctx.signal), asIs: true }
  }

  async function serveFile(ctx: Context, request: HttpRequest, text: string): Promise<HttpResponse> {
    const { remote, file } = await parts.open(text)
    if (!file) throw new AppError('not-found', 'the file that the hook named is not there')
    const open: FileNode['open'] = (ctx, range) => remote.open(ctx, file, range)
    return await parts.files.serve(ctx, request, { kind: 'file', entry: file, open })
  }
}

interface Call {
  readonly hook: Hook
  readonly view: HookRequest
  readonly reply: HookReply
}

/** Runs code of the hook for as long as the client is there. Throws `io` for whatever it throws. */
async function called<T>(ctx: Context, run: () => Promise<T>): Promise<T> {
  try {
    return await orAbort(ctx.signal, run())
  } catch (error) {
    if (error instanceof AppError) throw error
    if (error instanceof Error) ctx.log.debug(error.stack ?? '')
    throw new AppError('io', `hook: ${messageOf(error)}`, { cause: error })
  }
}

/** The request as if another path had been asked for. */
function elsewhere(request: HttpRequest, url: string): HttpRequest {
  const target = parseTarget(url, request.method, request.peer.host, '')
  if ('status' in target) throw new AppError('io', `hook: ${JSON.stringify(url)} is no path such as /a%20b?c`)
  const { path, directory, query } = target
  return changedRequest(request, { path, directory, query })
}

/** Has the handler answer, and tells the hook of an upload that it has stored. */
async function uploading(
  ctx: Context,
  request: HttpRequest,
  { hook, view }: Pick<Call, 'hook' | 'view'>,
  handler: Handler,
): Promise<HttpResponse> {
  if (!hook.onUpload || !isStoring(request)) return await handler(ctx, request)
  const counted = countedRequest(request)
  const response = await handler(ctx, counted.request)
  if (response.status !== 201 && response.status !== 204) return response
  const upload = { path: `/${request.path}`, bytes: counted.bytes, created: response.status === 201 }
  const told = async () => await hook.onUpload?.(view, upload)
  told().catch((error: unknown) => ctx.log.error(`hook: onUpload: ${messageOf(error)}`, { object: request.path }))
  return response
}

/** Slows a response down as the hook wants it, and tells the hook when it is over. */
function watched(ctx: Context, response: HttpResponse, call: Call & { readonly began: number }): HttpResponse {
  const { hook, view, reply, began } = call
  const slow = reply.throttle === undefined ? response : throttled(response, reply.throttle, () => ctx.signal)
  if (!reply.onClose && !hook.onLog) return slow
  const { done, status } = slow
  return {
    ...slow,
    done({ bytes, complete }) {
      done?.({ bytes, complete })
      try {
        reply.onClose?.({ ok: complete, bytes })
        hook.onLog?.({ request: view, status, ok: complete, bytes, ms: performance.now() - began })
      } catch (error) {
        ctx.log.error(`hook: ${messageOf(error)}`)
      }
    },
  }
}
