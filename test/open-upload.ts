import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import type { Server } from './program.ts'

/** An upload that the server has begun to take and that stays open: `write` sends more, `end` ends it and gives the status. */
export async function openUpload(server: Server, name: string, own: Record<string, string> = {}) {
  const headers = { expect: '100-continue', 'transfer-encoding': 'chunked', ...own }
  const req = httpRequest(server.url + name, { method: 'PUT', agent: false, headers })
  req.on('error', () => {})
  const response = once(req, 'response').then(([res]) => {
    ;(res as NodeJS.ReadableStream).resume()
    return (res as { statusCode: number }).statusCode
  })
  response.catch(() => {})
  req.flushHeaders()
  await once(req, 'continue')
  return {
    req,
    write: (text: string | Uint8Array) => new Promise<void>((resolve) => req.write(text, () => resolve())),
    end: () => (req.end(), response),
  }
}
