import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { scratch, serve } from '../program.ts'

/** `ROUNDS=200 node --test test/e2e/vfs-crash.test.ts` is the long way; otherwise as many as fit in this time, ms. */
const ROUNDS = Number(process.env.ROUNDS ?? 20)
const TIME = process.env.ROUNDS === undefined ? 20_000 : Infinity
const LEAST = 6
const NAMES = Array.from({ length: 6 }, (_, i) => `dir ${i % 2}/file ${i}.bin`)

/** What a name may hold: the last content that was acknowledged, or one that was sent after it. */
type Allowed = Map<string, string[]>

/** A generator of numbers below `n` that gives the same ones each time. */
function dice(seed: number): (n: number) => number {
  let state = seed
  return (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
}

async function start(t: TestContext, dir: string, cache: string) {
  const mode = ['--vfs-cache-mode', 'writes', '--vfs-write-back', '1ms', '--cache-dir', cache]
  return await serve(t, ['serve', 'http', dir, '--write', dir, ...mode])
}

/** Uploads one version after the other until the server is gone; tells of each that was acknowledged. */
async function upload(url: string, name: string, allowed: Allowed, next: () => string, tell: () => void) {
  for (;;) {
    const content = next()
    allowed.get(name)?.push(content)
    try {
      const { status } = await fetch(url + encodeURI(name), { method: 'PUT', body: content })
      assert.ok(status === 201 || status === 204, `${status}`)
    } catch (error) {
      if (error instanceof assert.AssertionError) throw error
      return
    }
    tell()
    allowed.set(name, [content])
  }
}

test('a server that is killed while it takes and uploads files loses none that it has acknowledged', async (t) => {
  const [dir, cache] = [scratch(t), scratch(t)]
  const roll = dice(11)
  const allowed: Allowed = new Map(NAMES.map((name) => [name, ['']]))
  const begun = performance.now()
  let count = 0
  let acknowledged = 0
  const version = () => `${++count} `.repeat(1 + roll(roll(4) === 0 ? 100_000 : 300))
  for (let round = 0; round < ROUNDS; round++) {
    if (round >= LEAST && performance.now() - begun > TIME) break
    const server = await start(t, dir, cache)
    for (const name of NAMES) await check(server.url, name, allowed)
    const some = Promise.withResolvers<void>()
    const tell = () => {
      acknowledged++
      some.resolve()
    }
    const uploads = NAMES.map((name) => upload(server.url, name, allowed, version, tell))
    // Every other time not before something was acknowledged, which takes long on a busy machine.
    if (round % 2 === 0) await some.promise
    setTimeout(() => server.child.kill('SIGKILL'), roll(400))
    await Promise.all(uploads)
    await server.stop('SIGKILL')
  }
  assert.ok(acknowledged >= LEAST, `${acknowledged} were acknowledged`)
  const last = await start(t, dir, cache)
  for (const name of NAMES) {
    const content = await check(last.url, name, allowed)
    if (content === '') continue
    const stored = join(dir, name)
    while (!existsSync(stored) || readFileSync(stored, 'utf8') !== content)
      await new Promise((resolve) => setTimeout(resolve, 10))
  }
  await last.stop('SIGKILL')
})

/** What the server has under a name must be one of those versions, and whole; from then on it is the one. */
async function check(url: string, name: string, allowed: Allowed): Promise<string> {
  const response = await fetch(url + encodeURI(name))
  const text = await response.text()
  const content = response.status === 404 ? '' : text
  assert.ok(allowed.get(name)?.includes(content), `${name}: ${response.status} ${content.slice(0, 20)}`)
  allowed.set(name, [content])
  return content
}
