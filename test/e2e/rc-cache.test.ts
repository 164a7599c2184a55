import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { missing } from '../peers.ts'
import { files, rcd, scratch } from '../program.ts'
import { rcloneRcd } from '../rclone.ts'

type Call = (method: string, input?: object) => Promise<{ status: number; body: Record<string, unknown> }>

async function theirs(t: TestContext): Promise<Call> {
  const url = await rcloneRcd(t, ['--rc-no-auth', '--cache-dir', scratch(t)])
  return async (method, input = {}) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(url + method, { method: 'POST', headers, body: JSON.stringify(input) })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
}

test('cache methods answer as those of rclone', { skip: missing('rclone') }, async (t) => {
  const dir = scratch(t)
  files(dir, { 'hello.txt': 'hello', 'sub/deep.bin': 'x'.repeat(2_500_000), 'sub/b.txt': 'b' })
  const fs = `:cache,remote='${dir}',chunk_size=1Mi:`
  const server = await rcd(t)
  const ours: Call = (method, input) => server.call(method, input)
  const rclone = await theirs(t)
  const calls: readonly (readonly [method: string, input: object])[] = [
    ['operations/list', { fs, remote: '', opt: { recurse: true, noModTime: true, noMimeType: true } }],
    ['cache/fetch', { chunks: '0', file: 'hello.txt' }],
    ['cache/fetch', { chunks: ':1,-1:', file: 'sub/deep.bin' }],
    ['cache/fetch', { chunks: '0:9', file: 'sub/deep.bin', file2: 'sub/b.txt' }],
    ['cache/fetch', { chunks: '0', file: 'sub/deep.bin' }],
    ['cache/expire', {}],
    ['cache/expire', { remote: 'nowhere' }],
    ['cache/expire', { remote: 'sub' }],
    ['cache/expire', { remote: 'hello.txt', withData: 'true' }],
  ]
  const sorted = (list: unknown) =>
    Array.isArray(list) ? list.map((one) => (one as { Path: string }).Path).sort() : list
  for (const [method, input] of calls) {
    const [a, b] = [await ours(method, input), await rclone(method, input)]
    assert.equal(a.status, b.status, `${method} ${JSON.stringify(input)}: ${JSON.stringify([a.body, b.body])}`)
    for (const key of Object.keys(b.body).filter((one) => one !== 'input'))
      assert.deepEqual(sorted(a.body[key]), sorted(b.body[key]), `${method} ${JSON.stringify(input)}`)
  }
  type Stats = Record<'data' | 'files', Record<string, unknown>>
  const [a, b] = [(await ours('cache/stats')).body, (await rclone('cache/stats')).body] as { stats: Stats }[]
  for (const part of ['data', 'files'] as const)
    assert.deepEqual(Object.keys(a?.stats[part] ?? {}).sort(), Object.keys(b?.stats[part] ?? {}).sort())
  assert.deepEqual([a?.stats.data['total-chunks'], a?.stats.data['total-size']], [4, 2_500_001])
})
