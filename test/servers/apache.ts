import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '../conformance/servers.ts'
import { find } from '../peers.ts'
import { freePort } from '../web.ts'

export interface Apache {
  /** The root of the WebDAV tree, `http://127.0.0.1:12345/dav/`. */
  readonly url: string
  readonly user: string
  readonly pass: string
  /** The folder on the disk that it serves. */
  readonly files: string
  readonly stop: () => Promise<void>
}

const modules = [
  'mpm_event',
  'authn_core',
  'authn_file',
  'authz_core',
  'authz_user',
  'auth_basic',
  'dav',
  'dav_fs',
  'mime',
  'alias',
]

/** Starts Apache with mod_dav on loopback, with a folder and a login of its own. */
export async function apache(): Promise<Apache> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-apache-'))
  const files = join(dir, 'files')
  mkdirSync(files)
  const [port, user, pass] = [await freePort(), 'ann', 'p a:ß']
  const hashed = execFileSync(find('openssl') ?? 'openssl', ['passwd', '-apr1', pass], { encoding: 'utf8' })
  writeFileSync(join(dir, 'users'), `${user}:${hashed}`)
  writeFileSync(join(dir, 'httpd.conf'), config({ dir, files, port }))
  if (process.getuid?.() === 0) execFileSync('chown', ['-R', 'www-data:www-data', dir])
  const args = ['-d', dir, '-f', join(dir, 'httpd.conf'), '-DFOREGROUND']
  const { stop } = await run('apache2', args, port, () => rmSync(dir, { recursive: true, force: true }))
  return {
    url: `http://127.0.0.1:${port}/dav/`,
    user,
    pass,
    files,
    stop,
  }
}

function config({ dir, files, port }: { dir: string; files: string; port: number }): string {
  const loads = modules.map((name) => `LoadModule ${name}_module /usr/lib/apache2/modules/mod_${name}.so`)
  return `${loads.join('\n')}
Listen 127.0.0.1:${port}
ServerName 127.0.0.1
PidFile ${dir}/pid
ErrorLog ${dir}/error.log
Mutex file:${dir} default
TypesConfig /etc/mime.types
DocumentRoot ${dir}
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
DavLockDB ${dir}/locks
Alias /dav ${files}
<Location /dav>
  Dav On
  AuthType Basic
  AuthName dav
  AuthUserFile ${dir}/users
  Require valid-user
</Location>
`
}
