import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { azureblobBackend, azureblobOptions } from '../../src/backends/azureblob/index.ts'
import { gcsBackend, gcsOptions } from '../../src/backends/googlecloudstorage/index.ts'
import { swiftBackend, swiftOptions } from '../../src/backends/swift/index.ts'
import { webdavBackend, webdavOptions } from '../../src/backends/webdav/index.ts'
import { type Body, bodyOf, collect } from '../../src/base/body.ts'
import { mainOptions } from '../../src/core/options.ts'
import { testContext } from '../../src/core/testing.ts'
import { retrying } from '../../src/layers/retry.ts'
import type { Backend } from '../../src/remote/backend.ts'
import type { Remote } from '../../src/remote/remote.ts'
import { defaultsOf, type OptionBlock, type Values } from '../../src/schema/option.ts'
import { noise } from '../conformance/fixture.ts'
import { fileAt, listed } from '../conformance/helpers.ts'
import { type FaultProxy, faultProxy } from '../fault-proxy.ts'
import { missing } from '../peers.ts'
import { apache } from '../servers/apache.ts'
import { azurite } from '../servers/azurite.ts'
import { gcs } from '../servers/gcs.ts'
import { swift, swiftPrograms } from '../servers/swift.ts'

/** A server that says nothing for this long is given up, in ms. */
const PATIENCE_MS = 1000
const policy = { tries: 10, first: 1, longest: 10, random: Math.random }
const base = testContext()
const values = new Map([[mainOptions, { ...defaultsOf(mainOptions), timeout: PATIENCE_MS }]])
const ctx = base.with({ values })

interface Storage {
  readonly skip: string | false
  /** A remote at a folder of its own, all of whose connections go through the proxy. */
  readonly open: (t: TestContext) => Promise<{ remote: Remote; proxy: FaultProxy }>
}

async function opened<B extends OptionBlock>(
  backend: Backend<B>,
  block: B,
  config: Partial<Values<B>>,
): Promise<Remote> {
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  const all = { ...defaultsOf(block), ...config }
  return retrying(policy)(await backend.open(ctx, { name: 'test', root: 'bucket/folder', config: all, openRemote }))
}

/** A proxy in front of a server, and the URL of the server as it is seen through it. */
async function through(t: TestContext, url: string) {
  const proxy = await faultProxy(t, Number(new URL(url).port))
  return { proxy, url: Object.assign(new URL(url), { port: String(proxy.port) }).href }
}

const storages: Readonly<Record<string, Storage>> = {
  webdav: {
    skip: missing('apache2'),
    async open(t) {
      const { user, pass, stop, ...server } = await apache()
      t.after(stop)
      const { proxy, url } = await through(t, server.url)
      return { proxy, remote: await opened(webdavBackend, webdavOptions, { url, user, pass }) }
    },
  },
  azureblob: {
    skip: missing('azurite-blob'),
    async open(t) {
      const server = await azurite()
      t.after(server.stop)
      const { proxy, url: endpoint } = await through(t, server.url)
      return { proxy, remote: await opened(azureblobBackend, azureblobOptions, { endpoint, useEmulator: true }) }
    },
  },
  swift: {
    skip: missing(...swiftPrograms),
    async open(t) {
      const { auth: direct, user, key } = await swift()
      const { proxy, url: auth } = await through(t, direct)
      return { proxy, remote: await opened(swiftBackend, swiftOptions, { auth, user, key }) }
    },
  },
  'google cloud storage': {
    skip: false,
    async open(t) {
      const server = await gcs()
      t.after(server.stop)
      const { proxy, url: endpoint } = await through(t, server.url)
      const login = { accessToken: 'secret', projectNumber: '7' }
      return { proxy, remote: await opened(gcsBackend, gcsOptions, { endpoint, ...login }) }
    },
  },
}

/** Bytes in small pieces; `midway` is called when half of them are gone. */
async function* inTwo(bytes: Uint8Array, midway: () => void): Body & AsyncGenerator<Uint8Array> {
  const piece = 64 * 1024
  for (let at = 0; at < bytes.length; at += piece) {
    if (at === Math.floor(bytes.length / piece / 2) * piece) midway()
    yield bytes.subarray(at, at + piece)
  }
}

for (const [name, { skip, open }] of Object.entries(storages))
  test(`${name}: what a broken network leaves is read to its end, and no half file is stored`, { skip }, async (t) => {
    const { remote, proxy } = await open(t)
    t.after(() => remote.close?.())
    const [old, fresh] = [noise(1_000_000, 'old'), noise(1_000_001, 'new')]
    await remote.put(ctx, 'f.bin', bodyOf(old), { size: old.length })
    for (const fault of [{ cut: 300_000 }, { reset: 300_000 }, { stall: 300_000 }]) {
      const file = await fileAt(ctx, remote, 'f.bin')
      proxy.breakAll()
      const first = proxy.connections
      proxy.faults((connection) => (connection < first + 2 ? fault : undefined))
      const bytes = await collect(await remote.open(ctx, file))
      assert.ok(Buffer.from(bytes).equals(old), JSON.stringify(fault))
      assert.ok(proxy.connections >= first + 3, 'the fault was met twice')
      proxy.faults(() => undefined)
    }
    const put = remote.put(
      ctx,
      'f.bin',
      inTwo(fresh, () => proxy.breakAll()),
      { size: fresh.length },
    )
    const stored = await put.then(
      () => true,
      () => false,
    )
    const bytes = Buffer.from(await collect(await remote.open(ctx, await fileAt(ctx, remote, 'f.bin'))))
    assert.ok(bytes.equals(stored ? fresh : old), 'the file is the old one or the new one')
    assert.deepEqual([...(await listed(ctx, remote, '')).keys()], ['f.bin'])
  })
