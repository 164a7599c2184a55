import { spawn } from 'node:child_process'
import { abortError } from '../../base/abort.ts'
import { AppError, messageOf } from '../../base/error.ts'
import type { Values } from '../../schema/option.ts'
import type { sftpOptions } from './index.ts'
import type { Channel } from './session.ts'
import { keep, type Output, type Transport } from './transport.ts'

/** A way to a server by the program of the option `ssh`: one process for SFTP, and one for each command. */
export function programTransport(options: Values<typeof sftpOptions>): Transport {
  const [program = '', ...args] = options.ssh
  const { serverCommand, subsystem } = options
  let child: ReturnType<typeof spawn> | undefined
  return {
    sftp() {
      const ask = serverCommand === '' ? ['-s', subsystem] : [serverCommand]
      const started = spawn(program, [...args, ...ask], { stdio: ['pipe', 'pipe', 'pipe'] })
      child = started
      const stderr = keep(started.stderr)
      const closed = new Promise<void>((resolve) => started.once('close', () => resolve()))
      // It tells what we cannot know: a wrong key, a host that cannot be reached.
      const lastWords = async () => {
        await closed
        return stderr().trim() === '' ? '' : `${program}: ${stderr().trim()}`
      }
      return new Promise<Channel>((resolve, reject) => {
        started.once('error', (error) => reject(notStarted(program, error)))
        started.once('spawn', () =>
          resolve({ input: started.stdout, output: started.stdin, wire: started.stdin, lastWords }),
        )
      })
    },
    run: (command, signal) => runOnce(program, [...args, command], signal),
    end: () => void child?.kill(),
  }
}

function runOnce(program: string, args: readonly string[], signal: AbortSignal): Promise<Output> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], signal })
    const [stdout, stderr] = [keep(child.stdout), keep(child.stderr)]
    child.once('error', (error) => reject(signal.aborted ? abortError(signal) : notStarted(program, error)))
    child.once('close', (code) => resolve({ code, stdout: stdout(), stderr: stderr() }))
  })
}

function notStarted(program: string, error: Error): AppError {
  return new AppError('invalid', `sftp: can't run ${program}: ${messageOf(error)}`, { cause: error })
}
