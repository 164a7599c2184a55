import type { HttpRequest } from '../http/message.ts'

const conditions = [
  'range',
  'if-none-match',
  'if-modified-since',
  'if-match',
  'if-unmodified-since',
  'if-range',
] as const

/** True when a request asks for nothing but the file: no part of it, and under no condition. */
export function isPlain(request: Pick<HttpRequest, 'header'>): boolean {
  for (const name of conditions) if (request.header(name) !== undefined) return false
  return true
}
