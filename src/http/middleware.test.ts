import assert from 'node:assert/strict'
import test from 'node:test'
import { recordingLogger, testContext } from '../core/testing.ts'
import { AppError } from '../base/error.ts'
import { accessLog } from './access.ts'
import { cors } from './cors.ts'
import { errorResponse, errors, errorTable } from './error.ts'
import { headers, parseHeader } from './headers.ts'
import { headerOf, type Handler, type HttpResponse } from './message.ts'
import { testRequest } from './testing.ts'

const ctx = testContext()
const hello: Handler = () => ({ status: 200, headers: ['content-type', 'text/plain'], body: 'hello' })

async function origins(
  settings: { origins?: readonly string[]; mode?: 'on' | 'off' | 'auto' },
  headers: Record<string, string> = {},
  handler = hello,
  method = 'GET',
): Promise<HttpResponse> {
  const middleware = cors({ origins: [], methods: 'GET, HEAD', log: recordingLogger(), ...settings })
  return await middleware(handler)(ctx, testRequest('/', { method, headers }))
}

function allowed(response: HttpResponse): string | undefined {
  return headerOf(response.headers, 'access-control-allow-origin')
}

test('CORS is off until somebody asks for it', async () => {
  const response = await origins({}, { origin: 'http://o' })
  assert.deepEqual(response.headers, ['content-type', 'text/plain'])
})

test('one origin is named on every response, as rclone does', async () => {
  for (const origin of ['http://other', '']) {
    const response = await origins({ origins: ['https://o.example'] }, origin === '' ? {} : { origin })
    assert.equal(allowed(response), 'https://o.example')
    assert.equal(headerOf(response.headers, 'vary'), undefined)
  }
})

test('of several origins the one that asks is named, and caches are told', async () => {
  const settings = { origins: ['http://a', 'http://b'] }
  const match = await origins(settings, { origin: 'http://b' })
  assert.deepEqual([allowed(match), headerOf(match.headers, 'vary')], ['http://b', 'origin'])
  const other = await origins(settings, { origin: 'http://c' })
  assert.deepEqual([allowed(other), headerOf(other.headers, 'vary')], [undefined, 'origin'])
})

test('any origin: always, or only when one is named', async () => {
  assert.equal(allowed(await origins({ origins: ['*'] })), '*')
  assert.equal(allowed(await origins({ mode: 'on' })), '*')
  assert.equal(allowed(await origins({ mode: 'auto' })), undefined)
  assert.equal(allowed(await origins({ mode: 'auto' }, { origin: 'http://o' })), 'http://o')
})

test('errors carry the headers of CORS as well', async () => {
  const response = await origins({ mode: 'auto' }, { origin: 'http://o' }, () => ({ status: 404, headers: [] }))
  assert.equal(allowed(response), 'http://o')
})

test('a preflight is answered without asking further', async () => {
  const never: Handler = () => assert.fail('the preflight went through')
  const asked = {
    origin: 'http://o',
    'access-control-request-method': 'PUT',
    'access-control-request-headers': 'content-type, x-a',
  }
  const response = await origins({ mode: 'auto' }, asked, never, 'OPTIONS')
  assert.equal(response.status, 204)
  assert.equal(headerOf(response.headers, 'access-control-allow-methods'), 'GET, HEAD')
  assert.equal(headerOf(response.headers, 'access-control-allow-headers'), 'content-type, x-a')
  assert.equal(headerOf(response.headers, 'access-control-max-age'), '86400')
  assert.equal(response.body, undefined)
  assert.equal((await origins({ mode: 'auto' }, { origin: 'http://o' }, hello, 'OPTIONS')).status, 200)
})

test('allowing every origin by name is warned of', () => {
  const log = recordingLogger()
  cors({ origins: ['*'], methods: 'GET', log })
  assert.match(log.lines.join(), /^warning: --allow-origin \* lets every web page/)
})

test('headers are added to every response that does not have them', async () => {
  const middleware = headers({ server: 'sluice/1', add: ['X-A: b', 'Content-Type: text/html', 'x-a: c'] })
  const response = await middleware(hello)(ctx, testRequest())
  assert.deepEqual(response.headers, [
    'content-type',
    'text/plain',
    'x-a',
    'b',
    'x-a',
    'c',
    'server',
    'sluice/1',
    'x-content-type-options',
    'nosniff',
  ])
})

test('the list of a response is never changed', async () => {
  const shared: HttpResponse = { status: 200, headers: ['a', 'b'], body: 'x' }
  const handler = headers({ server: 's', add: [] })(() => shared)
  await handler(ctx, testRequest())
  await handler(ctx, testRequest())
  assert.deepEqual(shared.headers, ['a', 'b'])
})

test('a header that cannot be sent is an error at the start', () => {
  assert.deepEqual(parseHeader('X-A:  b: c '), ['x-a', 'b: c'])
  for (const bad of [
    '',
    'novalue',
    ': x',
    'a b: c',
    'x: a\r\nb: c',
    'x: \u{1f600}',
    'x: \0',
    'Content-Length: 3',
    'Connection: close',
  ])
    assert.throws(() => parseHeader(bad), { code: 'usage' }, bad)
})

test('what is thrown becomes the answer of its code', async () => {
  for (const [code, status] of Object.entries(errorTable)) {
    const error = new AppError(code as keyof typeof errorTable, 'no')
    assert.equal(errorResponse(error).status, status)
  }
  const away = errorResponse(new AppError('io', 'connection refused', { retry: 'now' }))
  assert.deepEqual([away.status, away.headers.slice(-2)], [502, ['retry-after', '1']])
  const full = errorResponse(Object.assign(new Error('too many open files'), { code: 'EMFILE' }))
  assert.equal(full.status, 503)
  const middleware = errors()
  const log = recordingLogger()
  const run = (handler: Handler) => middleware(handler)(testContext({ log }), testRequest('/x'))
  assert.equal(
    (
      await run(() => {
        throw new AppError('too-large', 'at most 3 bytes')
      })
    ).body,
    'at most 3 bytes\n',
  )
  assert.equal((await run(() => Promise.reject(new Error('boom')))).status, 500)
  assert.equal((await run(() => Promise.reject(new AppError('aborted', 'left')))).status, 503)
  assert.deepEqual(log.lines, ['error: x: boom'])
})

test('an error tells neither paths nor what lies behind it', () => {
  const cause = new Error('x')
  for (const error of [
    new AppError('invalid', 'bad /etc/passwd'),
    new AppError('invalid', "open '/srv/x'"),
    new AppError('invalid', 'C:\\secret'),
    new AppError('invalid', 'a\nb'),
    new AppError('invalid', 'fine', { cause }),
    new AppError('not-found', 'ENOENT', { cause }),
  ]) {
    const { body } = errorResponse(error)
    assert.ok(body === 'Bad Request\n' || body === 'Not Found\n', error.message)
  }
  const busy = errorResponse(new AppError('busy', 'later', { retry: { afterMs: 2500 } }))
  assert.deepEqual([busy.status, headerOf(busy.headers, 'retry-after')], [503, '3'])
})

async function logged(
  format: 'common' | 'combined' | 'json',
  headers: Record<string, string> = {},
  target = '/a?b=c',
): Promise<string> {
  const lines: string[] = []
  let time = Date.UTC(2001, 1, 3, 4, 5, 6)
  const middleware = accessLog({ format, write: (line) => void lines.push(line), now: () => (time += 250) })
  const request = testRequest(target, { headers })
  request.user = { name: 'al ice', by: 'basic' }
  let before = 0
  const response = await middleware(() => ({ status: 206, headers: [], body: 'x', done: () => void before++ }))(
    ctx,
    request,
  )
  assert.equal(lines.length, 0)
  response.done?.({ bytes: 5, complete: true })
  assert.deepEqual([lines.length, before], [1, 1])
  return lines[0] ?? ''
}

test('a line is written for each response when it is over', async () => {
  assert.equal(
    await logged('common'),
    String.raw`127.0.0.1 - al\x20ice [03/Feb/2001:04:05:06 +0000] "GET /a?b=c HTTP/1.1" 206 5`,
  )
  assert.equal(
    await logged('combined', { referer: 'http://r', 'user-agent': 'curl "x"\\' }),
    String.raw`127.0.0.1 - al\x20ice [03/Feb/2001:04:05:06 +0000] "GET /a?b=c HTTP/1.1" 206 5 "http://r" "curl \"x\"\\"`,
  )
  const json = JSON.parse(await logged('json', { range: 'bytes=0-4' })) as Record<string, unknown>
  assert.deepEqual([json.status, json.bytes, json.ms, json.range, json.user], [206, 5, 250, 'bytes=0-4', 'al ice'])
})

test('a log line has no control characters and no credentials', async () => {
  for (const format of ['combined', 'json'] as const) {
    const line = await logged(format, {
      'user-agent': 'a\x1b[2J\x85\u2028"b',
      authorization: 'Basic c2VjcmV0',
      cookie: 's=1',
    })
    assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u2028]|c2VjcmV0|s=1/)
  }
})

test('nor has it the secrets of a URL, its own or that of the page before', async () => {
  const query = 'pass=one&a=b&access_token=two&X-Amz-Signature=three&password=four'
  for (const format of ['combined', 'json'] as const) {
    const line = await logged(format, { referer: `http://r/?${query}` }, `/a?${query}`)
    assert.doesNotMatch(line, /one|two|three|four/)
    assert.match(line, /\?pass=\*\*\*&a=b&access_token=\*\*\*&X-Amz-Signature=\*\*\*&password=\*\*\*"/)
  }
})
