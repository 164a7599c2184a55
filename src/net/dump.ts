import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import type { Headers } from './client.ts'
import { bare } from './login.ts'

/** Names of headers and of parts of a query whose values let somebody in. */
const secret = /auth|token|cookie|secret|password|credential|sig(nature)?$|key$/i

/**
 * `--dump headers`: logs the head of a request to a remote (`> GET https://host/path`) or of the answer (`< 200 https://…`). What
 * lets somebody in is shown as XXXX, headers with `--dump auth` as they are.
 */
export function dumpHead(ctx: Context, what: string, url: URL, headers: Headers): void {
  const { dump } = ctx.get(mainOptions)
  if (!dump.includes('headers') && !dump.includes('auth')) return
  const shown = bare(url)
  for (const name of shown.searchParams.keys()) if (secret.test(name)) shown.searchParams.set(name, 'XXXX')
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${hides(dump, name) ? 'XXXX' : value}`)
  ctx.log.notice(`${what} ${shown.href}`, { lines })
}

/** A place that an answer leads to may hold a signature. */
function hides(dump: readonly string[], name: string): boolean {
  return !dump.includes('auth') && (secret.test(name) || name.toLowerCase() === 'location')
}
