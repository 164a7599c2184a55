import type { HttpResponse } from '../http/message.ts'
import { icon } from './icon.ts'

const day = 86_400

/** The answer to /favicon.ico when the remote has none, with --favicon. */
export function favicon(): HttpResponse {
  return {
    status: 200,
    headers: ['content-type', 'image/svg+xml', 'cache-control', `max-age=${day}`, 'x-content-type-options', 'nosniff'],
    body: icon,
  }
}

/** The answer to /robots.txt when the remote has none and search engines are to stay away. */
export function robots(): HttpResponse {
  return {
    status: 200,
    headers: ['content-type', 'text/plain; charset=utf-8', 'cache-control', `max-age=${day}`],
    body: 'User-agent: *\nDisallow: /\n',
  }
}
