import { networkInterfaces } from 'node:os'
import { AppError, errorCode, toAppError } from '../base/error.ts'
import { httpOptions } from '../http/options.ts'
import { mountPath } from '../media/mount.ts'
import { fromOptions, liveOptions } from '../media/options.ts'
import type { Command, CommandIo } from './command.ts'
import { warnExposed } from './exposed.ts'
import { onHangup } from './hangup.ts'
import { reachable } from './reachable.ts'
import { serverOptions } from './server-options.ts'

export const liveCommand: Command = {
  name: 'live',
  usage: '/PATH|URL',
  summary: 'Send one live stream to all who listen',
  help: `It listens on 127.0.0.1:8080 until --addr, or the host and port of a URL, says otherwise. Without --from it waits for somebody
who publishes: ffmpeg, butt, OBS, or whatever knows Icecast. With --from it ends when the source has ended and all have heard
it. Several mounts beside files and uploads: --live of sluice serve http.`,
  examples: [
    [
      'sluice live /live.mp3',
      'then: ffmpeg -re -i song.mp3 -c copy -f mp3 -content_type audio/mpeg icecast://source:x@127.0.0.1:8080/live.mp3',
    ],
    [
      'sluice live /live.mp3 --from nas:music/set.mp3 --pace auto --loop',
      'a file of any remote, as a radio that never ends',
    ],
    [
      'ffmpeg -i concert.flac -f mp3 - | sluice live /live.mp3 --from - --hold',
      'from a program; it begins with the first listener',
    ],
    [
      'sluice live http://:8000/live.mp3 --from https://radio.example/high.mp3',
      'passes another radio on, while somebody listens',
    ],
  ],
  options: [fromOptions, ...serverOptions],
  args: [1, 1],
  run: serveLive,
}

async function serveLive(io: CommandIo): Promise<void> {
  const { ctx } = io
  const { path, addr } = placeOf(io.args[0] ?? '')
  const { from } = io.get(fromOptions)
  const quoted = from === '' ? '' : `="${from.replaceAll('"', '""')}"`
  io.options.set(liveOptions, 'live', [`/${path}${quoted}`, ...io.get(liveOptions).live], 'flag')
  const { openServer } = await import('./server.ts')
  const given = addr !== undefined && !io.isSet(httpOptions, 'addr') ? [addr] : undefined
  const server = await openServer(io, undefined, given).catch((reason: unknown) => {
    if (errorCode(toAppError(reason).cause) !== 'EADDRINUSE') throw reason
    throw new AppError('busy', `${toAppError(reason).message}: choose another port with --addr`, { cause: reason })
  })
  ctx.log.notice(`${server.description}: HTTP Server started on [${server.urls.join(', ')}]`)
  for (const url of server.urls.filter((one) => one.startsWith('http')))
    ctx.log.notice(`listen at ${(reachable(url, networkInterfaces())[0] ?? url) + path}`)
  if (!server.locked) warnExposed(ctx, server.urls, `listen${server.writes ? ', and publish' : ''}`)
  onHangup(io, () => server.refresh())
  const { stop } = io.signals
  if (from === '') await io.signals.stopped()
  else await server.live.over(path, stop).catch(() => {})
  await server.close({ drainMs: io.get(httpOptions).shutdownTimeout, now: io.signals.kill })
}

/** `/PATH`, or a URL whose host and port are where to listen, as GPAC has it. */
function placeOf(text: string): { readonly path: string; readonly addr?: string } {
  const [, scheme = '', host = '', path = ''] = /^(https?):\/\/([^/]*)\/(.*)$/is.exec(text) ?? []
  if (scheme === '') return { path: mountPath(text) }
  const port = /:\d+$/.test(host) ? '' : scheme.toLowerCase() === 'https' ? ':443' : ':80'
  return { path: mountPath(path), addr: `${host}${port}` }
}
