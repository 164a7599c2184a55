import { AppError } from '../base/error.ts'

/** Where a remote control is, and who calls. */
export interface Target {
  readonly url: URL
  /** Path of a unix socket to go through. */
  readonly socketPath?: string
  readonly user: string
  readonly pass: string
}

/**
 * The URL that a person means: `:5572` is on this machine, what has no scheme is http; it ends in a slash. Throws `usage` when
 * it is none.
 */
export function fixUrl(text: string): URL {
  const host = text.startsWith(':') ? `localhost${text}` : text
  const url = URL.parse(/^https?:\/\//i.test(host) ? host : `http://${host.replace(/^\/\//, '')}`)
  // The text may hold a password.
  if (!url?.hostname) throw new AppError('usage', '--url is not a URL such as http://localhost:5572/')
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}
