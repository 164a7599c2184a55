import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import { collect } from '../base/body.ts'
import type { Handler, HttpResponse } from './message.ts'
import { Raw, serve } from './testing-sockets.ts'

/** Answers GET with the path and a version, which may be given again while the version is the same; PUT with what it took. */
class Versions {
  version = 1
  handled = 0
  /** What the answer for `slow` waits for. */
  slow: Promise<void> = turn()
  readonly #kept = new Map<string, HttpResponse>()

  readonly handle: Handler = (_ctx, request) => {
    this.handled++
    if (request.method === 'PUT')
      return collect(request.body).then((bytes) => ({ status: 201, headers: [], body: `took ${bytes.length}` }))
    if (request.path === 'slow') return this.slow.then(() => ({ status: 200, headers: [], body: 'slow' }))
    const key = `${request.path} ${this.version}`
    const answer = this.#kept.get(key) ?? this.#answer(key, this.version)
    this.#kept.set(key, answer)
    return answer
  }

  #answer(text: string, version: number): HttpResponse {
    const body = Buffer.from(text)
    const headers = Object.freeze(['content-length', String(body.length)]) as string[]
    return { status: 200, headers, body, again: () => this.version === version }
  }
}

const get = (path: string) => `GET /${path} HTTP/1.1\r\nHost: x\r\n\r\n`

/** The status and body of each answer in a text, as far as they are whole. */
function answersIn(text: string): string[] {
  const answers: string[] = []
  for (let at = 0; ;) {
    const end = text.indexOf('\r\n\r\n', at) + 4
    if (end < 4) return answers
    const head = text.slice(at, end)
    const length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
    if (text.length < end + length) return answers
    answers.push(`${head.slice(9, 12)} ${text.slice(end, end + length)}`)
    at = end + length
  }
}

function open(t: TestContext, port: number): Raw {
  const raw = new Raw(port)
  raw.socket.setNoDelay(true)
  t.after(() => raw.socket.destroy())
  return raw
}

/** Sends a request several times, each when the one before it was answered, and gives the answers. */
async function ask(raw: Raw, request: string, times: number): Promise<string[]> {
  const before = answersIn(raw.text).length
  for (let i = 1; i <= times; i++) {
    raw.send(request)
    await raw.until((text) => answersIn(text).length === before + i)
  }
  return answersIn(raw.text).slice(before)
}

const times = (count: number, text: string) => Array.from({ length: count }, () => text)

test('the same request again is answered without the handler for as long as the answer is right', async (t) => {
  const versions = new Versions()
  const { port } = await serve(t, versions.handle)
  const raw = open(t, port)
  assert.deepEqual(await ask(raw, get('a'), 20), times(20, '200 a 1'))
  assert.ok(versions.handled < 5, `the handler was asked ${versions.handled} times`)
  versions.version = 2
  assert.deepEqual(await ask(raw, get('a'), 5), times(5, '200 a 2'))
  assert.deepEqual(await ask(raw, get('b'), 5), times(5, '200 b 2'))
  assert.ok(versions.handled < 9, `the handler was asked ${versions.handled} times`)
})

test('whatever else comes on such a connection is served as ever', async (t) => {
  const versions = new Versions()
  const { port } = await serve(t, versions.handle, { uploads: { endless: () => true, early: () => false } })
  const put = 'PUT /p HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc'
  const warm = async () => {
    const raw = open(t, port)
    await ask(raw, get('a'), 9)
    return raw
  }
  const mixed = await warm()
  assert.deepEqual(await ask(mixed, put, 2), times(2, '201 took 3'))
  assert.deepEqual(await ask(mixed, get('a'), 3), times(3, '200 a 1'))
  const connecting = await warm()
  connecting.send(`CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n${get('a')}`)
  assert.equal(
    answersIn(await connecting.end())
      .at(-1)
      ?.slice(0, 3),
    '405',
  )
  const endless = await warm()
  endless.send('PUT /p HTTP/1.1\r\nHost: x\r\n\r\n').send(get('a')).socket.end()
  assert.equal(answersIn(await endless.end()).at(-1), `201 took ${get('a').length}`)
  const broken = await warm()
  broken.send('GET /a HTTP/1.1\r\nHo st: x\r\n\r\n').send(get('a'))
  const answers = answersIn(await broken.end())
  assert.deepEqual([answers.length, answers.at(-1)?.slice(0, 3)], [10, '400'])
})

test('what is like the last request but is a part of another one is no request', async (t) => {
  const { port } = await serve(t, new Versions().handle)
  const header = open(t, port)
  await ask(header, get('a'), 1)
  await ask(header, `${get('a')}GET /b HTTP/1.1\r\nX-A: `, 1)
  assert.deepEqual(await ask(header, get('a'), 1), ['200 b 1'])
  assert.deepEqual(await ask(header, get('a'), 5), times(5, '200 a 1'))
  const body = open(t, port)
  await ask(body, get('a'), 9)
  const length = get('a').length
  await ask(body, `GET /b HTTP/1.1\r\nHost: x\r\nContent-Length: ${length}\r\n\r\n`, 1)
  body.send(get('a'))
  // Nothing tells when a body has come: it is most likely read by then, else this test sees less.
  for (let i = 0; i < 50; i++) await turn()
  assert.deepEqual(await ask(body, get('c'), 1), ['200 c 1'])
})

test('a request that comes again while one before it is under way waits for its turn', async (t) => {
  const versions = new Versions()
  const gate = Promise.withResolvers<void>()
  versions.slow = gate.promise
  const { port } = await serve(t, versions.handle)
  const raw = open(t, port)
  await ask(raw, get('a'), 9)
  for (const path of ['slow', 'a', 'a', 'a']) {
    const before = versions.handled
    raw.send(get(path))
    while (versions.handled === before && answersIn(raw.text).length === 9) await turn()
  }
  gate.resolve()
  await raw.until((text) => answersIn(text).length === 13)
  assert.deepEqual(answersIn(raw.text).slice(9), ['200 slow', ...times(3, '200 a 1')])
})

test('however requests are cut and joined, each is answered as it is, in their order', async (t) => {
  const versions = new Versions()
  const { port } = await serve(t, versions.handle)
  const bodies = fc.constantFrom(get('a'), get('b'), 'x', get('a') + get('a'))
  const message = fc.oneof(
    { weight: 8, arbitrary: fc.constantFrom('a', 'a', 'a', 'b', 'slow').map((p) => [get(p), p] as const) },
    { weight: 1, arbitrary: bodies.map((body) => [putOf(body), `put ${body.length}`] as const) },
  )
  const plan = fc.array(fc.tuple(message, fc.boolean()), { minLength: 8, maxLength: 24 })
  const cuts = fc.array(fc.integer({ min: 1, max: 700 }), { maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(plan, cuts, async (steps, places) => {
      const raw = open(t, port)
      const wanted = steps.map(([[, what]]) => expected(what))
      let text = ''
      let whole = 0
      for (const [[request], waits] of steps) {
        text += request
        whole++
        if (!waits) continue
        await sendCut(raw, text, places)
        text = ''
        await raw.until((got) => answersIn(got).length === whole)
      }
      raw.send(text)
      await raw.until((got) => answersIn(got).length === wanted.length)
      assert.deepEqual(answersIn(raw.text), wanted)
      raw.socket.destroy()
    }),
    { numRuns: 60 },
  )
})

function putOf(body: string): string {
  return `PUT /p HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`
}

function expected(what: string): string {
  if (what.startsWith('put')) return `201 took ${what.slice(4)}`
  return what === 'slow' ? '200 slow' : `200 ${what} 1`
}

/** Sends a text in pieces that end at some places of it, a turn of the event loop apart. */
async function sendCut(raw: Raw, text: string, places: readonly number[]): Promise<void> {
  const ends = [...places.filter((at) => at < text.length), text.length].toSorted((a, b) => a - b)
  let from = 0
  for (const end of ends) {
    raw.send(text.slice(from, end))
    from = end
    await turn()
  }
}
