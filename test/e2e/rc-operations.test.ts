import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { missing } from '../peers.ts'
import { files, rcd, type Rcd, run, scratch } from '../program.ts'
import { web } from '../web.ts'

/** Sends a form; gives the status and the answer. */
async function upload(
  server: Rcd,
  query: Readonly<Record<string, string>>,
  form: FormData | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ status: number; body: Record<string, unknown>; headers: Headers }> {
  const url = `${server.url}operations/uploadfile?${new URLSearchParams(query).toString()}`
  const response = await fetch(url, { method: 'POST', body: form, headers })
  return {
    status: response.status,
    body: (await response.json()) as Record<string, unknown>,
    headers: response.headers,
  }
}

function formOf(parts: Readonly<Record<string, string | Uint8Array<ArrayBuffer>>>): FormData {
  const form = new FormData()
  for (const [name, content] of Object.entries(parts)) form.append('file', new Blob([content]), name)
  return form
}

test('the files of a form are stored under their own names, several at once, whatever their size', async (t) => {
  const dir = scratch(t)
  const server = await rcd(t)
  const big = new Uint8Array(20_000_000).map((_, i) => (i * 7919) >> 3)
  const form = formOf({ 'one.txt': 'one', 'größe 日本.bin': big, empty: '', 'two words.txt': 'two' })
  form.append('note', 'a field is passed over')
  const { status, body, headers } = await upload(server, { fs: dir, remote: 'new/folder' }, form)
  assert.deepEqual([status, body], [200, {}])
  const at = (name: string) => readFileSync(join(dir, 'new/folder', name))
  assert.deepEqual(readdirSync(join(dir, 'new/folder')).sort(), ['empty', 'größe 日本.bin', 'one.txt', 'two words.txt'])
  assert.equal(at('one.txt').toString(), 'one')
  assert.ok(at('größe 日本.bin').equals(big))
  const group = `job/${headers.get('x-rclone-jobid')}`
  const { transferred } = (await server.call('core/transferred', { group })).body as { transferred: object[] }
  assert.partialDeepStrictEqual(transferred[0], {
    name: 'new/folder/one.txt',
    bytes: 3,
    dstFs: dir,
    dstRemote: 'new/folder/one.txt',
  })
  assert.equal(transferred.length, 4)
})

test('names with folders in them lose these, and what can be no name is refused', async (t) => {
  const dir = scratch(t)
  const server = await rcd(t)
  const send = (name: string) => {
    const part = `--b\r\nContent-Disposition: form-data; name="f"; filename="${name}"\r\n\r\nPWN\r\n--b--\r\n`
    return upload(server, { fs: join(dir, 'in'), remote: '' }, part, {
      'content-type': 'multipart/form-data; boundary=b',
    })
  }
  for (const name of ['../../one', '/etc/two', 'C:\\x\\three', '..\\four']) assert.equal((await send(name)).status, 200)
  for (const name of ['..', '.', 'a/..', 'tab\there', 'x'.repeat(2000)])
    assert.equal((await send(name)).status, 400, name)
  assert.equal((await send('')).status, 200)
  assert.deepEqual(readdirSync(dir), ['in'])
  assert.deepEqual(readdirSync(join(dir, 'in')).sort(), ['four', 'one', 'three', 'two'])
})

test('a form that ends early, is none, or is left by its client stores nothing', async (t) => {
  const dir = scratch(t)
  const server = await rcd(t)
  const to = { fs: dir, remote: '' }
  const type = { 'content-type': 'multipart/form-data; boundary=b' }
  const head = '--b\r\nContent-Disposition: form-data; name="f"; filename="cut"\r\n\r\n'
  assert.equal((await upload(server, to, `${head}half of`, type)).status, 500)
  assert.equal((await upload(server, to, 'garbage', type)).status, 500)
  assert.match(
    String((await upload(server, to, 'x', { 'content-type': 'multipart/form-data' })).body.error),
    /boundary/i,
  )
  assert.deepEqual((await upload(server, to, 'x', { 'content-type': 'text/plain' })).body, {})
  const url = `${server.url}operations/uploadfile?${new URLSearchParams(to).toString()}`
  const none = await fetch(url, { method: 'POST' })
  assert.equal(((await none.json()) as { error: string }).error, 'mime: no media type')
  // A client that leaves in the middle.
  const outgoing = request(url, { method: 'POST', headers: type })
  outgoing.on('error', () => {})
  outgoing.write(head)
  outgoing.write('x'.repeat(300_000))
  for (let seen = false; !seen;) seen = JSON.stringify((await server.call('core/stats')).body).includes('"cut"')
  outgoing.destroy()
  for (let busy = true; busy;) busy = JSON.stringify((await server.call('core/stats')).body).includes('"cut"')
  assert.deepEqual(readdirSync(dir), [])
})

test('an upload with _async is answered when its body has been read, and nothing of it is lost', async (t) => {
  const dir = scratch(t)
  const server = await rcd(t)
  const content = new Uint8Array(3_000_000).fill(65)
  for (const [name, query, headers] of [
    ['a', { _async: 'true' }, {}],
    ['b', {}, { prefer: 'respond-async' }],
  ] as const) {
    const answer = await upload(server, { fs: dir, remote: '', ...query }, formOf({ [name]: content }), headers)
    assert.equal(answer.status, name === 'a' ? 200 : 202)
    const { body } = await server.call('job/status', { jobid: answer.body.jobid })
    assert.partialDeepStrictEqual(body, { finished: true, success: true })
    assert.equal(readFileSync(join(dir, name)).length, content.length)
  }
})

test('copyurl reads from the internet, and from this machine only while the server is for this machine', async (t) => {
  const dir = scratch(t)
  const url = await web(t, (asked, response) => {
    if (asked.url === '/away') response.writeHead(302, { location: 'http://169.254.169.254/' }).end()
    else if (asked.url === '/none') response.writeHead(404).end()
    else if (asked.url === '/named')
      response.setHeader('content-disposition', 'attachment; filename="from header.txt"').end('named')
    else response.setHeader('last-modified', 'Sat, 03 Feb 2001 04:05:06 GMT').end('content')
  })
  const server = await rcd(t)
  const copy = (remote: string, from: string, more: object = {}) =>
    server.call('operations/copyurl', { fs: dir, remote, url: from, ...more })
  assert.deepEqual((await copy('x/one', `${url}a.txt`)).body, {})
  assert.equal(readFileSync(join(dir, 'x/one'), 'utf8'), 'content')
  assert.match(String((await copy('x/one', `${url}a.txt`, { noClobber: true })).body.error), /file already exist/)
  assert.equal((await copy('ignored', `${url}b%20c.txt?q=1`, { autoFilename: true })).status, 200)
  assert.equal(readFileSync(join(dir, 'b c.txt'), 'utf8'), 'content')
  assert.equal((await copy('', `${url}named`, { autoFilename: true, headerFilename: true })).status, 200)
  assert.equal(readFileSync(join(dir, 'from header.txt'), 'utf8'), 'named')
  assert.equal((await copy('z', `${url}none`)).body.error, 'CopyURL failed: 404 Not Found')
  assert.equal((await copy('z', `${url}away`)).status, 403)
  assert.equal((await copy('z', 'file:///etc/passwd')).status, 500)
  assert.equal((await copy('z', 'http://10.255.255.1/')).status, 403)
  const outside = await rcd(t, ['--rc-no-auth', '--rc-addr', '0.0.0.0:0'])
  for (const from of [`${url}a.txt`, url.replace('127.0.0.1', 'localhost'), url.replace('127.0.0.1', '2130706433')]) {
    const { status, body } = await outside.call('operations/copyurl', { fs: dir, remote: 'z', url: from })
    assert.equal(status, 403)
    assert.match(String(body.error), /--allow-private-urls/)
  }
  const allowed = await rcd(t, ['--rc-no-auth', '--rc-addr', '0.0.0.0:0', '--allow-private-urls'])
  const { status } = await allowed.call('operations/copyurl', { fs: dir, remote: 'z', url: `${url}a.txt` })
  assert.equal(status, 200)
})

test('a copyurl that never ends is ended by job/stop, and leaves nothing', async (t) => {
  const dir = scratch(t)
  const url = await web(t, (_request, response) => {
    const timer = setInterval(() => response.write('x'.repeat(1000)), 5)
    response.on('close', () => clearInterval(timer))
  })
  const server = await rcd(t)
  const { body } = await server.call('operations/copyurl', { fs: dir, remote: 'x', url, _async: true })
  const { jobid } = body
  for (let moving = false; !moving;) moving = Number((await server.call('core/stats')).body.bytes) > 0
  await server.call('job/stop', { jobid })
  let status: Record<string, unknown> = {}
  while (status.finished !== true) status = (await server.call('job/status', { jobid })).body
  assert.equal(status.error, 'context canceled')
  assert.deepEqual(readdirSync(dir), [])
})

test('checksums of a folder, a file, and one file of a folder', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'hello\n', 'dir/b.txt': 'world\n' })
  const server = await rcd(t)
  const sum = (kind: string, text: string, encoding: 'hex' | 'base64url' = 'hex') =>
    createHash(kind).update(text).digest(encoding)
  const hashsum = async (input: object) => (await server.call('operations/hashsum', input)).body
  assert.deepEqual(await hashsum({ fs: dir, hashType: 'MD5' }), {
    hashType: 'md5',
    hashsum: [`${sum('md5', 'hello\n')}  a.txt`, `${sum('md5', 'world\n')}  dir/b.txt`],
  })
  assert.deepEqual(await hashsum({ fs: join(dir, 'a.txt'), hashType: 'SHA-1', download: true }), {
    hashType: 'sha1',
    hashsum: [`${sum('sha1', 'hello\n')}  a.txt`],
  })
  const one = (input: object) => server.call('operations/hashsumfile', { fs: dir, hashType: 'sha256', ...input })
  assert.deepEqual((await one({ remote: 'dir/b.txt' })).body, { hashType: 'sha256', hash: sum('sha256', 'world\n') })
  const { hash } = (await one({ remote: 'a.txt', base64: true })).body
  assert.equal(String(hash).replace(/=+$/, ''), sum('sha256', 'hello\n', 'base64url'))
  assert.equal((await one({ remote: 'none' })).status, 404)
  assert.equal((await one({ remote: 'dir' })).body.error, 'is a directory not a file')
  assert.equal((await hashsum({ fs: dir, hashType: 'zzz' })).error, 'unknown hash type "zzz"')
})

test('check compares two places, or a place with a list of checksums; a difference is a result', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a/same': 'x', 'a/differs': '1', 'a/only a': '', 'b/same': 'x', 'b/differs': '2', 'b/only b': '' })
  const server = await rcd(t)
  const [a, b] = [join(dir, 'a'), join(dir, 'b')]
  const check = (input: object) => server.call('operations/check', input)
  const all = { match: true, combined: true }
  const { status, body } = await check({ srcFs: a, dstFs: b, ...all })
  assert.equal(status, 200)
  assert.deepEqual((body.combined as string[]).sort(), ['* differs', '+ only a', '- only b', '= same'])
  assert.partialDeepStrictEqual(body, {
    success: false,
    status: '3 differences found',
    hashType: 'md5',
    match: ['same'],
    differ: ['differs'],
    missingOnSrc: ['only b'],
    missingOnDst: ['only a'],
    error: [],
  })
  assert.partialDeepStrictEqual((await check({ srcFs: a, dstFs: a, download: true })).body, {
    success: true,
    status: 'OK',
  })
  assert.partialDeepStrictEqual((await check({ srcFs: join(a, 'same'), dstFs: b })).body, { success: true })
  const quiet = (await check({ srcFs: a, dstFs: b, differ: false, oneWay: true })).body
  assert.deepEqual([quiet.differ, quiet.match, quiet.missingOnSrc], [undefined, undefined, []])
  const md5 = (text: string) => createHash('md5').update(text).digest('hex')
  writeFileSync(join(dir, 'SUMS'), `${md5('x')}  same\n${md5('1')} *differs\n${md5('')}  only a\nno sum\n`)
  const list = { dstFs: b, checkFileHash: 'MD5', checkFileFs: dir, checkFileRemote: 'SUMS' }
  assert.deepEqual(
    ((await check({ ...list, ...all })).body.combined as string[]).sort(),
    (body.combined as string[]).sort(),
  )
  assert.equal((await check({ dstFs: a })).status, 400)
  assert.equal((await check({ dstFs: a, checkFileHash: 'md5' })).status, 400)
  assert.equal((await check({ ...list, checkFileRemote: 'none' })).status, 404)
  assert.equal((await check({ srcFs: join(dir, 'none'), dstFs: a })).status, 404)
})

test('a listing of many entries is whole, and others are answered meanwhile', async (t) => {
  const dir = scratch(t)
  mkdirSync(join(dir, 'many'))
  for (let i = 0; i < 20_000; i++) writeFileSync(join(dir, 'many', `f${i}`), '')
  const server = await rcd(t)
  const list = server.call('operations/list', { fs: dir, remote: 'many' })
  const ended = new AbortController()
  const done = list.finally(() => ended.abort())
  let [calls, longest] = [0, 0]
  while (!ended.signal.aborted) {
    const begun = performance.now()
    await server.call('rc/noop')
    longest = Math.max(longest, performance.now() - begun)
    calls++
  }
  const { list: items } = (await done).body as { list: { Name: string }[] }
  assert.equal(items.length, 20_000)
  assert.deepEqual(new Set(items.map(({ Name }) => Name)).size, 20_000)
  assert.ok(calls > 3, `${calls} calls meanwhile, the longest took ${longest} ms`)
})

test('what large listings gave is not kept for long, and that of the last one is', async (t) => {
  const dir = scratch(t)
  for (let i = 0; i < 6000; i++) writeFileSync(join(dir, `f${i}`), '')
  const server = await rcd(t)
  const ids = []
  for (let i = 0; i < 10; i++)
    ids.push((await server.call('operations/list', { fs: dir, remote: '' })).headers.get('x-rclone-jobid'))
  const kept = async (jobid: unknown) => {
    const { output } = (await server.call('job/status', { jobid })).body
    return ((output as { list?: unknown[] }).list ?? []).length
  }
  assert.deepEqual([await kept(ids[0]), await kept(ids[9])], [0, 6000])
})

test('calls for one folder that come in together all see what was changed before them', async (t) => {
  const dir = scratch(t)
  const server = await rcd(t)
  for (let i = 0; i < 20; i++) {
    writeFileSync(join(dir, `f${i}`), '')
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => server.call('operations/list', { fs: dir, remote: '' })),
    )
    for (const { body } of answers) assert.equal((body.list as unknown[]).length, i + 1)
  }
})

test('copies by calls say where they come from and go to', async (t) => {
  const dir = scratch(t)
  files(dir, { 'src/a': 'a' })
  const server = await rcd(t)
  const ends = { srcFs: join(dir, 'src'), srcRemote: 'a', dstFs: join(dir, 'dst'), dstRemote: 'b/c' }
  await server.call('operations/copyfile', { ...ends, _group: 'g' })
  const { transferred } = (await server.call('core/transferred', { group: 'g' })).body as { transferred: object[] }
  assert.partialDeepStrictEqual(transferred, [{ name: 'a', what: 'transferring', group: 'g', ...ends }])
})

test('fscache tells how many remotes are open, and forgets them', async (t) => {
  const server = await rcd(t)
  const entries = async () => (await server.call('fscache/entries')).body.entries
  assert.equal(await entries(), 0)
  await server.call('operations/mkdir', { fs: ':memory:x', remote: 'kept' })
  assert.equal(await entries(), 1)
  assert.deepEqual((await server.call('fscache/clear')).body, {})
  assert.equal(await entries(), 0)
  const { body } = await server.call('operations/list', { fs: ':memory:x', remote: '' })
  assert.equal((body.list as unknown[]).length, 1)
})

test('fsinfo names all features that clients ask for', async (t) => {
  const dir = scratch(t)
  const server = await rcd(t)
  const { body } = await server.call('operations/fsinfo', { fs: dir })
  assert.partialDeepStrictEqual(body, {
    Name: 'local',
    Root: dir,
    String: `Local file system at ${dir}`,
    MetadataInfo: { System: { mode: { Type: 'octal, unix style', ReadOnly: false }, btime: { ReadOnly: true } } },
    Features: {
      ReadMetadata: true,
      UserMetadata: false,
      About: true,
      Command: true,
      IsLocal: true,
      Purge: true,
      PublicLink: false,
      ListR: false,
      SlowHash: true,
    },
  })
  const features = Object.entries(body.Features as object)
  assert.ok(features.length > 45 && features.every(([, value]) => typeof value === 'boolean'))
  assert.ok((body.Hashes as string[]).includes('md5'))
})

test("rclone's own client calls every method here", { skip: missing('rclone') }, async (t) => {
  const dir = scratch(t)
  files(dir, { 'src/a.txt': 'hello\n', 'src/dir/b.txt': 'world\n', 'src/empty/': '' })
  const server = await rcd(t)
  const [src, dst] = [join(dir, 'src'), join(dir, 'dst')]
  const url = await web(t, (_request, response) => void response.end('from the web'))
  async function rc(method: string, ...args: string[]): Promise<Record<string, unknown>> {
    const { code, stdout, stderr } = await run('rclone', ['rc', '--url', server.url, method, ...args])
    assert.equal(code, 0, `${method}: ${stderr}`)
    return JSON.parse(stdout) as Record<string, unknown>
  }
  async function fails(pattern: RegExp, method: string, ...args: string[]): Promise<void> {
    const { code, stderr } = await run('rclone', ['rc', '--url', server.url, method, ...args])
    assert.equal(code, 1)
    assert.match(stderr, pattern)
  }
  const names = ({ list }: Record<string, unknown>) => (list as { Path: string }[]).map(({ Path }) => Path)
  assert.deepEqual(names(await rc('operations/list', `fs=${src}`, 'remote=', '-o', 'x=y')), ['a.txt', 'dir', 'empty'])
  assert.deepEqual(names(await rc('operations/list', `fs=${src}`, 'remote=', 'opt={"recurse":true}')).length, 4)
  assert.partialDeepStrictEqual(await rc('operations/stat', `fs=${src}`, 'remote=a.txt'), { item: { Size: 6 } })
  assert.ok(Number((await rc('operations/about', `fs=${src}`)).total) > 0)
  await rc('operations/copyfile', `srcFs=${src}`, 'srcRemote=a.txt', `dstFs=${dst}`, 'dstRemote=c/a')
  await rc('operations/movefile', `srcFs=${dst}`, 'srcRemote=c/a', `dstFs=${dst}`, 'dstRemote=b')
  assert.deepEqual(readdirSync(dst).sort(), ['b', 'c'])
  await rc('operations/copyurl', `fs=${dst}`, 'remote=web', `url=${url}`, 'noClobber=true')
  assert.equal(readFileSync(join(dst, 'web'), 'utf8'), 'from the web')
  await rc('operations/mkdir', `fs=${dst}`, 'remote=d/e')
  await rc('operations/rmdir', `fs=${dst}`, 'remote=d/e')
  await rc('operations/rmdirs', `fs=${dst}`, 'remote=', 'leaveRoot=true')
  assert.deepEqual(readdirSync(dst).sort(), ['b', 'web'])
  await rc('operations/deletefile', `fs=${dst}`, 'remote=web')
  assert.deepEqual(await rc('operations/size', `fs=${src}`), { bytes: 12, count: 2, sizeless: 0 })
  assert.equal((await rc('operations/fsinfo', `fs=${src}`)).Name, 'local')
  assert.equal((await rc('operations/check', `srcFs=${src}`, `dstFs=${src}`)).status, 'OK')
  assert.equal((await rc('operations/hashsum', `fs=${src}`, 'hashType=md5')).hashType, 'md5')
  await rc('operations/hashsumfile', `fs=${src}`, 'remote=a.txt', 'hashType=md5')
  assert.deepEqual(await rc('backend/command', 'command=noop', `fs=${src}`, '-o', 'echo=yes', '-a', 'one'), {
    result: { arg: ['one'], name: 'noop', opt: { echo: 'yes' } },
  })
  await rc('sync/copy', `srcFs=${src}`, `dstFs=${dst}/copy`, 'createEmptySrcDirs=true')
  await rc('sync/sync', `srcFs=${src}`, `dstFs=${dst}/sync`, '_config={"Transfers": 1}')
  assert.deepEqual(readdirSync(join(dst, 'sync')).sort(), ['a.txt', 'dir'])
  await rc('sync/move', `srcFs=${dst}/copy`, `dstFs=${dst}/moved`, 'deleteEmptySrcDirs=true')
  assert.ok(existsSync(join(dst, 'moved/dir/b.txt')))
  await rc('operations/delete', `fs=${dst}/sync`)
  await rc('operations/purge', `fs=${dst}`, 'remote=')
  assert.equal(existsSync(dst), false)
  await rc('fscache/clear')
  assert.deepEqual(await rc('fscache/entries'), { entries: 0 })
  await fails(/doesn't support cleanup/, 'operations/cleanup', `fs=${src}`)
  await fails(/doesn't support public links/, 'operations/publiclink', `fs=${src}`, 'remote=', 'expire=1h')
  await fails(/does not support settier/, 'operations/settier', `fs=${src}`, 'tier=COLD')
  await fails(/does not support settier/, 'operations/settierfile', `fs=${src}`, 'remote=a.txt', 'tier=COLD')
  await fails(/later release/, 'sync/bisync', `path1=${src}`, `path2=${dst}`)
})
