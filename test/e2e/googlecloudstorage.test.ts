import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crossCheck } from '../cross-check.ts'
import { missing } from '../peers.ts'
import { sluice } from '../program.ts'
import { gcs, type Gcs } from '../servers/gcs.ts'

/** The environment that makes the remote `g:`. */
function remoteAt({ url }: Gcs): Record<string, string> {
  return {
    RCLONE_CONFIG_G_TYPE: 'google cloud storage',
    RCLONE_CONFIG_G_ANONYMOUS: 'true',
    RCLONE_CONFIG_G_ENDPOINT: `${url}storage/v1/`,
    RCLONE_CONFIG_G_PROJECT_NUMBER: '7',
  }
}

test(
  'on a fake of Google Cloud Storage, Sluice and rclone find and read what the other stored',
  { skip: missing('rclone') },
  async (t) => {
    const server = await gcs()
    t.after(() => server.stop())
    await crossCheck(t, { env: remoteAt(server), place: 'g:cross-check', check: [] })
  },
)

test('of an object store, a file and a folder of one name are both copied and compared', async (t) => {
  const server = await gcs()
  t.after(() => server.stop())
  const env = remoteAt(server)
  const [from, to] = ['g:source', 'g:target']
  for (const path of ['a', 'a/b', 'only/here']) await sluice(['rcat', `${from}/${path}`], { env, stdin: path })
  for (const path of ['only', 'gone', 'gone/too']) await sluice(['rcat', `${to}/${path}`], { env, stdin: path })
  assert.equal((await sluice(['sync', from, to], { env })).code, 0)
  assert.equal((await sluice(['lsf', '-R', '--files-only', to], { env })).stdout, 'a\na/b\nonly/here\n')
  const { stdout, code } = await sluice(['check', from, to, '--combined', '-'], { env })
  assert.deepEqual([stdout.split('\n').sort().join('\n'), code], ['\n= a\n= a/b\n= only/here', 0])
})
