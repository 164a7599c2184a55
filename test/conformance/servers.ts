import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { find } from '../peers.ts'
import { freePort, listening } from '../web.ts'

export interface FileServer {
  readonly url: string
  readonly stop: () => Promise<void>
}

export interface FileServerKind {
  readonly start: (root: string) => Promise<FileServer>
  /** Names that it does not show. */
  readonly impossibleNames: readonly string[]
}

/** Real web servers that show a directory. */
export const fileServers: Readonly<Record<string, FileServerKind>> = {
  nginx: {
    impossibleNames: ['odd/.hidden', 'odd/..two', 'odd/...'],
    async start(root) {
      const dir = mkdtempSync(join(tmpdir(), 'sluice-nginx-'))
      const port = await freePort()
      const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
      const config = `worker_processes 1; daemon off; pid ${dir}/pid; error_log ${dir}/error.log;
events { worker_connections 256; }
http { access_log off; types { text/html html; text/plain txt; } default_type application/octet-stream;
${temps.map((name) => `${name}_temp_path ${dir}/${name};`).join('\n')}
server { listen 127.0.0.1:${port}; root ${root}; autoindex on; charset utf-8; } }`
      writeFileSync(join(dir, 'nginx.conf'), `${process.getuid?.() === 0 ? 'user root;' : ''}${config}`)
      return await run('nginx', ['-c', join(dir, 'nginx.conf'), '-p', dir], port, () =>
        rmSync(dir, { recursive: true }),
      )
    },
  },
  caddy: {
    impossibleNames: [],
    async start(root) {
      const port = await freePort()
      return await run('caddy', ['file-server', '--browse', '--root', root, '--listen', `127.0.0.1:${port}`], port)
    },
  },
  rclone: {
    impossibleNames: [],
    async start(root) {
      const port = await freePort()
      return await run('rclone', ['serve', 'http', root, '--config', '', '--addr', `127.0.0.1:${port}`], port)
    },
  },
}

/** Starts a program that listens on a port of loopback, and waits until it does. */
export async function run(
  program: string,
  args: readonly string[],
  port: number,
  clean = () => {},
): Promise<FileServer> {
  const child = spawn(find(program) ?? program, args, { stdio: 'ignore' })
  const exited = once(child, 'exit')
  await listening(port, child)
  return {
    url: `http://127.0.0.1:${port}/`,
    async stop() {
      child.kill('SIGTERM')
      await exited
      clean()
    },
  }
}
