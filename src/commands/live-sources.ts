import { once } from 'node:events'
import { constants, openSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import type { Readable } from 'node:stream'
import type { Body } from '../base/body.ts'
import { AppError, rethrow } from '../base/error.ts'
import { typeByName } from '../base/mime.ts'
import type { Context } from '../core/context.ts'
import type { Remotes } from '../layers/open.ts'
import type { Mount } from '../media/mount.ts'
import type { OpenedSource, Source } from '../media/source.ts'
import { stationOf } from '../media/station.ts'
import { HttpClient } from '../net/client.ts'
import type { Reach } from '../net/guard.ts'

/** What sources are opened with. */
export interface SourceParts {
  readonly ctx: Context
  readonly env: Readonly<Record<string, string | undefined>>
  readonly remotes: Remotes
  readonly stdin: Readable
  /** False: the text came over the network, and may neither run programs nor read what is meant for this one. */
  readonly exec: boolean
  readonly reach?: Reach | undefined
}

/** The source that a mount names. Throws `denied` for one that this text may not name. */
export function sourceOf(parts: SourceParts, { source, hold }: Pick<Mount, 'source' | 'hold'>): Source {
  const { exec, stdin } = parts
  if (source.startsWith('exec:')) {
    if (!exec) throw new AppError('denied', 'a source that runs a program is not allowed over the network')
    const line = source.slice('exec:'.length)
    return {
      kind: 'program',
      restarts: true,
      onDemand: hold,
      waits: false,
      open: (signal) => runLine(parts, line, signal),
    }
  }
  if (/^https?:\/\//i.test(source))
    return { kind: 'url', restarts: true, onDemand: true, waits: false, open: (signal) => relay(parts, source, signal) }
  if (source === '-') {
    if (!exec) throw new AppError('denied', 'standard input is not for mounts that are made over the network')
    return {
      kind: 'stdin',
      restarts: false,
      onDemand: false,
      waits: false,
      open: () => Promise.resolve({ body: stdin }),
    }
  }
  if (exec && statSync(source, { throwIfNoEntry: false })?.isFIFO())
    return { kind: 'pipe', restarts: true, onDemand: hold, waits: false, open: (signal) => openPipe(source, signal) }
  return {
    kind: 'file',
    restarts: false,
    onDemand: false,
    waits: true,
    open: (signal) => openFile(parts, source, signal),
  }
}

/** A named pipe: programs that write to it come and go, and the stream goes on. */
function openPipe(path: string, signal: AbortSignal): Promise<OpenedSource> {
  // Also for writing: else opening it would wait for a writer, and reading end with one.
  const body = new Socket({
    fd: openSync(path, constants.O_RDWR | constants.O_NONBLOCK),
    readable: true,
    writable: false,
  })
  signal.addEventListener('abort', () => body.destroy(), { once: true })
  return Promise.resolve({ body })
}

/** A file of any remote. */
async function openFile({ ctx, remotes, exec }: SourceParts, text: string, signal: AbortSignal): Promise<OpenedSource> {
  const { remote, file } = await remotes.openAt(text, { exec })
  if (!file) throw new AppError('not-found', `${text}: no such file`)
  return { body: await remote.open(ctx.with({ signal }), file), type: file.contentType ?? typeByName(file.path) }
}

/** What a program writes to its standard output. It is run by the shell, and ended with the mount. */
async function runLine({ ctx, env }: SourceParts, line: string, signal: AbortSignal): Promise<OpenedSource> {
  const { spawn } = await import('node:child_process')
  const child = spawn('/bin/sh', ['-c', line], { stdio: ['ignore', 'pipe', 'inherit'], env, detached: true })
  await once(child, 'spawn').catch(rethrow)
  // The whole group: a shell that is ended alone would leave what it runs behind.
  const end = () => {
    try {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGTERM')
    } catch {
      // it has ended by itself
    }
  }
  signal.addEventListener('abort', end, { once: true })
  const closed = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)))
  async function* output(): Body {
    try {
      yield* child.stdout
      const code = await closed
      if (code !== 0) throw new AppError('io', `${line} ended with ${code === null ? 'a signal' : `status ${code}`}`)
    } finally {
      signal.removeEventListener('abort', end)
      end()
    }
  }
  ctx.log.info(`running ${line.split(/\s/, 1)[0]} as a source`)
  return { body: output() }
}

/** The stream of another server, with the titles that are in it. */
async function relay({ ctx, env, reach }: SourceParts, text: string, signal: AbortSignal): Promise<OpenedSource> {
  const client = HttpClient.of(ctx, { env, reach })
  signal.addEventListener('abort', () => client.close(), { once: true })
  const { headers, body } = await client.fetch(ctx.with({ signal }), {
    method: 'GET',
    url: new URL(text),
    headers: { 'icy-metadata': '1' },
    follow: true,
  })
  const interval = Number(headers['icy-metaint'])
  return {
    body,
    type: headers['content-type'],
    station: stationOf((name) => headers[name]),
    ...(interval > 0 ? { titleInterval: interval } : {}),
  }
}
