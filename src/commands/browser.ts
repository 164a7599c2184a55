import { spawn } from 'node:child_process'
import { messageOf } from '../base/error.ts'
import type { Logger } from '../core/log.ts'

/** Shows a page in the browser of whoever sits at this machine. That there is none is no failure, it is only logged. */
export function openBrowser(url: string, log: Logger): void {
  const [program, args] = browserCommand(url)
  const failed = (why: string) => log.info(`no browser could be opened: ${why}`)
  const child = spawn(program, args, { stdio: 'ignore', detached: true })
  child.once('error', (error) => failed(messageOf(error)))
  child.once('exit', (code) => {
    if (code !== 0) failed(`${program} ended with ${code}`)
  })
  child.unref()
}

function browserCommand(url: string): readonly [program: string, args: readonly string[]] {
  if (process.platform === 'darwin') return ['open', [url]]
  return process.platform === 'win32' ? ['explorer.exe', [url]] : ['xdg-open', [url]]
}
