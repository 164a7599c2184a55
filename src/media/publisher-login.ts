import { changedRequest } from '../http/changed-request.ts'
import type { Middleware } from '../http/message.ts'
import { IcyQuery } from './query.ts'

/** Takes the password of `/admin.cgi?mode=updinfo&pass=...` for a login as `source`: Shoutcast's first clients know no other. */
export function passwordInQuery(): Middleware {
  return (next) => (ctx, request) => {
    const pass = request.path === 'admin.cgi' ? new IcyQuery(request.query).get('pass') : undefined
    if (pass === undefined || request.header('authorization') !== undefined) return next(ctx, request)
    const authorization = `Basic ${Buffer.from(`source:${pass}`).toString('base64')}`
    const header = (name: string) => (name === 'authorization' ? authorization : request.header(name))
    return next(ctx, changedRequest(request, { header }))
  }
}
