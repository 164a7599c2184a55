import type { HttpRequest } from './message.ts'

/**
 * Why a request that changes something is refused as one that a foreign web page made (CSRF), undefined when it is not.
 * Programs send none of these headers and pass; so do pages of this very server, and of origins that are allowed.
 */
export function foreignPage(request: HttpRequest, allowed: readonly string[]): string | undefined {
  const origin = request.header('origin')
  if (allowed.includes('*')) return undefined
  if (origin !== undefined) {
    if (allowed.includes(origin) || origin === ownOrigin(request)) return undefined
    return `requests from web pages of ${origin === 'null' ? 'unknown origin' : origin} are refused: allow the origin if that is meant`
  }
  const site = request.header('sec-fetch-site')
  return site === undefined || site === 'same-origin' || site === 'none'
    ? undefined
    : 'requests from web pages of another site are refused: allow their origin if that is meant'
}

function ownOrigin({ peer }: HttpRequest): string {
  return `${peer.secure ? 'https' : 'http'}://${peer.host}`
}
