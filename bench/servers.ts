import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join, resolve } from 'node:path'
import { once } from 'node:events'
import { find } from '../test/peers.ts'

/** A server under measurement, pinned to core 0. */
export interface Running {
  readonly name: string
  readonly port: number
  readonly pid: number
  /** Milliseconds from the start of the process to the first accepted connection. */
  readonly startMs: number
  stop(): Promise<void>
}

export interface Contender {
  readonly name: string
  /** The command line, or undefined when the program is not installed. */
  command(root: string, port: number, scratch: string): readonly string[] | undefined
}

/** Starts a contender on core 0 and waits until it accepts connections. */
export async function start(contender: Contender, root: string, scratch: string): Promise<Running | undefined> {
  const port = 12_000 + Math.floor(Math.random() * 15_000)
  const command = contender.command(root, port, scratch)
  if (!command) return undefined
  const begin = performance.now()
  const child = spawn('taskset', ['-c', '0', ...command], {
    stdio: 'ignore',
    env: { ...process.env, RCLONE_CONFIG: join(scratch, 'none.conf') },
  })
  if (!(await listening(port, child))) {
    child.kill('SIGKILL')
    throw new Error(`${contender.name} did not start: ${command.join(' ')}`)
  }
  return {
    name: contender.name,
    port,
    pid: child.pid as number,
    startMs: performance.now() - begin,
    async stop() {
      child.kill('SIGTERM')
      const kill = setTimeout(() => child.kill('SIGKILL'), 3000)
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      clearTimeout(kill)
    },
  }
}

async function listening(port: number, child: ChildProcess): Promise<boolean> {
  const end = performance.now() + 10_000
  while (performance.now() < end && child.exitCode === null) {
    if (await accepts(port)) return true
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return false
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

/** Resident memory of a process in bytes; for several processes (nginx) that of its workers too. */
export function rss(pid: number): number {
  return [pid, ...children(pid)].reduce((sum, p) => sum + rssOf(p), 0)
}

/** Processor time that a process has used so far, in ticks. */
export function cpuTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}

function rssOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
}

function children(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}

const nginx: Contender = {
  name: 'nginx',
  command(root, port, scratch) {
    const program = find('nginx')
    if (!program) return undefined
    const file = join(scratch, `nginx-${port}.conf`)
    const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      .map((n) => `${n}_temp_path ${scratch}/${n};`)
      .join('\n')
    writeFileSync(
      file,
      `daemon off; master_process off; pid ${scratch}/nginx-${port}.pid; error_log /dev/null;
       events { worker_connections 16384; }
       http { include /etc/nginx/mime.types; access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000; ${temporary}
         server { listen 127.0.0.1:${port} backlog=4096; root ${root}; autoindex on; } }`,
    )
    return [program, '-c', file, '-p', scratch]
  },
}

const caddy: Contender = {
  name: 'caddy',
  command(root, port) {
    const program = find('caddy')
    return program === undefined
      ? undefined
      : ['env', 'GOMAXPROCS=1', program, 'file-server', '--root', root, '--listen', `127.0.0.1:${port}`, '--browse']
  },
}

const rclone: Contender = {
  name: 'rclone',
  command(root, port) {
    const program = find('rclone')
    return program === undefined
      ? undefined
      : ['env', 'GOMAXPROCS=1', program, 'serve', 'http', root, '--addr', `127.0.0.1:${port}`]
  },
}

/** Sluice as a user of the package has it: built, without sources. `install` puts it there. */
const sluice: Contender = {
  name: 'sluice',
  command: (root, port, scratch) => [
    process.execPath,
    join(scratch, 'package/bin/sluice.js'),
    'serve',
    'http',
    root,
    '--addr',
    `127.0.0.1:${port}`,
  ],
}

/** Lays the built package out in the scratch directory. */
export function install(scratch: string): void {
  const target = join(scratch, 'package')
  for (const part of ['bin', 'dist', 'package.json']) cpSync(part, join(target, part), { recursive: true })
  symlinkSync(resolve('node_modules'), join(target, 'node_modules'))
}

/** Plain node:http with one answer: what our own runtime can do at most. */
const node: Contender = {
  name: 'node:http',
  command: (_root, port) => [
    process.execPath,
    '-e',
    `const b=Buffer.alloc(1024,97);require('http').createServer((q,s)=>{s.writeHead(200,['content-type','text/plain','content-length','1024']);s.end(b)}).listen(${port},'127.0.0.1',4096)`,
  ],
}

export const contenders = { sluice, nginx, caddy, rclone, node } as const
