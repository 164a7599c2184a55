import { authOptions } from '../auth/options.ts'
import { httpOptions } from '../http/options.ts'
import { receiveOptions } from '../media/receive-options.ts'
import type { Command } from './command.ts'
import { warnExposed } from './exposed.ts'
import { onHangup } from './hangup.ts'

export const receiveCommand: Command = {
  name: 'receive',
  usage: '',
  summary: 'Take uploads over HTTP and hand each on as it comes: to a command, a pipe, a folder or standard output',
  help: `Each PUT or POST is a stream of its own, handed on at the pace at which it is taken: a slow reader slows the sender down, and nothing
is stored in between. It is answered by 201 when all was taken. Nothing can be read (404).

--to exec:COMMAND runs the command of the shell for each upload, with the upload as its standard input and SLUICE_PATH, SLUICE_TYPE
and SLUICE_HEADER_CONTENT_LENGTH … in its environment. When the sender gives up the command gets SIGTERM. Uploads to standard output
and to a FIFO (--to pipe:PATH) come one after the other.`,
  examples: [
    ["sluice receive --addr :8080 --to exec:'ffplay -i -'", 'play what is uploaded'],
    ['sluice receive --to - | tar x', 'unpack an archive while it comes'],
    ['sluice receive --to nas:incoming --user me --pass secret', 'into a remote, with a login'],
  ],
  options: [receiveOptions, httpOptions, authOptions],
  args: [0, 0],
  async run(io) {
    const { openReceiver } = await import('./receive-server.ts')
    const server = await openReceiver(io)
    io.ctx.log.notice(`receiving: HTTP Server started on [${server.listening.urls.join(', ')}]`)
    if (!server.locked) warnExposed(io.ctx, server.listening.urls, 'send to it')
    onHangup(io, () => server.listening.reload())
    await io.signals.stopped()
    await server.close()
  },
}
