import { AppError, toAppError } from '../base/error.ts'
import { asCanonical, isEntryName, join } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { changedRequest } from '../http/changed-request.ts'
import { errorResponse, textResponse } from '../http/error.ts'
import type { Handler, HttpRequest, HttpResponse, Middleware } from '../http/message.ts'
import { type FormFile, formFiles } from '../http/multipart.ts'
import { preferredType } from '../http/negotiate.ts'
import { encodePath } from '../http/target.ts'

/**
 * Takes the files of a form (RFC 7578) that is sent to a folder, one after the other as they arrive, as if each were PUT into
 * it. A file that is there already stays, and the answer is 409, unless the query has `replace`. In the end a browser is sent
 * to the folder, everybody else gets 201 with the names. The first file that is refused ends it; those before it stay.
 * `mayWrite` tells whether who asks may write at a path: who may send to a folder need not for each name in it.
 */
export function forms(mayWrite: (request: HttpRequest, path: string) => boolean = () => true): Middleware {
  return (next) =>
    function takeForm(ctx, request) {
      return isForm(request) ? takeFiles(ctx, request, admitted) : next(ctx, request)

      function admitted(context: Context, file: HttpRequest): ReturnType<Handler> {
        return mayWrite(request, file.path) ? next(context, file) : textResponse(403)
      }
    }
}

function isForm(request: HttpRequest): boolean {
  const { method, directory } = request
  return method === 'POST' && directory && /^multipart\/form-data\s*;/i.test(request.header('content-type') ?? '')
}

async function takeFiles(ctx: Context, request: HttpRequest, next: Handler): Promise<HttpResponse> {
  const stored: string[] = []
  for await (const file of formFiles(request.header('content-type') ?? '', request.body)) {
    const refusal = await refused(ctx, upload(request, file), next)
    if (refusal) return textResponse(refusal.status, `${file.name}: ${refusal.why}${before(stored)}`)
    stored.push(file.name)
  }
  if (stored.length === 0) throw new AppError('invalid', 'there is no file in the form')
  if (preferredType(request.header('accept'), ['text/plain', 'text/html']) === 'text/plain')
    return textResponse(201, stored.join('\n'))
  // Not to the place of the form: a page that is loaded again must not send it again.
  return { status: 303, headers: ['location', `${encodePath(request.base)}/${folder(request)}`], length: 0 }
}

/** Headers of the form itself, which say nothing of the files in it. */
const ofForm = /^(?:content-.*|if-.*|range|repr-digest|transfer-encoding|expect)$/

/** A file of a form as a request of its own. */
function upload(request: HttpRequest, { name, contentType, body }: FormFile): HttpRequest {
  if (!isEntryName(name)) throw new AppError('invalid', `a file cannot have the name ${JSON.stringify(name)}`)
  const replaces = new URLSearchParams(request.query).has('replace')
  const headers: Readonly<Record<string, string>> = {
    'content-type': contentType,
    ...(replaces ? {} : { 'if-none-match': '*' }),
  }
  return changedRequest(request, {
    method: 'PUT',
    rawPath: `/${folder(request)}${encodePath(name)}`,
    path: asCanonical(join(request.path, name)),
    directory: false,
    query: '',
    contentLength: undefined,
    header: (field) => headers[field] ?? (ofForm.test(field) ? undefined : request.header(field)),
    body: () => body,
  })
}

/** The path of the folder in a URL: nothing, or with a slash at its end. */
function folder({ path }: HttpRequest): string {
  return path === '' ? '' : `${encodePath(path)}/`
}

/** Has a file stored; gives why it was not. */
async function refused(
  ctx: Context,
  request: HttpRequest,
  next: Handler,
): Promise<{ status: number; why: string } | undefined> {
  const { status, body } = await Promise.resolve(next(ctx, request)).catch((reason: unknown) => {
    if (toAppError(reason).code === 'aborted') throw reason
    return errorResponse(reason)
  })
  if (status < 300) return undefined
  if (status === 412)
    return { status: 409, why: 'there is a file of this name already. Send the form to ?replace to replace it' }
  return { status, why: typeof body === 'string' ? body.trim() : `status ${status}` }
}

function before(stored: readonly string[]): string {
  return stored.length === 0 ? '' : `. Stored before it: ${stored.join(', ')}`
}
