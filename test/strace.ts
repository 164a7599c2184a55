import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { missing } from './peers.ts'
import { scratch } from './program.ts'

export interface Tracing {
  /** System calls to look at, `fsync,rename`. */
  readonly calls: string
  /** What becomes of them: `error=EIO:when=2` fails the second one of a thread, `signal=KILL:when=1` ends the process there. */
  readonly inject?: string
}

export interface Trace {
  /** Leaves the process alone again. Gives what it did, a line a call, with the paths behind descriptors. */
  end(): Promise<string>
}

/** Looks at what a process asks of the system, and may let it fail. Leaves it at the end of the test at the latest. */
export async function trace(t: TestContext, pid: number, { calls, inject }: Tracing): Promise<Trace> {
  const log = join(scratch(t), 'trace')
  const what = ['-e', `trace=${calls}`, ...(inject === undefined ? [] : ['-e', `inject=${calls}:${inject}`])]
  const child = spawn('strace', ['-f', '-y', '-s', '64', '-o', log, ...what, '-p', `${pid}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const exited = once(child, 'exit')
  t.after(() => child.kill('SIGKILL'))
  let said = ''
  for await (const text of child.stderr
    .setEncoding('utf8')
    .iterator({ destroyOnReturn: false }) as AsyncIterable<string>)
    if (/attached/.test((said += text))) break
  if (!/attached/.test(said)) throw new Error(`strace ended: ${said}`)
  child.stderr.resume()
  return {
    async end() {
      child.kill('SIGINT')
      // It may wait for ever for the threads of a process that was killed in the middle of a call.
      const stuck = setTimeout(() => child.kill('SIGKILL'), 3000)
      await exited
      clearTimeout(stuck)
      return readFileSync(log, 'utf8')
    },
  }
}

/** As `missing('strace')`, also where programs may not be traced. */
export function cannotTrace(): string | false {
  const absent = missing('strace')
  if (absent !== false || process.platform !== 'linux') return absent || 'needs Linux'
  const capabilities = /^CapEff:\s*(\w+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  const may = (BigInt(`0x${capabilities}`) >> 19n) & 1n
  return may === 1n ? false : 'needs the right to trace programs'
}
