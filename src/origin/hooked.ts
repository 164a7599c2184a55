import { abortable, orAbort } from '../base/abort.ts'
import { discard } from '../base/derive.ts'
import { AppError, messageOf } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { errors } from '../http/error.ts'
import { changedRequest, countedRequest } from '../http/changed-request.ts'
import type { Handler, HttpRequest, HttpResponse, Middleware, Peer, User } from '../http/message.ts'
import { isReading, isStoring } from '../http/methods.ts'
import { foreignPage } from '../http/same-site.ts'
import { parseTarget } from '../http/target.ts'
import type { Place } from '../layers/open.ts'
import type { FileNode } from '../vfs/node.ts'
import type { Files } from './file.ts'
import type { Hook, HookReply, HookRequest } from './hook.ts'
import { Asked } from './hook-request.ts'
import { applyHeaders, bytes, rewritten } from './hook-response.ts'
import { throttled } from './throttle.ts'

export interface HookedParts {
  /** Origins whose web pages may send more than questions; `*` = any. */
  readonly origins: readonly string[]
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
    // A hook sees refusals and failures as answers, like all others.
    const plain = caught(next)
    const guarded = caught(parts.guard(next))

    return async function callHook(ctx, request) {
      const hook = await parts.current()
      const call: Call = { hook, view: asked(ctx, request), began: performance.now(), reply: {} }
      const response = await caught(async () => {
        const foreign = isReading(request) ? undefined : foreignPage(request, parts.origins)
        if (foreign !== undefined) throw new AppError('denied', foreign)
        call.reply = (await called(ctx, async () => await hook.onRequest?.(call.view))) ?? {}
        return await answer(ctx, request, call)
      })(ctx, request)
      return watched(ctx, response, call)
    }

    async function answer(ctx: Context, request: HttpRequest, call: Call): Promise<HttpResponse> {
      const { headers, rewrite } = call.reply
      const made = await ownAnswer(ctx, request, call.reply)
      if (made) return await orDiscard(made, () => applyHeaders(made, headers))
      const wanted = rewrite === undefined ? request : elsewhere(request, rewrite)
      const response = await uploading(ctx, wanted, call, rewrite === undefined ? plain : guarded)
      return await orDiscard(response, async () => applyHeaders(await changed(ctx, response, call), headers))
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

const caught = errors()

/** A request, and what its hook says to it. */
interface Call {
  readonly hook: Hook
  readonly view: HookRequest
  readonly began: number
  reply: HookReply
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

/** What the hook makes of an answer of the server. */
async function changed(ctx: Context, response: HttpResponse, { hook, view }: Call): Promise<HttpResponse> {
  if (!hook.onResponse) return response
  return await called(ctx, async () => await rewritten(response, async (shown) => await hook.onResponse?.(view, shown)))
}

/** Gives back what the body of a response holds when nothing comes of the response. */
async function orDiscard(
  { body }: HttpResponse,
  make: () => HttpResponse | Promise<HttpResponse>,
): Promise<HttpResponse> {
  try {
    return await make()
  } catch (error) {
    await discard(body)
    throw error
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
  { hook, view }: Call,
  handler: Handler,
): Promise<HttpResponse> {
  if (!hook.onUpload || !isStoring(request)) return await handler(ctx, request)
  const counted = countedRequest(request)
  const response = await handler(ctx, counted.request)
  if (response.status !== 201 && response.status !== 204) return response
  const upload = { path: `/${request.path}`, bytes: counted.bytes(), created: response.status === 201 }
  const told = async () => await hook.onUpload?.(view, upload)
  told().catch((error: unknown) => ctx.log.error(`hook: onUpload: ${messageOf(error)}`, { object: request.path }))
  return response
}

/** Slows a response down as the hook wants it, and tells the hook when it is over. */
function watched(ctx: Context, response: HttpResponse, { hook, view, reply, began }: Call): HttpResponse {
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
