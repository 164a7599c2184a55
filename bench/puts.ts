import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { find } from '../test/peers.ts'
import { type Contender, rss, type Running } from './servers.ts'

const exec = promisify(execFile)
const UPLOADS = 64
const SIZE = 100_000_000

/** A folder in memory, where the disk does not decide, with the file to upload. */
export interface Place {
  readonly dir: string
  readonly file: string
  remove(): void
}

export function place(): Place {
  const dir = mkdtempSync('/dev/shm/sluice-bench-')
  const file = join(dir, 'source.bin')
  writeFileSync(file, Buffer.alloc(SIZE, 'sluice '))
  mkdirSync(join(dir, 'in'), { mode: 0o777 })
  return { dir, file, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

/** Servers that take uploads into the folder. */
export function putContenders({ dir }: Place): readonly Contender[] {
  const target = join(dir, 'in')
  return [
    {
      name: 'sluice',
      command(_root, port, scratch) {
        const serve = ['serve', 'http', target, '--addr', `127.0.0.1:${port}`]
        const write = ['--write', target, '--max-upload', 'off', '--temp-dir', dir]
        return [process.execPath, join(scratch, 'package/bin/sluice.js'), ...serve, ...write]
      },
    },
    {
      name: 'nginx',
      command(_root, port, scratch) {
        const program = find('nginx')
        if (!program) return undefined
        const file = join(scratch, `put-${port}.conf`)
        writeFileSync(
          file,
          `daemon off; master_process off; pid ${scratch}/put-${port}.pid; error_log /dev/null;
           events { worker_connections 1024; }
           http { access_log off; client_max_body_size 0; client_body_temp_path ${dir}/nginx;
             proxy_temp_path ${scratch}/p; fastcgi_temp_path ${scratch}/f; uwsgi_temp_path ${scratch}/u; scgi_temp_path ${scratch}/s;
             server { listen 127.0.0.1:${port}; root ${target}; dav_methods PUT DELETE; } }`,
        )
        return [program, '-c', file, '-p', scratch]
      },
    },
  ]
}

/** Bytes per second of many uploads at once, and how much memory (bytes) the server took for them. */
export async function upload(server: Running, { dir, file }: Place): Promise<{ speed: number; memory: number }> {
  const config = join(dir, 'curl.conf')
  const names = Array.from({ length: UPLOADS }, (_, i) => `up-${i}.bin`)
  writeFileSync(
    config,
    names
      .map((name) => `url="http://127.0.0.1:${server.port}/${name}"\nupload-file="${file}"\noutput="/dev/null"`)
      .join('\n'),
  )
  const before = rss(server.pid)
  let peak = before
  const watch = setInterval(() => (peak = Math.max(peak, rss(server.pid))), 50)
  const begin = performance.now()
  const args = [
    '-c',
    '1',
    'curl',
    '-sf',
    '-Z',
    '--parallel-max',
    String(UPLOADS),
    '--parallel-immediate',
    '-H',
    'Expect:',
  ]
  await exec('taskset', [...args, '-K', config]).finally(() => clearInterval(watch))
  const seconds = (performance.now() - begin) / 1000
  for (const name of names) rmSync(join(dir, 'in', name))
  return { speed: (UPLOADS * SIZE) / seconds, memory: peak - before }
}
