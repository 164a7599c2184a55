import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'

const program = join(import.meta.dirname, '..', 'bin', 'sluice.js')

/** A directory of the test's own, removed at its end. */
export function scratch(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-test-'))
  // A program that is still to be ended may write into it meanwhile.
  t.after(() => rmSync(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 }))
  return dir
}

/** Writes files below `dir`: path → content. A path that ends in `/` is a directory. */
export function files(dir: string, tree: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(tree)) {
    const full = join(dir, path)
    if (path.endsWith('/')) mkdirSync(full, { recursive: true })
    else {
      mkdirSync(dirname(full), { recursive: true })
      writeFileSync(full, content)
    }
  }
}

export function touch(path: string, time: string): void {
  utimesSync(path, new Date(time), new Date(time))
}

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end. Never throws for a status other than 0. */
export function run(
  command: string,
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; stdin?: string } = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      command,
      [...args],
      {
        env: { ...process.env, ...options.env },
        cwd: options.cwd,
        timeout: 60_000,
        maxBuffer: 1 << 26,
        killSignal: 'SIGKILL',
      },
      (error, stdout, stderr) => {
        if (error && typeof error.code === 'string') reject(error)
        else resolve({ code: child.exitCode, stdout, stderr })
      },
    )
    child.stdin?.on('error', () => {}) // a program that does not read
    child.stdin?.end(options.stdin ?? '')
  })
}

/** Runs `sluice ARGS` to its end, with no configuration unless the arguments or the environment name one. */
export function sluice(
  args: readonly string[],
  options: { env?: Record<string, string>; cwd?: string; stdin?: string } = {},
): Promise<Ended> {
  return run(process.execPath, [program, ...args], {
    ...options,
    env: { RCLONE_CONFIG: '/nonexistent/rclone.conf', ...options.env },
  })
}

/** Starts `sluice ARGS`, to be ended while it works. It ends with the test at the latest. */
export function begin(t: TestContext, args: readonly string[]): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, RCLONE_CONFIG: '/nonexistent/rclone.conf' },
  })
  t.after(() => child.kill('SIGKILL'))
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name].setEncoding('utf8').on('data', (text: string) => (texts[name] += text))
  return { child, ended: once(child, 'close').then(() => ({ code: child.exitCode, ...texts })) }
}

export interface Server {
  /** `http://127.0.0.1:12345/`, the first URL of the start line. */
  readonly url: string
  readonly port: number
  readonly pid: number
  readonly child: ChildProcess
  /** All that it logged so far. */
  log(): string
  /** Resolves when the log matches. */
  logged(pattern: RegExp): Promise<void>
  /** Ends it and gives its exit status. */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

interface StartOptions {
  readonly env?: Record<string, string>
  readonly cwd?: string
}

/** Starts `sluice ARGS --addr 127.0.0.1:0` and waits for the line that says where it listens. It ends with the test. */
export async function serve(
  t: TestContext,
  args: readonly string[],
  options: StartOptions & { addr?: readonly string[] } = {},
): Promise<Server> {
  const addr = options.addr ?? ['--addr', '127.0.0.1:0']
  return await start(t, [...args, ...addr], /Server started on \[([^\], ]*)/, options)
}

/** A remote control server, and how to call it. */
export interface Rcd extends Server {
  /** Calls a method with JSON. Gives the status and the answer. */
  call(method: string, input?: object): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }>
}

/** Starts `sluice rcd ARGS`; without any, everybody may call everything. It ends with the test. */
export async function rcd(
  t: TestContext,
  args: readonly string[] = ['--rc-no-auth'],
  options: StartOptions = {},
): Promise<Rcd> {
  const cache = ['--cache-dir', scratch(t)]
  const all = ['rcd', '--rc-addr', '127.0.0.1:0', ...cache, ...args]
  const server = await start(t, all, /Serving remote control on (\S*)/, options)
  return {
    ...server,
    async call(method, input = {}) {
      const response = await fetch(server.url + method, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(input),
      })
      return {
        status: response.status,
        body: (await response.json()) as Record<string, unknown>,
        headers: response.headers,
      }
    },
  }
}

async function start(t: TestContext, args: readonly string[], ready: RegExp, options: StartOptions): Promise<Server> {
  const child = spawn(process.execPath, [program, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
    cwd: options.cwd,
    env: { ...process.env, RCLONE_CONFIG: '/nonexistent/rclone.conf', ...options.env },
  })
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  async function logged(pattern: RegExp): Promise<void> {
    while (!pattern.test(text)) {
      if (child.exitCode !== null || child.signalCode !== null)
        throw new Error(`sluice ended (${child.exitCode}) before ${pattern}: ${text}`)
      const waiting = new AbortController()
      await Promise.race([once(child.stderr, 'data', waiting), once(child, 'exit', waiting)])
      waiting.abort()
    }
  }
  async function stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal)
      await once(child, 'exit')
    }
    return child.exitCode
  }
  t.after(() => stop('SIGKILL'))
  await logged(ready)
  const url = ready.exec(text)?.[1] ?? ''
  return {
    url,
    port: Number(/:(\d+)\//.exec(url)?.[1]),
    pid: child.pid as number,
    child,
    log: () => text,
    logged,
    stop,
  }
}
