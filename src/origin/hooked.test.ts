import assert from 'node:assert/strict'
import { test } from 'node:test'
import { collect } from '../base/body.ts'
import { testContext } from '../core/testing.ts'
import type { HttpResponse } from '../http/message.ts'
import { received, testRequest } from '../http/testing.ts'
import { Files } from './file.ts'
import type { Hook } from './hook.ts'
import { hooked } from './hooked.ts'
import { FakeTree } from './testing.ts'

/** What a hook makes of a GET of a file, and the files that were opened and closed for it. */
async function answered(
  hook: Hook,
  path = '/a.bin',
  host = 'localhost:8080',
): Promise<{ response: HttpResponse; tree: FakeTree }> {
  const tree = new FakeTree({ 'a.bin': { content: '0123456789', slice: true } })
  const files = new Files('bytes')
  const middleware = hooked({
    files,
    origins: [],
    guard: (next) => next,
    current: () => hook,
    open: () => Promise.reject(new Error('nothing to open')),
    groupsOf: () => [],
  })
  const handler = middleware(async (ctx, request) => {
    const node = await tree.lookup(undefined, request.path)
    return node?.kind === 'file' ? await files.serve(ctx, request, node) : { status: 404, headers: [] }
  })
  const request = testRequest(path)
  return { response: await handler(testContext(), { ...request, peer: { ...request.peer, host } }), tree }
}

test('a file that a hook puts another body in the place of is closed', async () => {
  const { response, tree } = await answered({
    onResponse(_, shown) {
      shown.body = 'another'
    },
  })
  const { text, header } = await received(response)
  assert.deepEqual([text, header('etag'), header('accept-ranges')], ['another', undefined, undefined])
  response.done?.({ bytes: 7, complete: true })
  assert.deepEqual([tree.opened, tree.closed], [['a.bin'], ['a.bin']])
})

test('a file that a hook makes something else of is read and closed', async () => {
  const { response, tree } = await answered({
    onResponse(_, shown) {
      const { body } = shown
      assert.ok(typeof body === 'object' && Symbol.asyncIterator in body)
      shown.body = (async function* () {
        for await (const chunk of body) yield Buffer.from(chunk).reverse()
      })()
    },
  })
  assert.equal((await received(response)).text, '3210765498', 'it comes in pieces of four bytes')
  response.done?.({ bytes: 10, complete: true })
  assert.deepEqual([tree.opened, tree.closed], [['a.bin'], ['a.bin']])
})

test('a file is closed when the hook fails after it was opened', async () => {
  for (const hook of [
    {
      onResponse() {
        throw new Error('no')
      },
    },
    { onRequest: () => ({ headers: { 'x-a': 'a\nb' } }) },
  ]) {
    const { response, tree } = await answered(hook)
    assert.equal(response.status, 500)
    assert.deepEqual([tree.opened, tree.closed], [['a.bin'], ['a.bin']])
  }
})

test('a slowed body is the same body, in pieces', async () => {
  const asked: [number, number][] = []
  const { response } = await answered({
    onRequest: () => ({
      throttle(done, total) {
        asked.push([done, total])
        return 0
      },
    }),
  })
  assert.equal(response.length, 10)
  assert.ok(typeof response.body === 'object' && Symbol.asyncIterator in response.body)
  assert.equal(Buffer.from(await collect(response.body)).toString(), '0123456789')
  assert.deepEqual(asked[0], [0, 10])
})

test('a hook has a URL to look at, whatever the client calls the server', async () => {
  for (const [host, href] of [
    ['example:81', 'http://example:81/a.bin?x'],
    ['1.2.3.4.5', 'http://localhost/a.bin?x'],
    ['h:99999', 'http://localhost/a.bin?x'],
    ['', 'http://localhost/a.bin?x'],
  ] as const) {
    const { response } = await answered({ onRequest: ({ url }) => ({ body: url.href }) }, '/a.bin?x', host)
    assert.equal(response.body, href)
  }
})
