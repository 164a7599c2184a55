import { hash } from 'node:crypto'
import { fromMs, toHttpDate } from '../base/time.ts'
import { evaluate } from '../http/conditional.ts'
import type { HeaderList, HttpRequest, HttpResponse } from '../http/message.ts'

/** A playlist or manifest, ready to be sent: the same array for all who ask, so that it is compressed once. */
export interface ListText {
  readonly bytes: Uint8Array
  /** With its quotes. */
  readonly etag: string
}

export function listText(text: string): ListText {
  return { bytes: Buffer.from(text), etag: `"${hash('sha1', text, 'base64url').slice(0, 20)}"` }
}

/** Sends it, on the conditions of the request; `modified` is when this version came, ms since 1970. */
export function sendList(
  request: HttpRequest,
  { bytes, etag }: ListText,
  { type, modified }: { readonly type: string; readonly modified: number },
): HttpResponse {
  const modTime = fromMs(modified)
  const validators: HeaderList = ['etag', etag, 'last-modified', toHttpDate(modTime)]
  const verdict = evaluate(request, { etag, modTime })
  if (verdict === 'failed') return { status: 412, headers: [] }
  if (verdict === 'not-modified') return { status: 304, headers: validators }
  return { status: 200, headers: ['content-type', type, ...validators], body: bytes }
}
