import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import { test, type TestContext } from 'node:test'
import { text } from 'node:stream/consumers'
import { rejectsWith } from '../../../test/conformance/helpers.ts'
import { web } from '../../../test/web.ts'
import type { S3Options } from './options.ts'
import { openTestS3 } from './testing.ts'

interface Asked {
  readonly headers: IncomingHttpHeaders
  readonly form: URLSearchParams
}

/** A token service that gives keys good for so long, and what it was asked; and a store that keeps the logins it saw. */
async function servicesOf(t: TestContext, goodForMs: number, refusal?: string) {
  const asked: Asked[] = []
  const logins: IncomingHttpHeaders[] = []
  const stsEndpoint = await web(t, (request, response) => void answer(request, response))
  const store = await web(t, ({ headers }, response) => {
    logins.push(headers)
    response.writeHead(200, { 'content-length': 0 }).end()
  })
  const open = async (options: Partial<S3Options>) => {
    const given = { roleArn: 'arn:aws:iam::123456789012:role/films', stsEndpoint, noCheckBucket: true, ...options }
    const opened = await openTestS3({ url: store, user: 'OWN', key: 'secret' }, 'bucket', given)
    t.after(() => opened.close())
    return opened
  }
  return { asked, logins, open }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request)
    assert.equal(request.headers['x-amz-content-sha256'], createHash('sha256').update(body).digest('hex'))
    asked.push({ headers: request.headers, form: new URLSearchParams(body) })
    if (refusal !== undefined) {
      const error = `<Error><Type>Sender</Type><Code>${refusal}</Code><Message>not for you</Message></Error>`
      return void response.writeHead(403).end(`<ErrorResponse>${error}</ErrorResponse>`)
    }
    const expiration = new Date(Date.now() + goodForMs).toISOString()
    const keys = `<AccessKeyId>ROLE${asked.length}</AccessKeyId><SecretAccessKey>s</SecretAccessKey>`
    const credentials = `<Credentials>${keys}<SessionToken>token</SessionToken><Expiration>${expiration}</Expiration></Credentials>`
    return void response.end(
      `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>${credentials}</AssumeRoleResult></AssumeRoleResponse>`,
    )
  }
}

const minutes = 60_000
const keyOf = ({ authorization }: IncomingHttpHeaders) => /Credential=([^/]+)\//.exec(authorization ?? '')?.[1]

test('a role is taken on with the own keys, and its keys are used until they run out', async (t) => {
  const { asked, logins, open } = await servicesOf(t, 60 * minutes)
  const session = { roleSessionName: 'ann', roleSessionDuration: 30 * minutes, roleExternalId: 'id & more' }
  const { ctx, remote } = await open({ region: 'eu-west-1', ...session })
  await Promise.all([remote.stat(ctx, 'a'), remote.stat(ctx, 'b')])
  await remote.stat(ctx, 'c')
  const [first] = asked
  assert.equal(asked.length, 1)
  assert.match(
    first?.headers.authorization ?? '',
    /^AWS4-HMAC-SHA256 Credential=OWN\/\d{8}\/eu-west-1\/sts\/aws4_request/,
  )
  assert.deepEqual(Object.fromEntries(first?.form ?? []), {
    Action: 'AssumeRole',
    DurationSeconds: '1800',
    ExternalId: 'id & more',
    RoleArn: 'arn:aws:iam::123456789012:role/films',
    RoleSessionName: 'ann',
    Version: '2011-06-15',
  })
  assert.deepEqual(
    logins.map((headers) => [keyOf(headers), headers['x-amz-security-token']]),
    Array.from({ length: 3 }, () => ['ROLE1', 'token']),
  )
})

test('keys of a role that are about to run out are asked for anew', async (t) => {
  const { asked, logins, open } = await servicesOf(t, 1 * minutes)
  const { ctx, remote } = await open({})
  await remote.stat(ctx, 'a')
  await remote.stat(ctx, 'b')
  assert.deepEqual(logins.map(keyOf), ['ROLE1', 'ROLE2'])
  assert.match(asked[0]?.form.get('RoleSessionName') ?? '', /^sluice-\d+$/)
  assert.equal(asked[0]?.form.has('DurationSeconds'), false)
})

test('a role that is refused, or asked for without keys, is an error that says so', async (t) => {
  const { open } = await servicesOf(t, 60 * minutes, 'AccessDenied')
  const { ctx, remote } = await open({})
  await assert.rejects(remote.stat(ctx, 'a'), { code: 'denied', message: 's3: role_arn: not for you (AccessDenied)' })
  await rejectsWith(open({ accessKeyId: '', secretAccessKey: '' }), 'invalid')
})
