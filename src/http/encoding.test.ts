import { test } from 'node:test'
import assert from 'node:assert/strict'
import zlib from 'node:zlib'
import { bodyOf } from '../base/body.ts'
import type { Body } from '../base/body.ts'
import { testContext } from '../core/testing.ts'
import { compressBody } from './compress.ts'
import { evaluate } from './conditional.ts'
import { encoding } from './encoding.ts'
import type { EncodingSettings } from './encoding.ts'
import type { HttpResponse, ResponseBody } from './message.ts'
import { received, testRequest } from './testing.ts'

const ctx = testContext()
const text = 'a line of plain text, easy to press\n'.repeat(100)
const decode: Record<string, (bytes: Buffer) => Buffer> = {
  gzip: zlib.gunzipSync,
  br: zlib.brotliDecompressSync,
  zstd: zlib.zstdDecompressSync,
  deflate: zlib.inflateSync,
}

interface Given {
  readonly accept?: string
  readonly body?: ResponseBody
  readonly headers?: readonly string[]
  readonly request?: Record<string, string>
  readonly method?: string
  readonly settings?: Partial<EncodingSettings>
  readonly status?: number
  readonly length?: number
}

function answer(given: Given = {}) {
  const handler = encoding(() => ({ effort: 'on', max: 1e6, ...given.settings }))((): HttpResponse => ({
    status: given.status ?? 200,
    headers: [
      ...(given.headers ?? ['content-type', 'text/plain; charset=utf-8', 'etag', '"e"', 'accept-ranges', 'bytes']),
    ],
    body: given.body ?? text,
    length: given.length,
  }))
  const headers = { ...(given.accept === undefined ? {} : { 'accept-encoding': given.accept }), ...given.request }
  return received(handler(ctx, testRequest('/mid.txt', { method: given.method ?? 'GET', headers })))
}

test('every coding carries the text, names itself, and has an ETag of its own', async () => {
  for (const coding of ['gzip', 'br', 'zstd', 'deflate'])
    for (const effort of ['fast', 'on', 'best'] as const)
      for (const body of [text, Buffer.from(text), () => bodyOf(text)]) {
        const given = typeof body === 'function' ? { body: body(), length: text.length } : { body }
        const got = await answer({ accept: coding, settings: { effort }, ...given })
        assert.equal(got.header('content-encoding'), coding)
        assert.equal(got.header('etag'), `"e-${coding}"`)
        assert.equal(got.header('vary'), 'Accept-Encoding')
        assert.equal(got.header('accept-ranges'), undefined)
        assert.equal(got.length, undefined)
        assert.equal(decode[coding]?.(got.bytes).toString(), text)
        assert.ok(got.bytes.length < text.length / 5)
      }
})

test('what is left alone', async () => {
  const cases: [string, Given, string | undefined][] = [
    ['no Accept-Encoding', {}, 'Accept-Encoding'],
    ['q=0', { accept: 'gzip;q=0' }, 'Accept-Encoding'],
    ['too small', { accept: 'gzip', body: 'x'.repeat(1023) }, 'Accept-Encoding'],
    ['too large', { accept: 'gzip', settings: { max: 3000 } }, 'Accept-Encoding'],
    ['Range asked', { accept: 'gzip', request: { range: 'bytes=0-1' } }, 'Accept-Encoding'],
    ['206', { accept: 'gzip', status: 206 }, 'Accept-Encoding'],
    ['404', { accept: 'gzip', status: 404 }, undefined],
    ['416', { accept: 'gzip', status: 416 }, undefined],
    ['a picture', { accept: 'gzip', headers: ['content-type', 'image/png'] }, undefined],
    ['no type', { accept: 'gzip', headers: [] }, undefined],
    [
      'encoded already',
      { accept: 'gzip', headers: ['content-type', 'text/plain', 'content-encoding', 'br'] },
      undefined,
    ],
    [
      'no-transform',
      { accept: 'gzip', headers: ['content-type', 'text/plain', 'cache-control', 'private, no-transform'] },
      undefined,
    ],
    ['POST', { accept: 'gzip', method: 'POST' }, undefined],
    ['off', { accept: 'gzip', settings: { effort: 'off' } }, undefined],
    ['max 0', { accept: 'gzip', settings: { max: 0 } }, undefined],
  ]
  for (const [name, given, vary] of cases) {
    const got = await answer(given)
    assert.equal(got.text, given.body ?? text, name)
    assert.equal(got.header('vary'), vary, name)
    assert.ok(['br', undefined].includes(got.header('content-encoding')), name)
  }
})

test('Vary is joined with what is there', async () => {
  const vary = async (value: string) =>
    (await answer({ accept: 'gzip', headers: ['content-type', 'text/html', 'vary', value] })).header('vary')
  assert.equal(await vary('Accept'), 'Accept, Accept-Encoding')
  assert.equal(await vary('Origin, accept-encoding'), 'Origin, accept-encoding')
  assert.equal(await vary('*'), '*')
})

test('HEAD has the headers of GET and no length that is not known', async () => {
  const head = await answer({ accept: 'gzip', method: 'HEAD' })
  assert.equal(head.header('content-encoding'), 'gzip')
  assert.equal(head.header('etag'), '"e-gzip"')
  assert.equal(head.length, undefined)
  assert.equal(head.text, '')
})

test('the tag of the compressed form is known again, with the coding that is negotiated', async () => {
  const handler = encoding(() => ({ effort: 'on', max: 1e6 }))((_, request): HttpResponse => {
    const headers = ['etag', '"e"']
    const verdict = evaluate(request, { etag: '"e"' })
    if (verdict !== 'proceed') return { status: verdict === 'failed' ? 412 : 304, headers }
    return { status: 200, headers: ['content-type', 'text/plain', ...headers], body: text }
  })
  const ask = (headers: Record<string, string>) => received(handler(ctx, testRequest('/mid.txt', { headers })))
  const again = await ask({ 'accept-encoding': 'gzip', 'if-none-match': '"a", "e-gzip"' })
  assert.equal(again.status, 304)
  assert.equal(again.header('etag'), '"e-gzip"')
  assert.equal(again.header('vary'), 'Accept-Encoding')
  const plain = await ask({ 'accept-encoding': 'gzip', 'if-none-match': '"e"' })
  assert.deepEqual([plain.status, plain.header('etag'), plain.header('vary')], [304, '"e"', 'Accept-Encoding'])
  assert.equal((await ask({ 'accept-encoding': 'br', 'if-none-match': '"e-gzip"' })).status, 200)
  assert.equal((await ask({ 'if-none-match': '"e-gzip"' })).status, 200)
  assert.equal((await ask({ 'accept-encoding': 'gzip', 'if-match': '"e-gzip"' })).status, 200)
  assert.equal((await ask({ 'accept-encoding': 'br', 'if-match': '"e-gzip"' })).status, 412)
})

test('a body that the handler keeps is compressed once, also for many at the same time', async () => {
  const body = Buffer.from(text)
  const handler = encoding(() => ({ effort: 'on', max: 1e6 }))(() => ({
    status: 200,
    headers: ['content-type', 'text/plain'],
    body,
  }))
  const ask = () => handler(ctx, testRequest('/a', { headers: { 'accept-encoding': 'gzip' } }))
  const [first, second] = await Promise.all([ask(), ask()])
  assert.equal(first.body, second.body)
  const third = ask()
  assert.ok(!(third instanceof Promise), 'and then answered at once')
  assert.equal(third.body, first.body)
  const head = handler(ctx, testRequest('/a', { method: 'HEAD', headers: { 'accept-encoding': 'gzip' } }))
  assert.ok(!(head instanceof Promise))
  assert.equal(head.length, (first.body as Uint8Array).length)
})

/** Endless incompressible data that notes how much was pulled and whether it was given back. */
function endless() {
  const noted = { pulled: 0, left: false }
  async function* chunks() {
    try {
      for (;;) {
        noted.pulled += 65536
        yield crypto.getRandomValues(new Uint8Array(65536))
        await Promise.resolve()
      }
    } finally {
      noted.left = true
    }
  }
  return { noted, body: chunks() }
}

test('the source is pulled only as fast as the client reads, and left when the client leaves', async () => {
  const { noted, body } = endless()
  const reading = compressBody(body, 'gzip', 'on')[Symbol.asyncIterator]()
  for (let i = 0; i < 4; i++) await reading.next()
  await new Promise((resolve) => setImmediate(resolve))
  assert.ok(noted.pulled < 4 * 1024 * 1024, `${noted.pulled} bytes were pulled`)
  await reading.return?.()
  for (let i = 0; i < 50 && !noted.left; i++) await new Promise((resolve) => setImmediate(resolve))
  assert.ok(noted.left)
})

test('a body that nobody reads is given back all the same', async () => {
  let closed = false
  const body: Body = {
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: true, value: undefined }),
      return: () => {
        closed = true
        return Promise.resolve({ done: true, value: undefined })
      },
    }),
  }
  await compressBody(body, 'br', 'on')[Symbol.asyncIterator]().return?.()
  assert.ok(closed)
})

test('a source that fails makes the compressed body fail', async () => {
  // oxlint-disable-next-line require-yield
  const failing = (async function* failing(): AsyncGenerator<Uint8Array> {
    await Promise.resolve()
    throw new Error('disk on fire')
  })()
  await assert.rejects(async () => {
    for await (const chunk of compressBody(failing, 'zstd', 'on')) assert.ok(chunk)
  }, /disk on fire/)
})
