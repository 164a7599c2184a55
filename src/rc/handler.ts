import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { textResponse } from '../http/error.ts'
import type { Handler, HeaderList, HttpRequest, HttpResponse } from '../http/message.ts'
import { call } from './call.ts'
import { errorAnswer, errorObject, json } from './error.ts'
import { readInput, readQuery } from './input.ts'
import { type Method, StreamAnswer } from './method.ts'
import type { Params } from '../schema/field.ts'
import { foreignPage } from '../http/same-site.ts'
import type { Services } from './services.ts'

/** Answers a GET or HEAD request, or says by undefined that it is not for it. */
export type Page = (ctx: Context, request: HttpRequest) => HttpResponse | undefined | Promise<HttpResponse | undefined>

export interface RcSettings {
  readonly services: Services
  /** There is a login, so that whoever gets here may call everything. */
  readonly locked: boolean
  /** `--rc-no-auth`: everybody may call everything. Settled at the start. */
  readonly noAuth: boolean
  /** Origins whose web pages may make calls. */
  readonly origins: readonly string[]
  /** What GET and HEAD find; the first that answers wins (rc.md 1.7). */
  readonly pages: readonly Page[]
}

/** The remote control over HTTP: POST calls methods, GET and HEAD fetch pages, on one port (rc.md section 1). */
export function rcHandler(settings: RcSettings): Handler {
  return function answerRc(ctx, request) {
    if (request.method === 'POST') return post(settings, ctx, request)
    if (request.method === 'GET' || request.method === 'HEAD') return page(settings, ctx, request)
    if (request.method === 'OPTIONS') return { status: 200, headers: [], length: 0 }
    return textResponse(405, 'Method Not Allowed', ['allow', 'GET, HEAD, OPTIONS, POST'])
  }
}

async function page({ pages }: RcSettings, ctx: Context, request: HttpRequest): Promise<HttpResponse> {
  for (const one of pages) {
    const response = await one(ctx, request)
    if (response) return response
  }
  return textResponse(404)
}

async function post(settings: RcSettings, ctx: Context, request: HttpRequest): Promise<HttpResponse> {
  const { services } = settings
  const path = pathOf(request)
  const foreign = foreignPage(request, settings.origins)
  if (foreign !== undefined) return errorAnswer(errorObject(new AppError('denied', foreign), path, null))
  const found = services.methods.get(path)
  // A method that reads the body itself has its parameters in the URL.
  const { params, error } =
    found?.needs === 'request' ? { params: readQuery(request.query), error: undefined } : await readInput(request)
  const refused = error ?? refusal(settings, found, path)
  if (refused) return errorAnswer(errorObject(refused, path, params))
  return await answer(settings, found as Method, ctx, request, params ?? {})
}

async function answer(
  { services }: RcSettings,
  method: Method,
  ctx: Context,
  request: HttpRequest,
  params: Params,
): Promise<HttpResponse> {
  const async = prefersAsync(request.header('prefer'))
  const outcome = await call(services, method, params, { request, async, signal: () => ctx.signal })
  const { job, detached, output, error } = outcome
  const headers: HeaderList = job ? ['x-rclone-jobid', String(job.id)] : []
  if (error) return errorAnswer(errorObject(error, method.path, params), headers)
  if (detached && async) return json(202, output, ['preference-applied', 'respond-async', ...headers])
  return output instanceof StreamAnswer
    ? { status: 200, headers: ['content-type', 'text/plain; charset=utf-8', ...headers], body: output.body }
    : json(200, output, headers)
}

/** The path of a method as it was asked for: a slash at the end counts. */
function pathOf({ path, directory }: HttpRequest): string {
  return path !== '' && directory ? `${path}/` : path
}

/** Why a call may not be made. */
function refusal({ locked, noAuth }: RcSettings, method: Method | undefined, path: string): AppError | undefined {
  if (!method) return new AppError('not-found', `couldn't find method ${JSON.stringify(path)}`)
  if (method.open || locked || noAuth) return undefined
  return new AppError(
    'denied',
    `authentication must be set up on the rc server to use ${JSON.stringify(path)} or the --rc-no-auth flag must be in use`,
  )
}

/** `Prefer: respond-async` (RFC 7240 section 4.1). */
function prefersAsync(header: string | undefined): boolean {
  return header?.split(',').some((one) => one.split(';')[0]?.trim().toLowerCase() === 'respond-async') ?? false
}
