import { pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import type { Body } from '../base/body.ts'
import { AppError, errorCode } from '../base/error.ts'
import { isPlaylist } from '../base/mime.ts'
import { textResponse } from '../http/error.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'

/** How the body of an upload is coded. Encoders send manifests packed (live.md 3.6), which have to be read here. */
export function isPacked(request: HttpRequest): boolean {
  const coding = request.header('content-encoding')?.trim().toLowerCase()
  return isPlaylist(request.path) && (coding === 'gzip' || coding === 'x-gzip')
}

/** Refuses a coding that would have to be stored with the file (RFC 9110 section 15.5.16); undefined = the body can be taken. */
export function refuseCoding(request: HttpRequest): HttpResponse | undefined {
  const coding = request.header('content-encoding')?.trim().toLowerCase() ?? 'identity'
  if (coding === 'identity' || (isPacked(request) && request.header('content-range') === undefined)) return undefined
  const known = isPlaylist(request.path) ? 'gzip, identity' : 'identity'
  return textResponse(415, `A file is stored as it comes: send this one without Content-Encoding, or as ${known}`, [
    'accept-encoding',
    known,
  ])
}

/** What a packed body is, unpacked. Throws `invalid` for one that is not packed so. */
export async function* unpacked(body: Body): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip()
  pipeline(body, gunzip, () => {
    // Whoever reads the other end gets the error.
  })
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array
  } catch (cause) {
    if (errorCode(cause)?.startsWith('Z_') !== true) throw cause
    throw new AppError('invalid', 'the body is not packed as its Content-Encoding says', { cause })
  }
}
