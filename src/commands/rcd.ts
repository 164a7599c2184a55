import { networkInterfaces } from 'node:os'
import { AppError } from '../base/error.ts'
import { rcHttpOptions, rcOptions } from '../rc/options.ts'
import type { Command, CommandIo } from './command.ts'
import { warnExposed } from './exposed.ts'
import { onHangup } from './hangup.ts'
import { reachable } from './reachable.ts'

export const rcdCommand: Command = {
  name: 'rcd',
  usage: '[PATH]',
  summary: 'Run the remote control server and nothing else',
  help: `It takes calls of the remote control on localhost:5572 until --rc-addr says otherwise. Most methods need a login: give --rc-user and
--rc-pass, or --rc-htpasswd; --rc-no-auth opens all of them to everybody who can reach the address.

PATH is a folder, a zip or a remote with a web interface, as --rc-files.`,
  examples: [
    ['sluice rcd --rc-user me --rc-pass secret', 'then: sluice rc --user me --pass secret core/stats'],
    ['sluice rcd --rc-serve --rc-no-auth', 'objects at http://localhost:5572/[remote:path]/file as well'],
  ],
  args: [0, 1],
  async run(io) {
    if (io.get(rcOptions).enabled) throw new AppError('usage', "Don't supply --rc flag when using rcd")
    // What clients read of it (`options/get`).
    io.options.set(rcOptions, 'enabled', true, 'flag')
    const [files] = io.args
    if (files !== undefined) io.options.set(rcOptions, 'files', files, 'flag')
    const stop = await startRc(io)
    await io.signals.stopped()
    await stop()
  },
}

/** Starts the remote control server of the options, and says where it listens; gives the way to end it. */
export async function startRc(io: CommandIo): Promise<() => Promise<void>> {
  const { openRcServer } = await import('./rc-server.ts')
  const gui = io.get(rcOptions).webGui ? await (await import('./web-gui.ts')).prepareWebGui(io) : undefined
  const server = await openRcServer(io)
  for (const url of server.urls) io.ctx.log.notice(`Serving remote control on ${url}`)
  if (io.get(rcOptions).noAuth)
    warnExposed(io.ctx, server.urls, 'read and change all that this program can', '--rc-user and --rc-pass')
  if (gui) await showWebGui(io, server.urls, gui.password)
  onHangup(io, () => server.refresh())
  const { shutdownTimeout } = io.get(rcHttpOptions)
  return () => server.close({ drainMs: shutdownTimeout, now: io.signals.kill })
}

/** Says where the web interface is, and how to get in, and opens it. The password goes to the person, not to the log. */
async function showWebGui(io: CommandIo, urls: readonly string[], password: string | undefined): Promise<void> {
  const found = urls.find((one) => one.startsWith('http'))
  if (found === undefined) return
  const [url = found] = reachable(found, networkInterfaces())
  io.ctx.log.notice(`Web GUI at ${url}`)
  if (password !== undefined) io.stderr(`Log in to the web GUI as user gui with password ${password}\n`)
  if (io.get(rcOptions).webGuiNoOpenBrowser) return
  const { openBrowser } = await import('./browser.ts')
  openBrowser(url, io.ctx.log)
}
