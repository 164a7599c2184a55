import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

/** Starts `rclone ARGS` without a configuration and waits until its log matches; gives the match. It ends with the test. */
export async function rclone(t: TestContext, args: readonly string[], ready: RegExp): Promise<RegExpExecArray> {
  const child = spawn('rclone', [...args, '--config', '/nonexistent/rclone.conf'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  t.after(async () => {
    child.kill('SIGKILL')
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  })
  let log = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (log += text))
  for (;;) {
    const found = ready.exec(log)
    if (found) return found
    if (child.exitCode !== null) throw new Error(`rclone ended: ${log}`)
    await Promise.race([once(child.stderr, 'data'), once(child, 'exit')])
  }
}

/** Starts `rclone rcd ARGS`; gives its URL, `http://127.0.0.1:12345/`. */
export async function rcloneRcd(t: TestContext, args: readonly string[] = ['--rc-no-auth']): Promise<string> {
  const [, url] = await rclone(t, ['rcd', '--rc-addr', '127.0.0.1:0', ...args], /Serving remote control on (\S+)/)
  return url as string
}
