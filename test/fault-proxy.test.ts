import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { defaultsOf } from '../src/schema/option.ts'
import { OptionSet } from '../src/schema/options.ts'
import { httpBackend } from '../src/backends/http/index.ts'
import type { AppContext } from '../src/core/app-context.ts'
import { mainOptions } from '../src/core/options.ts'
import { testContext } from '../src/core/testing.ts'
import { retrying } from '../src/layers/retry.ts'
import type { Remote } from '../src/remote/remote.ts'
import { noise } from './conformance/fixture.ts'
import { bytesAt } from './conformance/helpers.ts'
import { type Fault, faultProxy, type FaultProxy } from './fault-proxy.ts'
import { web } from './web.ts'

const bytes = noise(3_000_000, 'faults')

/** A web server that honours ranges, behind the proxy, as a remote that tries again. */
async function behind(t: TestContext): Promise<{ remote: Remote; proxy: FaultProxy }> {
  const site = await web(t, (request, response) => {
    const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    const part = bytes.subarray(from)
    const range = { 'content-range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }
    const head = { 'content-length': part.length, etag: '"1"', ...(from > 0 ? range : {}) }
    response.writeHead(from > 0 ? 206 : 200, head).end(request.method === 'HEAD' ? undefined : part)
  })
  const proxy = await faultProxy(t, Number(new URL(site).port))
  const ctx = hasty()
  const config = { ...defaultsOf(httpBackend.options), url: `http://127.0.0.1:${proxy.port}/` }
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  const inner = await httpBackend.open(ctx, { name: 'h', root: '', config, openRemote })
  t.after(() => inner.close?.())
  return { remote: retrying({ tries: 10, first: 0, longest: 0, random: () => 0 })(inner), proxy }
}

/** A context that waits half a second for the next byte. */
function hasty(): AppContext {
  const options = new OptionSet([mainOptions])
  options.set(mainOptions, 'timeout', 500, 'flag')
  return testContext({ options })
}

const faults: Readonly<Record<string, Fault>> = {
  'is cut': { cut: 1_000_000 },
  'is reset': { reset: 1_000_000 },
  stalls: { stall: 1_000_000 },
}
for (const [what, fault] of Object.entries(faults))
  test(`a read over a network that ${what} goes on where it was`, async (t) => {
    const { remote, proxy } = await behind(t)
    proxy.faults(() => fault)
    const got = await bytesAt(hasty(), remote, 'f')
    assert.ok(Buffer.from(got).equals(bytes))
    assert.ok(proxy.connections >= 3, `${proxy.connections} connections`)
  })

test('a network that takes no connection is an error, and no reason to ask for ever', async (t) => {
  const { remote, proxy } = await behind(t)
  proxy.refuse(true)
  await assert.rejects(remote.stat(testContext(), 'f'), { code: 'io' })
})
