import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { bodyOf } from '../../base/body.ts'
import { testContext } from '../../core/testing.ts'
import { defaultsOf, type Values } from '../../schema/option.ts'
import { noise } from '../../../test/conformance/fixture.ts'
import { bytesAt, fileAt, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { scratch } from '../../../test/program.ts'
import { nextcloud } from '../../../test/servers/nextcloud.ts'
import { web } from '../../../test/web.ts'
import { webdavOptions } from './index.ts'
import { WebdavRemote } from './remote.ts'

const ctx = testContext()

function open(t: TestContext, config: Partial<Values<typeof webdavOptions>>) {
  const openRemote = () => Promise.reject(new Error('opens no other remote'))
  const args = { name: ':webdav', root: '', config: { ...defaultsOf(webdavOptions), ...config }, openRemote }
  const remote = WebdavRemote.open(ctx, args)
  t.after(() => remote.close?.())
  return remote
}

async function cloud(t: TestContext, config: Partial<Values<typeof webdavOptions>> = {}) {
  const server = await nextcloud()
  t.after(() => server.stop())
  const login = { vendor: 'nextcloud', user: 'ann', pass: 'secret' }
  return { ...server, remote: open(t, { url: server.url, ...login, ...config }) }
}

test('Nextcloud gets a large file in chunks, which are put together under its name and time', async (t) => {
  const { remote, requests } = await cloud(t, { nextcloudChunkSize: 1000 })
  const bytes = noise(2500, 'chunks')
  const modTime = 1_500_000_000_000_000_000n
  const stored = await remote.put(ctx, 'big.bin', bodyOf(bytes), { size: bytes.length, modTime })
  assert.equal(stored.modTime, modTime)
  assert.ok((await bytesAt(ctx, remote, 'big.bin')).equals(bytes))
  const uploads = requests
    .filter((line) => line.includes('/uploads/'))
    .map((line) => line.replace(/sluice-[^/]+/, 'ID'))
  const folder = '/remote.php/dav/uploads/ann/ID/'
  assert.deepEqual(uploads, [
    `MKCOL ${folder}`,
    `PUT ${folder}00001`,
    `PUT ${folder}00002`,
    `PUT ${folder}00003`,
    `MOVE ${folder}.file`,
  ])
})

test('Nextcloud gets a small file in one request, and a large one too when chunks are off', async (t) => {
  const { remote, requests } = await cloud(t, { nextcloudChunkSize: 0 })
  await remote.put(ctx, 'a.bin', bodyOf(noise(5000, 'whole')), { size: 5000 })
  assert.deepEqual(
    requests.filter((line) => line.startsWith('PUT')),
    ['PUT /remote.php/dav/files/ann/a.bin'],
  )
})

test('the chunks of an upload that breaks are removed', async (t) => {
  const { remote, requests } = await cloud(t, { nextcloudChunkSize: 1000 })
  await rejectsWith(remote.put(ctx, 'big.bin', bodyOf(noise(2500, 'x')), { size: 3000 }), 'invalid')
  assert.match(requests.at(-1) ?? '', /^DELETE .*\/uploads\/ann\/sluice-/)
  assert.equal(await remote.stat(ctx, 'big.bin'), undefined)
})

test('no limit of Nextcloud is no number', async (t) => {
  const { remote } = await cloud(t)
  assert.deepEqual(await remote.about?.(ctx), { used: 7 })
})

const answer = (href: string, more = '') =>
  `<d:response xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns"><d:href>${href}</d:href><d:propstat><d:prop>
${href.endsWith('/') ? '<d:resourcetype><d:collection/></d:resourcetype>' : '<d:getcontentlength>1</d:getcontentlength>'}
${more}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`

async function listing(t: TestContext, ...responses: string[]) {
  return await web(t, (_request, response) => response.writeHead(207).end(`<m>${responses.join('')}</m>`))
}

test('shares and mounts of ownCloud can be left out', async (t) => {
  const permissions = (letters: string) => `<oc:permissions>${letters}</oc:permissions>`
  const url = await listing(
    t,
    answer('/'),
    answer('/own', permissions('RDNVW')),
    answer('/shared', permissions('SRDNVW')),
    answer('/mounted', permissions('RMDNVW')),
  )
  const names = async (config: object) => [...(await listed(ctx, open(t, { url, ...config }), '')).keys()]
  assert.deepEqual(await names({}), ['own', 'shared', 'mounted'])
  assert.deepEqual(await names({ owncloudExcludeShares: true, owncloudExcludeMounts: true }), ['own'])
})

test('what a server lists from elsewhere is left out', async (t) => {
  const url = await listing(t, answer('/'), answer('/../etc/passwd'), answer('/a/b'), answer('/%2e%2e'), answer('/x'))
  assert.deepEqual([...(await listed(ctx, open(t, { url }), '')).keys()], ['x'])
})

test('a server that is none of WebDAV is named as such', async (t) => {
  const page = await web(t, (_request, response) => response.writeHead(200).end('<p>hello</p>'))
  await rejectsWith(listed(ctx, open(t, { url: page }), ''), 'unsupported')
  const refusing = await web(t, (_request, response) => response.writeHead(405).end())
  await rejectsWith(listed(ctx, open(t, { url: refusing }), ''), 'unsupported')
})

test('the program for bearer tokens is asked again when a token has run out', async (t) => {
  const logins: (string | undefined)[] = []
  const url = await web(t, (request, response) => {
    logins.push(request.headers.authorization)
    if (logins.length === 2) response.writeHead(401).end()
    else response.writeHead(207).end(`<m>${answer('/')}</m>`)
  })
  const count = join(scratch(t), 'count')
  writeFileSync(count, '')
  const program = ['sh', '-c', `echo x >> ${count}; echo token-$(wc -l < ${count})`]
  const remote = open(t, { url, bearerTokenCommand: program })
  await listed(ctx, remote, '')
  await listed(ctx, remote, '')
  assert.deepEqual(logins, ['Bearer token-1', 'Bearer token-1', 'Bearer token-2'])
})

test('a login goes to another host only when it is told to', async (t) => {
  const logins: (string | undefined)[] = []
  const store = await web(t, (request, response) => {
    logins.push(request.headers.authorization)
    response.end('x')
  })
  const url = await web(t, (request, response) => {
    if (request.method === 'GET') response.writeHead(302, { location: `${store}x` }).end()
    else response.writeHead(207).end(`<m>${answer('/x')}</m>`)
  })
  for (const authRedirect of [false, true]) {
    const remote = open(t, { url, user: 'ann', pass: 'secret', authRedirect })
    assert.equal((await bytesAt(ctx, remote, 'x')).toString(), 'x')
  }
  assert.deepEqual(logins, [undefined, `Basic ${btoa('ann:secret')}`])
})

test('a directory that comes in while a file is sent is not replaced by it', async (t) => {
  const overwrites: (string | undefined)[] = []
  let looks = 0
  const url = await web(t, (request, response) => {
    request.resume().on('end', () => {
      if (request.method === 'PROPFIND') {
        if (++looks === 1) response.writeHead(404).end()
        else response.writeHead(207).end(`<m>${answer('/taken/')}</m>`)
      } else if (request.method === 'MOVE') {
        overwrites.push(request.headers.overwrite as string | undefined)
        response.writeHead(412).end()
      } else response.writeHead(201).end()
    })
  })
  await rejectsWith(putText(ctx, open(t, { url }), 'taken', 'x'), 'is-directory')
  assert.deepEqual(overwrites, ['F'])
})

test('an upload that is stopped while the server moves it to its place is not tidied away under the move', async (t) => {
  const [stop, methods] = [new AbortController(), [] as (string | undefined)[]]
  const url = await web(t, (request, response) => {
    methods.push(request.method)
    request.resume().once('end', () => {
      if (request.method === 'PROPFIND') return response.writeHead(207).end(`<m>${answer(request.url ?? '')}</m>`)
      if (request.method !== 'MOVE') return response.writeHead(201).end()
      stop.abort()
      // Whoever does not wait for the answer has sent something else by then.
      return setImmediate(() => setImmediate(() => response.writeHead(201).end()))
    })
  })
  const stored = await open(t, { url }).put(ctx.with({ signal: stop.signal }), 'a', bodyOf('x'), { size: 1 })
  assert.equal(stored.size, 1)
  assert.ok(!methods.includes('DELETE'), methods.join(' '))
})

test('an answer that has changed since the file was looked up is not taken for it', async (t) => {
  let version = 1
  const url = await web(t, (request, response) => {
    if (request.method === 'GET') response.writeHead(200, { etag: `W/"v${version}"` }).end('x')
    else response.writeHead(207).end(`<m>${answer('/x', `<d:getetag>W/"v${version}"</d:getetag>`)}</m>`)
  })
  const remote = open(t, { url })
  const file = await fileAt(ctx, remote, 'x')
  version = 2
  await rejectsWith(remote.open(ctx, file), 'not-found')
})

test('the password of an account at Microsoft is not sent to whom it is not for', (t) => {
  for (const vendor of ['sharepoint', 'sharepoint-ntlm']) {
    const login = { url: 'https://example.com/', vendor, user: 'ann', pass: 'secret' }
    assert.throws(() => open(t, login), { code: 'unsupported' })
    open(t, { ...login, pass: '', headers: ['Cookie', 'FedAuth=x'] })
  }
})
