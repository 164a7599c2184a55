import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Writable } from 'node:stream'
import { orAbort, throwIfAborted, wait } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { AppError, errorCode, toAppError } from '../base/error.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import { fromMs } from '../base/time.ts'
import type { Consumer, Incoming } from '../media/receive.ts'
import { drained } from '../net/client.ts'
import type { Remote } from '../remote/remote.ts'
import type { CommandIo } from './command.ts'

/** Hands uploads to standard output, one after the other. */
export function toStdout(io: CommandIo): Consumer {
  const turns = new KeyedLock()
  return (_ctx, { body }) =>
    turns.run('', async () => {
      for await (const chunk of body) await io.stdout(chunk)
    })
}

/** Stores uploads in a remote, each under its path once it is whole. */
export function toRemote(remote: Remote): Consumer {
  return async (ctx, { path, type, length, body }) => {
    if (path === '') throw new AppError('is-directory', 'an upload needs a name')
    const size = length === undefined ? {} : { size: length }
    await remote.put(ctx, path, body, { modTime: fromMs(Date.now()), contentType: type, ...size })
  }
}

/** Headers that a command gets without being asked. */
const usual = [
  'content-type',
  'content-length',
  'user-agent',
  'ice-name',
  'ice-genre',
  'ice-description',
  'ice-bitrate',
]

/**
 * Runs a command of the shell for each upload, which reads it from its standard input. `SLUICE_PATH`, `SLUICE_TYPE` and
 * `SLUICE_HEADER_…` tell what it is. A command that ends early or with another status than 0 has not taken it; when the sender
 * gives up the command gets SIGTERM, so that an upload that was cut never looks like one that ended.
 */
export function toCommand(command: string, passHeader: readonly string[]): Consumer {
  const names = [...usual, ...passHeader.map((name) => name.toLowerCase())]
  return async (ctx, upload) => {
    const child = spawn(command, {
      shell: true,
      stdio: ['pipe', 'inherit', 'inherit'],
      env: { ...process.env, ...variables(upload, names) },
      detached: true,
    })
    const ended = endOf(child, command)
    ended.catch(() => {})
    try {
      await Promise.race([pour(upload.body, child.stdin, ctx.signal), ended.then(() => endedEarly(command))])
      child.stdin?.end()
      await ended
    } catch (reason) {
      stop(child)
      await ended.catch(() => {})
      throw reason
    }
  }
}

function variables(upload: Incoming, names: readonly string[]): Record<string, string> {
  const headers = names.flatMap((name) => {
    const value = upload.header(name)
    return value === undefined ? [] : [[`SLUICE_HEADER_${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, '_')}`, value]]
  })
  return {
    SLUICE_PATH: upload.path,
    SLUICE_TYPE: upload.type,
    ...(Object.fromEntries(headers) as Record<string, string>),
  }
}

/** Resolves when a command has ended with status 0, throws for any other end. */
async function endOf(child: ChildProcess, command: string): Promise<void> {
  // A pipe that nobody reads is no reason to fall over.
  child.stdin?.on('error', () => {})
  const [code, signal] = (await once(child, 'close').catch((cause: unknown) => {
    throw new AppError('io', `cannot run ${command}`, { cause })
  })) as [number | null, string | null]
  if (code !== 0) throw new AppError('io', `the command ended with ${signal ?? `status ${code}`}`)
}

function endedEarly(command: string): never {
  throw new AppError('io', `the command ended before it had read all: ${command}`)
}

/** Ends a command with all that it has started. */
function stop({ pid, exitCode, signalCode }: ChildProcess): void {
  if (pid === undefined || exitCode !== null || signalCode !== null) return
  try {
    process.kill(-pid, 'SIGTERM')
  } catch {
    // it has just ended
  }
}

/** Hands uploads to whoever reads a FIFO, one after the other; each waits until somebody does. */
export function toPipe(path: string): Consumer {
  const turns = new KeyedLock()
  return (ctx, { body }) =>
    turns.run('', async () => {
      const pipe = new Socket({ fd: await openPipe(path, ctx.signal), readable: false, writable: true })
      pipe.on('error', () => {})
      try {
        await pour(body, pipe, ctx.signal)
        pipe.end()
        await once(pipe, 'finish')
      } finally {
        pipe.destroy()
      }
    })
}

/** How often it is looked whether somebody reads a FIFO, ms. */
const LOOK_MS = 50

async function openPipe(path: string, signal: AbortSignal): Promise<number> {
  for (;;) {
    throwIfAborted(signal)
    try {
      // Without O_NONBLOCK the opening itself would wait, where nothing could end it.
      const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK)
      if (fstatSync(fd).isFIFO()) return fd
      closeSync(fd)
      throw new AppError('invalid', `${path} is no FIFO: make one with mkfifo, or give a folder`)
    } catch (reason) {
      if (errorCode(reason) !== 'ENXIO') throw toAppError(reason)
    }
    await wait(LOOK_MS, signal)
  }
}

/** Writes a body at the pace of the stream. Throws when nobody takes any more. */
async function pour(body: Body, out: Writable, signal: AbortSignal): Promise<void> {
  for await (const chunk of body) {
    throwIfAborted(signal)
    if (out.destroyed || out.writableEnded) throw new AppError('io', 'whoever read it has gone')
    if (!out.write(chunk)) await orAbort(signal, drained(out))
  }
}
