import { textResponse } from './error.ts'
import type { Middleware } from './message.ts'
import { isAllowedHost, isLocalName } from './strict.ts'

/**
 * Answers only to the given host names, so that a web page cannot reach a local server under a name of its own (DNS
 * rebinding); with `localNames` to names without a dot as well. Requests over a unix socket, and those of HTTP/1.0 without a host, are not from a browser and pass.
 */
export function hosts(allowed: ReadonlySet<string>, { localNames = false } = {}): Middleware {
  // Clients say the same name with every request.
  let last: string | undefined
  return (next) =>
    function checkHost(ctx, request) {
      const { address, host } = request.peer
      if (host === last || host === '' || address === '') return next(ctx, request)
      if (isAllowedHost(host, allowed) || (localNames && isLocalName(host))) {
        last = host
        return next(ctx, request)
      }
      return textResponse(421, 'This host name is not served here. --allowed-hosts adds one.')
    }
}
