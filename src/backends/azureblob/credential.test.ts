import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf, collect } from '../../base/body.ts'
import { testContext } from '../../core/testing.ts'
import type { ClientRequest } from '../../net/client.ts'
import { rejectsWith } from '../../../test/conformance/helpers.ts'
import { applicationLogin, managedIdentity } from './credential.ts'

const ctx = testContext()

/** Microsoft's side: gives tokens in turn that last for so many seconds, and keeps what it was asked. */
function microsoft(seconds: number, status = 200) {
  const asked: { url: URL; headers: ClientRequest['headers']; form: URLSearchParams }[] = []
  const http = {
    async request(_: unknown, { url, headers, body = bodyOf() }: ClientRequest) {
      asked.push({ url, headers, form: new URLSearchParams(Buffer.from(await collect(body)).toString()) })
      const answer = JSON.stringify({ access_token: `token${asked.length}`, expires_in: seconds })
      return { status, url, headers: {}, body: bodyOf(answer) }
    },
  }
  return { asked, http }
}

test('an application logs in with its secret, once for as long as the token lasts', async () => {
  const { asked, http } = microsoft(3600)
  const login = applicationLogin(ctx, http, { tenant: 'a b', id: 'id', secret: 'secret' })
  const tokens = await Promise.all([login.getToken(), login.getToken()])
  assert.deepEqual(
    [...tokens, await login.getToken()].map(({ token }) => token),
    ['token1', 'token1', 'token1'],
  )
  assert.equal(asked[0]?.url.href, 'https://login.microsoftonline.com/a%20b/oauth2/v2.0/token')
  assert.deepEqual(Object.fromEntries(asked[0]?.form ?? []), {
    grant_type: 'client_credentials',
    client_id: 'id',
    client_secret: 'secret',
    scope: 'https://storage.azure.com/.default',
  })
})

test('a token that ends soon is not used again', async () => {
  const { http } = microsoft(60)
  const login = managedIdentity(ctx, http, {})
  assert.equal((await login.getToken()).token, 'token1')
  assert.equal((await login.getToken()).token, 'token2')
})

test('a machine asks for one of its identities', async () => {
  const { asked, http } = microsoft(3600)
  await managedIdentity(ctx, http, { client_id: 'me', object_id: '' }).getToken()
  assert.deepEqual(Object.fromEntries(asked[0]?.url.searchParams ?? []), {
    'api-version': '2018-02-01',
    resource: 'https://storage.azure.com/',
    client_id: 'me',
  })
  assert.deepEqual(asked[0]?.headers, { metadata: 'true' })
})

test('a login that is refused is denied, and asked for again the next time', async () => {
  const { asked, http } = microsoft(3600, 401)
  const login = applicationLogin(ctx, http, { tenant: 't', id: 'id', secret: 'wrong' })
  await rejectsWith(login.getToken(), 'denied')
  await rejectsWith(login.getToken(), 'denied')
  assert.equal(asked.length, 2)
})
