import { type Middleware, whenDone } from './message.ts'

/** Adds the time in milliseconds since 1970 as `Server-UTC` to every response: players of live streams set their clock by it. */
export const serverUtc: Middleware = (next) => (ctx, request) =>
  whenDone(next(ctx, request), (response) => ({
    ...response,
    headers: [...response.headers, 'server-utc', String(Date.now())],
  }))
