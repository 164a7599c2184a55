import { AppError } from '../base/error.ts'
import { parseAddress } from '../http/address.ts'
import type { Handler } from '../http/message.ts'
import { httpOptions } from '../http/options.ts'
import { listenShoutcast } from '../http/shoutcast.ts'
import type { Live } from '../media/live.ts'
import { mountPath } from '../media/mount.ts'
import { liveOptions } from '../media/options.ts'
import type { ServerParts } from './server.ts'

interface Around {
  readonly handler: Handler
  /** What to call at the end. */
  readonly closing: (() => void)[]
}

/** Listens where `--shoutcast` says so. Throws `usage` for a mount that is not there, and what opening an address throws. */
export async function openShoutcast(parts: ServerParts, live: Live, { handler, closing }: Around): Promise<void> {
  const { ctx, get } = parts
  const { bodyIdle } = get(httpOptions)
  for (const text of get(liveOptions).shoutcast) {
    const [, addr = '', mount] = /^([^=]*)(?:=(.*))?$/s.exec(text) ?? []
    const [only, ...others] = live.channels
    const path = mount === undefined ? (others.length === 0 ? only?.mount.path : undefined) : mountPath(mount)
    if (path === undefined || !live.has(path))
      throw new AppError('usage', `--shoutcast ${text}: name one of the mounts of --live, such as ${addr}=/live.mp3`)
    const idle = bodyIdle > 0 ? bodyIdle : Infinity
    const server = await listenShoutcast({ ctx, address: parseAddress(addr), path, handler, idle })
    closing.push(() => server.close())
    const bound = server.address()
    const name = typeof bound === 'object' && bound ? `port ${bound.port}` : addr
    ctx.log.notice(`taking publishers of Shoutcast for /${path} on ${name}`)
  }
}
