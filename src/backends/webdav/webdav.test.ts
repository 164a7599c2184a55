import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { testContext } from '../../core/testing.ts'
import { defaultsOf, type Values } from '../../schema/option.ts'
import { type Opened, remoteBehaviour } from '../../../test/conformance/remote.ts'
import { run } from '../../../test/conformance/servers.ts'
import { missing } from '../../../test/peers.ts'
import { apache } from '../../../test/servers/apache.ts'
import { nextcloud } from '../../../test/servers/nextcloud.ts'
import { freePort } from '../../../test/web.ts'
import { webdavOptions } from './index.ts'
import { WebdavRemote } from './remote.ts'

async function open(config: Partial<Values<typeof webdavOptions>>, stop: () => Promise<void>): Promise<Opened> {
  const ctx = testContext()
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  const args = { name: ':webdav', root: 'some/where', config: { ...defaultsOf(webdavOptions), ...config }, openRemote }
  const remote = WebdavRemote.open(ctx, args)
  await remote.mkdir(ctx, '')
  return {
    ctx,
    remote,
    async close() {
      await remote.close?.()
      await stop()
    },
  }
}

remoteBehaviour('webdav of Apache', {
  skip: missing('apache2'),
  async open() {
    const { url, user, pass, stop } = await apache()
    return await open({ url, user, pass }, stop)
  },
})

remoteBehaviour('webdav of rclone', {
  skip: missing('rclone'),
  async open() {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-webdav-'))
    const port = await freePort()
    const args = ['serve', 'webdav', dir, '--config', '', '--addr', `127.0.0.1:${port}`, '--dir-cache-time', '0s']
    const { url, stop } = await run('rclone', args, port)
    // Debian's is too old for what the vendor `rclone` can do.
    return await open({ url }, async () => {
      await stop()
      rmSync(dir, { recursive: true })
    })
  },
})

remoteBehaviour('webdav of Nextcloud', {
  async open() {
    const { url, stop } = await nextcloud()
    return await open({ url, vendor: 'nextcloud', user: 'ann', pass: 'secret', nextcloudChunkSize: 64 * 1024 }, stop)
  },
})
