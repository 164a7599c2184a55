import { test } from 'node:test'
import { crossCheck } from '../cross-check.ts'
import { missing } from '../peers.ts'
import { run } from '../program.ts'
import { apache } from '../servers/apache.ts'

test(
  'on Apache, Sluice and rclone find and read what the other stored',
  { skip: missing('apache2', 'rclone') },
  async (t) => {
    const { url, user, pass, stop } = await apache()
    t.after(stop)
    const { stdout } = await run('rclone', ['obscure', pass])
    const env = {
      RCLONE_CONFIG_DAV_TYPE: 'webdav',
      RCLONE_CONFIG_DAV_URL: url,
      RCLONE_CONFIG_DAV_VENDOR: 'other',
      RCLONE_CONFIG_DAV_USER: user,
      RCLONE_CONFIG_DAV_PASS: stdout.trim(),
    }
    await crossCheck(t, { env, place: 'dav:cross' })
  },
)
