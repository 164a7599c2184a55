import { Readable } from 'node:stream'
import type { StoragePipelineOptions } from '@azure/storage-blob'
import { bodyOf, collect, type Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import type { HttpClient } from '../../net/client.ts'

type LibraryClient = NonNullable<StoragePipelineOptions['httpClient']>
type Answer = Awaited<ReturnType<LibraryClient['sendRequest']>>

/**
 * Lets the library speak over our own client, so that proxies, certificates, timeouts and addresses are those of all remotes.
 * Answers are streams where the library wants them so.
 */
export function libraryClient(ctx: Context, http: HttpClient): LibraryClient {
  return {
    async sendRequest(request) {
      const { 'content-length': length, ...headers } = request.headers.toJson()
      const body = bodyFrom(request.body)
      const signal = request.abortSignal instanceof AbortSignal ? request.abortSignal : ctx.signal
      const response = await http.request(ctx.with({ signal }), {
        method: request.method,
        url: new URL(request.url),
        headers,
        ...(body ? { body } : {}),
        ...(length === undefined || request.method === 'GET' ? {} : { length: Number(length) }),
      })
      const { status } = response
      // The only thing that the library asks of headers is to copy them.
      const answer = { request, status, headers: { toJson: () => response.headers } as unknown as Answer['headers'] }
      if (request.streamResponseStatusCodes?.has(status))
        return { ...answer, readableStreamBody: Readable.from(response.body, { objectMode: false }) }
      return { ...answer, bodyAsText: Buffer.from(await collect(response.body)).toString() }
    },
  }
}

function bodyFrom(body: unknown): Body | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body === 'string' || body instanceof Uint8Array) return bodyOf(body)
  throw new AppError('io', 'a request has a body of an unknown kind')
}
