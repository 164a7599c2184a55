import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'

const exec = promisify(execFile)

/** Requests per second that `wrk` gets on core 1, keep-alive, over `seconds`. */
export async function requestsPerSecond(
  url: string,
  options: { connections: number; seconds: number; script?: string },
): Promise<number> {
  const args = [
    '-t1',
    `-c${options.connections}`,
    `-d${options.seconds}s`,
    ...(options.script ? ['-s', options.script] : []),
    url,
  ]
  const { stdout } = await exec('taskset', ['-c', '1', 'wrk', ...args])
  if (/Non-2xx or 3xx responses: [1-9]/.test(stdout)) throw new Error(`errors from ${url}:\n${stdout}`)
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1])
}

/** Bytes per second of one download. The bytes go from the socket through `dd` in large reads: curl would be the slowest part. */
export async function bytesPerSecond(port: number, path: string, size: number): Promise<number> {
  const script = `exec 3<>/dev/tcp/127.0.0.1/${port}
printf 'GET ${path} HTTP/1.1\\r\\nHost: localhost\\r\\nConnection: close\\r\\n\\r\\n' >&3
exec taskset -c 1 dd bs=1M of=/dev/null status=none <&3`
  const begin = performance.now()
  await exec('timeout', ['60', 'bash', '-c', script])
  return size / ((performance.now() - begin) / 1000)
}

/** Milliseconds of one request by curl. */
export async function requestMs(url: string): Promise<{ total: number; first: number }> {
  const { stdout } = await exec('taskset', [
    '-c',
    '1',
    'curl',
    '-s',
    '-o',
    '/dev/null',
    '-w',
    '%{time_total} %{time_starttransfer}',
    url,
  ])
  const [total, first] = stdout.split(' ').map((text) => Number(text) * 1000)
  return { total: total ?? NaN, first: first ?? NaN }
}

/** A wrk script that asks for random ranges of 64 KiB. */
export function rangeScript(scratch: string, size: number): string {
  const file = join(scratch, 'ranges.lua')
  writeFileSync(
    file,
    `math.randomseed(42)
     request = function()
       local at = math.random(0, ${Math.floor(size / 65_536) - 1}) * 65536
       return wrk.format('GET', nil, { ['Range'] = 'bytes=' .. at .. '-' .. (at + 65535) })
     end`,
  )
  return file
}

/** Opens `count` connections, each after `request` was sent (nothing for ''), and leaves them alone. */
export async function hold(port: number, count: number, request: string): Promise<Socket[]> {
  const sockets: Socket[] = []
  for (let opened = 0; opened < count; opened += 200) {
    const batch = Array.from({ length: Math.min(200, count - opened) }, () => open(port, request))
    sockets.push(...(await Promise.all(batch)))
  }
  return sockets
}

function open(port: number, request: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.on('error', () => {}) // the server may end it when we are done
      socket.pause()
      if (request) socket.write(request)
      resolve(socket)
    })
  })
}
