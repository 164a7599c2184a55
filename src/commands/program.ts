import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { PassThrough } from 'node:stream'
import type { Program, RunningProgram } from '../rc/services.ts'

/** This program, for `core/command`: runs it anew with its own configuration file, and ends it. */
export function programOf(parts: { configPath(): string; quit(exitCode: number): void }): Program {
  return {
    quit: (exitCode) => parts.quit(exitCode),
    run(args, { stdout, stderr, signal }): RunningProgram {
      const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', ...args], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, SLUICE_CONFIG: parts.configPath() },
      })
      const output = new PassThrough()
      const kept = [stdout ? child.stdout : undefined, stderr ? child.stderr : undefined].filter(
        (one) => one !== undefined,
      )
      for (const one of kept) one.pipe(output, { end: false })
      for (const one of [child.stdout, child.stderr]) if (!kept.includes(one)) one.resume()
      const stop = () => void child.kill('SIGTERM')
      signal.addEventListener('abort', stop, { once: true })
      if (signal.aborted) stop()
      return { output, failed: ended() }

      async function ended(): Promise<string | undefined> {
        try {
          const [code, by] = (await once(child, 'close')) as [number | null, string | null]
          return code === 0 ? undefined : by === null ? `exit status ${code}` : `signal: ${by}`
        } catch (error) {
          return error instanceof Error ? error.message : String(error)
        } finally {
          signal.removeEventListener('abort', stop)
          output.end()
        }
      }
    },
  }
}
