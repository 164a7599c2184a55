import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

/** A program that publishes; ended with the test. */
export interface Publisher {
  readonly child: ChildProcess
  /** Its exit status and what it had to say, once it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly stderr: string }>
  stop(signal?: NodeJS.Signals): Promise<void>
}

/** Starts ffmpeg with a test picture and a tone, in real time, for `seconds`. */
export function ffmpeg(t: TestContext, seconds: number, args: readonly string[]): Publisher {
  const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=320x180:rate=25']
  const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440']
  const video = '-c:v libx264 -preset ultrafast -tune zerolatency -g 25 -keyint_min 25 -sc_threshold 0 -b:v 300k'
  const audio = '-c:a aac -b:a 64k'
  const coding = `${video} ${audio}`.split(' ')
  const all = ['-v', 'error', '-re', ...picture, ...tone, '-t', String(seconds), ...coding, ...args]
  const child = spawn('ffmpeg', all, { stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'exit').then(() => ({ code: child.exitCode, stderr }))
  async function stop(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal)
    await ended
  }
  t.after(() => stop())
  return { child, ended, stop }
}

/** Low-latency DASH: segments of `segment` seconds in chunks of 0.2 s. */
export function ldash(url: string, clock: string, segment = 1): readonly string[] {
  const dash = `-f dash -ldash 1 -streaming 1 -use_template 1 -use_timeline 0 -seg_duration ${segment} -frag_type duration -frag_duration 0.2`
  const window = '-window_size 20 -extra_window_size 5 -target_latency 2 -write_prft 1 -format_options movflags=+cmaf'
  const push = '-method PUT -http_persistent 1 -timeout 5 -ignore_io_errors 1'
  return [...`${dash} ${window} ${push}`.split(' '), '-utc_timing_url', clock, url]
}
