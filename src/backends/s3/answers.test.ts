import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { bodyOf, collect } from '../../base/body.ts'
import { parseEncoding } from '../../remote/encoding.ts'
import { noise } from '../../../test/conformance/fixture.ts'
import { bytesAt, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { scratch } from '../../../test/program.ts'
import { web } from '../../../test/web.ts'
import type { S3Options } from './options.ts'
import { openTestS3 } from './testing.ts'

/** What stores answer that the real one of these tests does not: each test is a store of a few lines. */

const MIB = 1024 * 1024
type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** A remote at a store that answers like this, and the requests that it got, as `PUT /bucket/key?query`. */
async function storeOf(t: TestContext, answer: Answer, options: Partial<S3Options> = {}) {
  const requests: string[] = []
  const url = await web(t, (request, response) => {
    requests.push(`${request.method} ${request.url}`)
    request.resume().on('end', () => answer(request, response))
  })
  const opened = await openTestS3({ url, user: 'id', key: 'secret' }, 'bucket', { noCheckBucket: true, ...options })
  t.after(() => opened.close())
  return { ...opened, requests }
}

function failed(response: ServerResponse, status: number, code: string, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/xml', ...headers })
  response.end(`<?xml version="1.0"?><Error><Code>${code}</Code><Message>no</Message></Error>`)
}

const isPart = ({ url = '' }: IncomingMessage) => url.includes('partNumber=')

test('a store that knows conditions is asked for a new object in one request, and says when it is taken', async (t) => {
  const taken = new Set<string>()
  const { ctx, remote, requests } = await storeOf(
    t,
    ({ headers, url = '' }, response) => {
      if (headers['if-none-match'] === '*' && taken.has(url)) return failed(response, 412, 'PreconditionFailed')
      taken.add(url)
      return void response.writeHead(200, { etag: '"x"' }).end()
    },
    { provider: 'AWS', forcePathStyle: true },
  )
  const tries = Array.from({ length: 8 }, (_, i) => putText(ctx, remote, 'a.txt', `try ${i}`, { ifAbsent: true }))
  const won = (await Promise.allSettled(tries)).filter(({ status }) => status === 'fulfilled')
  assert.equal(won.length, 1)
  await rejectsWith(putText(ctx, remote, 'a.txt', 'late', { ifAbsent: true }), 'exists')
  assert.ok(
    requests.every((request) => request === 'PUT /bucket/a.txt'),
    requests.join('\n'),
  )
})

test('a store that is asked too often is asked again when it says', async (t) => {
  let refusals = 2
  const { ctx, remote, requests } = await storeOf(t, (_request, response) =>
    refusals-- > 0
      ? failed(response, 503, 'SlowDown', { 'retry-after': '0' })
      : void response.writeHead(200, { etag: '"x"' }).end(),
  )
  assert.equal((await putText(ctx, remote, 'a.txt', 'x')).version, 'x')
  assert.equal(requests.length, 3)
})

test('an error that comes with status 200 is an error, and tried again', async (t) => {
  let failures = 1
  const { ctx, remote, requests } = await storeOf(t, ({ method, url = '' }, response) => {
    if (method === 'PUT') return void response.writeHead(200, { etag: '"p"' }).end()
    if (url.includes('uploads')) return void response.end('<R><UploadId>u</UploadId></R>')
    if (failures-- > 0) return failed(response, 200, 'InternalError')
    return void response.end('<CompleteMultipartUploadResult><ETag>"e-2"</ETag></CompleteMultipartUploadResult>')
  })
  const bytes = noise(6 * MIB, 'again')
  assert.equal((await remote.put(ctx, 'a.bin', bodyOf(bytes), {})).version, 'e-2')
  assert.equal(requests.filter((request) => request === 'POST /bucket/a.bin?uploadId=u').length, 2)
})

test('a new object is not taken for that of somebody else when only the answer to its upload was lost', async (t) => {
  let stored: IncomingMessage['headers'] | undefined
  const { ctx, remote } = await storeOf(
    t,
    ({ method, headers }, response) => {
      if (method === 'HEAD') {
        const etag = Buffer.from(String(stored?.['content-md5']), 'base64').toString('hex')
        const mtime = String(stored?.['x-amz-meta-mtime'])
        return void response.writeHead(200, { etag: `"${etag}"`, 'content-length': 1, 'x-amz-meta-mtime': mtime }).end()
      }
      if (stored) return failed(response, 412, 'PreconditionFailed')
      stored = headers
      return void response.destroy()
    },
    { provider: 'AWS' },
  )
  assert.equal((await putText(ctx, remote, 'a.txt', 'x', { ifAbsent: true })).size, 1)
  await rejectsWith(putText(ctx, remote, 'a.txt', 'y', { ifAbsent: true }), 'exists')
})

test('an upload whose last answer was lost is found done', async (t) => {
  let completed = false
  let mtime = ''
  const { ctx, remote } = await storeOf(t, (request, response) => {
    const { method, url = '', headers } = request
    if (isPart(request)) return void response.writeHead(200, { etag: '"p"' }).end()
    if (method === 'HEAD')
      return void response.writeHead(200, { etag: '"e-2"', 'content-length': 6 * MIB, 'x-amz-meta-mtime': mtime }).end()
    if (url.includes('uploads')) {
      mtime = String(headers['x-amz-meta-mtime'])
      return void response.end('<R><UploadId>u</UploadId></R>')
    }
    if (completed) return failed(response, 404, 'NoSuchUpload')
    completed = true
    return void response.destroy()
  })
  assert.equal((await remote.put(ctx, 'a.bin', bodyOf(noise(6 * MIB, 'lost')), {})).version, 'e-2')
})

test('a store that mixes up the parts is found out', async (t) => {
  const { ctx, remote, requests } = await storeOf(
    t,
    (request, response) => {
      if (isPart(request)) return void response.writeHead(200, { etag: '"p"' }).end()
      if (request.method === 'DELETE') return void response.writeHead(204).end()
      const { url = '' } = request
      if (url.includes('uploads')) return void response.end('<R><UploadId>u</UploadId></R>')
      return void response.end(`<R><ETag>"${'0'.repeat(32)}-2"</ETag></R>`)
    },
    { useMultipartEtag: true },
  )
  await assert.rejects(remote.put(ctx, 'a.bin', bodyOf(noise(6 * MIB, 'mixed')), {}), /corrupted on transfer: ETag/)
  assert.equal(requests.at(-1), 'DELETE /bucket/a.bin?uploadId=u')
})

test('an upload in parts keeps the MD5 that its source can find out, unless that is not wanted', async (t) => {
  const body = noise(6 * MIB, 'hashed')
  const md5 = createHash('md5').update(body).digest()
  const keep = async (disableChecksum: boolean) => {
    let kept: string | string[] | undefined
    const answer: Answer = ({ headers, method, url = '' }, response) => {
      if (method === 'PUT') return void response.writeHead(200, { etag: '"p"' }).end()
      if (!url.includes('uploads')) return void response.end('<R><ETag>"e-2"</ETag></R>')
      kept = headers['x-amz-meta-md5chksum']
      return void response.end('<R><UploadId>u</UploadId></R>')
    }
    const { ctx, remote } = await storeOf(t, answer, { disableChecksum })
    const hash = async (kind: string) => (kind === 'md5' ? md5.toString('hex') : '')
    return { file: await remote.put(ctx, 'a.bin', bodyOf(body), { hash }), kept }
  }
  const { file, kept } = await keep(false)
  assert.equal(kept, md5.toString('base64'))
  assert.deepEqual(file.hashes, { md5: md5.toString('hex') })
  assert.equal((await keep(true)).kept, undefined)
})

test('a listing whose pages lead nowhere ends with an error', async (t) => {
  const { ctx, remote } = await storeOf(
    t,
    (_request, response) =>
      void response.end(
        '<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>a</Key></Contents></ListBucketResult>',
      ),
    { listVersion: 2 },
  )
  await rejectsWith(listed(ctx, remote, ''), 'io')
})

test('keys that are no paths are left out of listings, or get names that are, and lead nowhere else', async (t) => {
  const keys = ['a', 'b//c', '/d', '../e', 'f%2F%E2%80%9B']
  const answer: Answer = (_request, response) =>
    void response.end(
      `<ListBucketResult>${keys.map((key) => `<Contents><Key>${key}</Key><Size>1</Size></Contents>`).join('')}</ListBucketResult>`,
    )
  const { ctx, remote } = await storeOf(t, answer, { listUrlEncode: true })
  const paths: string[] = []
  for await (const { path } of remote.listRecursive(ctx, '')) paths.push(path)
  assert.deepEqual(paths, ['a', '．．', '．．/e', 'f', 'f/‛'])
  const raw = await storeOf(t, answer, { encoding: parseEncoding('Raw') })
  const file = { kind: 'file', path: '．．/other-bucket/secret.txt', size: 1, modTime: 0n } as const
  await raw.remote.open(ctx, file)
  assert.deepEqual(raw.requests, [`GET /bucket/${encodeURIComponent('．．')}/other-bucket/secret.txt`])
})

test('a store that knows no ranges still gives the right bytes', async (t) => {
  const { ctx, remote } = await storeOf(
    t,
    (_request, response) => void response.writeHead(200, { etag: '"x"', 'content-length': 10 }).end('0123456789'),
  )
  const file = { kind: 'file', path: 'a', size: 10, modTime: 0n, version: 'x' } as const
  assert.equal(Buffer.from(await collect(await remote.open(ctx, file, { start: 3, end: 6 }))).toString(), '345')
  await rejectsWith(
    remote.open(ctx, { ...file, size: 20 }).then((body) => collect(body)),
    'io',
  )
})

test('public buckets are read without a login, from another place when one is named', async (t) => {
  const answer: Answer = ({ headers, method }, response) => {
    assert.equal(headers.authorization, undefined)
    response.writeHead(200, { etag: '"x"', 'content-length': 6 }).end(method === 'HEAD' ? '' : 'public')
  }
  const { ctx, remote, requests } = await storeOf(t, answer, { accessKeyId: '', secretAccessKey: '' })
  assert.equal((await bytesAt(ctx, remote, 'a b.txt')).toString(), 'public')
  const elsewhere: string[] = []
  const downloadUrl = await web(t, ({ url = '' }, response) => {
    elsewhere.push(url)
    response.writeHead(200, { 'content-length': 6 }).end('public')
  })
  const other = await storeOf(t, answer, { accessKeyId: '', secretAccessKey: '', downloadUrl })
  assert.equal((await bytesAt(ctx, other.remote, 'a b.txt')).toString(), 'public')
  assert.deepEqual(
    [requests, other.requests, elsewhere],
    [['HEAD /bucket/a%20b.txt', 'GET /bucket/a%20b.txt'], ['HEAD /bucket/a%20b.txt'], ['/a%20b.txt']],
  )
})

test('a new object is kept as the options say, and its key is shown again to read it', async (t) => {
  const seen: Record<string, IncomingMessage['headers']> = {}
  const { ctx, remote } = await storeOf(
    t,
    ({ method = '', headers }, response) => {
      seen[method] = headers
      response.writeHead(200, { etag: `"${'0'.repeat(32)}"`, 'content-length': method === 'PUT' ? 0 : 1 })
      response.end(method === 'GET' ? 'x' : '')
    },
    {
      acl: 'public-read',
      storageClass: 'STANDARD_IA',
      requesterPays: true,
      sseCustomerAlgorithm: 'AES256',
      sseCustomerKey: '0123456789abcdef0123456789abcdef',
    },
  )
  const metadata = { 'cache-control': 'no-cache', title: 'Ærø' }
  const put = await putText(ctx, remote, 'a', 'x', { contentType: 'text/x', metadata, modTime: 1_500_000_000n })
  assert.equal(put.tier, 'STANDARD_IA')
  await bytesAt(ctx, remote, 'a')
  const key = {
    'x-amz-server-side-encryption-customer-algorithm': 'AES256',
    'x-amz-server-side-encryption-customer-key': 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=',
    'x-amz-server-side-encryption-customer-key-md5': 'hRasmdxgYDKV3nvbahU1MA==',
  }
  const described = {
    'x-amz-acl': 'public-read',
    'x-amz-storage-class': 'STANDARD_IA',
    'x-amz-meta-mtime': '1.5',
    'x-amz-meta-title': '=?UTF-8?B?w4Zyw7g=?=',
    'cache-control': 'no-cache',
    'content-type': 'text/x',
  }
  assert.partialDeepStrictEqual(seen.PUT, { ...key, ...described, 'x-amz-request-payer': 'requester' })
  assert.partialDeepStrictEqual(seen.HEAD, key)
  assert.partialDeepStrictEqual(seen.GET, key)
})

test('env_auth takes the keys of a profile', async (t) => {
  const dir = scratch(t)
  const sharedCredentialsFile = join(dir, 'credentials')
  writeFileSync(
    sharedCredentialsFile,
    '[work]\naws_access_key_id = ID-OF-WORK\naws_secret_access_key = secret\naws_session_token = token\n',
  )
  let login: IncomingMessage['headers'] = {}
  const answer: Answer = ({ headers }, response) => {
    login = headers
    response.writeHead(200, { 'content-length': 0 }).end()
  }
  const keys = { accessKeyId: '', secretAccessKey: '', envAuth: true, sharedCredentialsFile }
  const { ctx, remote } = await storeOf(t, answer, { ...keys, profile: 'work' })
  await remote.stat(ctx, 'a')
  assert.match(login.authorization ?? '', /^AWS4-HMAC-SHA256 Credential=ID-OF-WORK\//)
  assert.equal(login['x-amz-security-token'], 'token')
  const other = await storeOf(t, answer, { ...keys, profile: 'nobody' })
  await rejectsWith(other.remote.stat(ctx, 'a'), 'denied')
})
