import assert from 'node:assert/strict'
import { generateKeyPairSync, verify } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { defaultsOf } from '../../schema/option.ts'
import { scratch } from '../../../test/program.ts'
import { gcsOptions } from './index.ts'
import { type GcsOptions, loginOf } from './login.ts'

/** Google's side: gives tokens in turn, and keeps what it was asked. */
function google() {
  const asked: URLSearchParams[] = []
  const ask: typeof fetch = async (_target, init) => {
    asked.push(new URLSearchParams(init?.body as string | URLSearchParams))
    return Response.json({ access_token: `token${asked.length}`, expires_in: 3600, token_type: 'Bearer' })
  }
  const login = (config: Partial<GcsOptions>) => loginOf({ ...defaultsOf(gcsOptions), ...config }, ask)
  return { asked, login }
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const key = {
  type: 'service_account',
  client_email: 'ann@example.com',
  private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
}

test('a service account signs for a token, which is kept while it lasts', async (t) => {
  const file = join(scratch(t), 'key.json')
  writeFileSync(file, JSON.stringify(key))
  for (const config of [{ serviceAccountCredentials: JSON.stringify(key) }, { serviceAccountFile: file }]) {
    const { asked, login } = google()
    const headers = login(config)
    for (let i = 0; i < 2; i++) assert.deepEqual(await headers(), { authorization: 'Bearer token1' })
    assert.equal(asked.length, 1)
    const [head = '', claims = '', signature = ''] = (asked[0]?.get('assertion') ?? '').split('.')
    assert.ok(verify('sha256', Buffer.from(`${head}.${claims}`), publicKey, Buffer.from(signature, 'base64url')))
    const { iss, scope } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { iss: string; scope: string }
    assert.equal(iss, 'ann@example.com')
    assert.match(scope, /devstorage/)
  }
})

test('a user has a token for as long as it lasts, then it is refreshed', async () => {
  const { asked, login } = google()
  const token = (expiry: string) =>
    JSON.stringify({ access_token: 'first', refresh_token: 'again', token_type: 'Bearer', expiry })
  const client = { clientId: 'id', clientSecret: 'secret' }
  const fresh = login({ ...client, token: token('2999-01-01T00:00:00Z') })
  assert.deepEqual(await fresh(), { authorization: 'Bearer first' })
  assert.equal(asked.length, 0)
  const old = login({ ...client, token: token('2001-02-03T04:05:06.789Z') })
  assert.deepEqual(await old(), { authorization: 'Bearer token1' })
  assert.equal(asked[0]?.get('refresh_token'), 'again')
  assert.equal(asked[0]?.get('client_id'), 'id')
})

test('public buckets need no login', async () => {
  assert.deepEqual(await google().login({ anonymous: true })(), {})
})

test('a key of a service account that is none is denied, and its text is not told', async () => {
  const wrong = JSON.stringify({ ...key, private_key: 'my secret' })
  const denied = { code: 'denied', message: /^(?!.*my secret)/ }
  await assert.rejects(google().login({ serviceAccountCredentials: wrong })(), denied)
})
