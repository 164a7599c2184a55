import type { Context } from '../core/context.ts'
import { isLoopback } from './server-options.ts'

/** Warns of a server without a login that others than this machine may reach: of what they may do there, and of the way out. */
export function warnExposed(
  { log }: Context,
  urls: readonly string[],
  may: string,
  login = '--user and --pass, or --htpasswd',
): void {
  const open = urls.filter((url) => url.startsWith('http') && !isLoopback(new URL(url).hostname))
  if (open.length > 0)
    log.warn(`everybody who can reach ${open.join(', ')} can ${may}: there is no login. Use ${login}`)
}
