import { test } from 'node:test'
import { crossCheck } from '../cross-check.ts'
import { missing } from '../peers.ts'
import { gcs } from '../servers/gcs.ts'

test(
  'on a fake of Google Cloud Storage, Sluice and rclone find and read what the other stored',
  { skip: missing('rclone') },
  async (t) => {
    const server = await gcs()
    t.after(() => server.stop())
    const env = {
      RCLONE_CONFIG_G_TYPE: 'google cloud storage',
      RCLONE_CONFIG_G_ANONYMOUS: 'true',
      RCLONE_CONFIG_G_ENDPOINT: `${server.url}storage/v1/`,
      RCLONE_CONFIG_G_PROJECT_NUMBER: '7',
    }
    await crossCheck(t, { env, place: 'g:cross-check', check: [] })
  },
)
