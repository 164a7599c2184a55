import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { collect } from '../../base/body.ts'
import { testContext } from '../../core/testing.ts'
import { HttpClient } from '../../net/client.ts'
import { defaultsOf } from '../../schema/option.ts'
import { rejectsWith } from '../../../test/conformance/helpers.ts'
import { web } from '../../../test/web.ts'
import { SwiftClient } from './client.ts'
import { swiftOptions } from './index.ts'
import { logIn, type SwiftOptions, withEnvironment } from './login.ts'

const ctx = testContext()

/** A Keystone that gives this answer; tells what it was asked. */
async function keystone(t: TestContext, answer: object) {
  const asked: { url: string | undefined; body: unknown }[] = []
  const url = await web(t, (request, response) => {
    void collect(request).then((bytes) => {
      asked.push({ url: request.url, body: JSON.parse(Buffer.from(bytes).toString()) })
      response.writeHead(201, { 'x-subject-token': 'token3' }).end(JSON.stringify(answer))
    })
  })
  const http = HttpClient.of(ctx)
  t.after(() => http.close())
  const login = (config: Partial<SwiftOptions>) => logIn(ctx, http, { ...defaultsOf(swiftOptions), ...config })
  return { url, asked, login }
}

const catalog3 = {
  token: {
    catalog: [
      { type: 'compute', endpoints: [{ interface: 'public', region: 'one', url: 'http://no/' }] },
      {
        type: 'object-store',
        endpoints: [
          { interface: 'public', region: 'one', url: 'http://one/v1/A' },
          { interface: 'public', region: 'two', url: 'http://two/v1/A' },
          { interface: 'internal', region: 'two', url: 'http://inner/v1/A' },
        ],
      },
    ],
  },
}

test('version 3 logs in with a password for a project, and picks region and endpoint', async (t) => {
  const { url, asked, login } = await keystone(t, catalog3)
  const config = { auth: `${url}v3`, user: 'ann', key: 'secret', domain: 'd', tenant: 'films', region: 'two' }
  const session = await login(config)
  assert.deepEqual([session.url.href, session.token], ['http://two/v1/A/', 'token3'])
  assert.equal((await login({ ...config, endpointType: 'internal' })).url.href, 'http://inner/v1/A/')
  assert.equal((await login({ ...config, storageUrl: 'http://own/x' })).url.href, 'http://own/x/')
  await rejectsWith(login({ ...config, region: 'three' }), 'invalid')
  assert.deepEqual(asked[0], {
    url: '/v3/auth/tokens',
    body: {
      auth: {
        identity: {
          methods: ['password'],
          password: { user: { name: 'ann', domain: { name: 'd' }, password: 'secret' } },
        },
        scope: { project: { name: 'films', domain: { name: 'd' } } },
      },
    },
  })
})

test('version 3 takes an application credential, which has its own project', async (t) => {
  const { url, asked, login } = await keystone(t, catalog3)
  await login({ auth: url, applicationCredentialId: 'id', applicationCredentialSecret: 's', tenant: 'films' })
  assert.deepEqual(asked[0]?.body, {
    auth: { identity: { methods: ['application_credential'], application_credential: { id: 'id', secret: 's' } } },
  })
})

test('version 2 logs in with a password', async (t) => {
  const endpoints = [{ region: 'one', publicURL: 'http://one/v1/A', internalURL: 'http://inner/v1/A' }]
  const { url, asked, login } = await keystone(t, {
    access: { token: { id: 'token2' }, serviceCatalog: [{ type: 'object-store', endpoints }] },
  })
  const session = await login({ auth: `${url}v2.0`, user: 'ann', key: 'secret', tenantId: '7' })
  assert.deepEqual([session.url.href, session.token], ['http://one/v1/A/', 'token2'])
  assert.deepEqual(asked[0], {
    url: '/v2.0/tokens',
    body: { auth: { passwordCredentials: { username: 'ann', password: 'secret' }, tenantId: '7' } },
  })
})

test('a token that was got elsewhere needs no login, and a login without a version says so', async (t) => {
  const { url, asked, login } = await keystone(t, {})
  const session = await login({ storageUrl: 'https://store/v1/A', authToken: 'given' })
  assert.deepEqual([session.url.href, session.token], ['https://store/v1/A/', 'given'])
  await rejectsWith(login({ auth: url, user: 'ann', key: 'secret' }), 'invalid')
  assert.deepEqual(asked, [])
})

test('the environment fills in what the options do not say, when they ask for it', () => {
  const options = { ...defaultsOf(swiftOptions), user: 'own' }
  const env = { OS_USERNAME: 'theirs', OS_PASSWORD: 'secret', OS_TENANT_NAME: 'films', ST_AUTH_VERSION: '2' }
  assert.equal(withEnvironment(options, env).key, '')
  const { user, key, tenant, authVersion } = withEnvironment({ ...options, envAuth: true }, env)
  assert.deepEqual([user, key, tenant, authVersion], ['own', 'secret', 'films', 2])
})

test('a token that has run out is got anew, for a request that can be sent again', async (t) => {
  const seen: string[] = []
  let given = 0
  const url: string = await web(t, (request, response) => {
    const token = String(request.headers['x-auth-token'] ?? '')
    seen.push(`${request.method} ${request.url} ${token}`.trim())
    if (request.url === '/v1.0')
      response.writeHead(200, { 'x-storage-url': `${url}account`, 'x-auth-token': `token${++given}` }).end()
    else response.writeHead(token === 'token1' ? 401 : 204).end()
  })
  const client = new SwiftClient(ctx, { ...defaultsOf(swiftOptions), auth: `${url}v1.0`, user: 'ann', key: 'secret' })
  t.after(() => client.close())
  await client.send(ctx, { method: 'HEAD', place: { bucket: 'b', key: 'a/ü' } })
  assert.deepEqual(seen, [
    'GET /v1.0',
    'HEAD /account/b/a/%C3%BC token1',
    'GET /v1.0',
    'HEAD /account/b/a/%C3%BC token2',
  ])
})
