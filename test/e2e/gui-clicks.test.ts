import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { files, rcd, scratch } from '../program.ts'

type Answer = Record<string, unknown> & {
  error?: string
  list?: Record<string, unknown>[]
  transferred?: Record<string, unknown>[]
}

/** The calls of one interface: how it writes them, with a login. Every answer has to be a success. */
function clicks(url: string, style: 'query' | 'json') {
  const authorization = `Basic ${Buffer.from('gui:pw').toString('base64')}`
  return async (method: string, params: Record<string, unknown> = {}, { json = style === 'json' } = {}) => {
    const query = new URLSearchParams(
      Object.entries(params).map(([key, value]) => [key, typeof value === 'string' ? value : JSON.stringify(value)]),
    )
    const empty = Object.keys(params).length === 0
    const detached = params._async === true && style === 'query'
    const response = await fetch(`${url}${method}${json || empty ? '' : `?${query.toString()}`}`, {
      method: 'POST',
      headers: {
        authorization,
        ...(json && !empty ? { 'content-type': 'application/json' } : {}),
        ...(detached ? { prefer: 'respond-async' } : {}),
      },
      ...(json && !empty ? { body: JSON.stringify(params) } : {}),
    })
    const answer = (await response.json()) as Answer
    assert.ok(response.ok, `${method}: ${response.status} ${answer.error}`)
    return answer
  }
}

async function upload(url: string, parts: Record<string, string>): Promise<void> {
  const form = new FormData()
  for (const [field, text] of Object.entries(parts)) form.set(field, new Blob([text]), `${field}.txt`)
  const headers = { authorization: `Basic ${Buffer.from('gui:pw').toString('base64')}` }
  const response = await fetch(url, { method: 'POST', body: form, headers })
  assert.equal(response.status, 200, await response.text())
}

test('the clicks of rclone-web: log in, make a remote, look around, upload, copy, serve, clean up', async (t) => {
  const dir = scratch(t)
  files(dir, { 'data/films/a.mp4': 'film', 'rclone.conf': '' })
  const data = join(dir, 'data')
  const args = ['--rc-user', 'gui', '--rc-pass', 'pw', '--config', join(dir, 'rclone.conf')]
  const { url } = await rcd(t, args)
  const call = clicks(url, 'query')
  await call('rc/noopauth')
  assert.match(String((await call('core/version')).version), /^v1\.\d+\.\d+/)
  await call('core/disks')
  const { providers } = (await call('config/providers')) as { providers?: { Name: string }[] }
  assert.ok(providers?.some(({ Name }) => Name === 'alias'))
  await call('config/create', { name: 'nas', type: 'alias', parameters: { remote: data } })
  assert.deepEqual((await call('config/listremotes')).remotes, ['nas'])
  assert.partialDeepStrictEqual(await call('config/dump'), { nas: { type: 'alias' } })
  assert.partialDeepStrictEqual(await call('config/get', { name: 'nas' }), { remote: data })
  assert.equal((await call('config/paths')).config, join(dir, 'rclone.conf'))
  assert.ok((await call('operations/about', { fs: 'nas:' })).total)

  const names = async (remote: string) =>
    ((await call('operations/list', { fs: 'nas:', remote })).list ?? []).map(({ Name }) => Name)
  assert.deepEqual(await names(''), ['films'])
  await call('operations/mkdir', { fs: 'nas:', remote: 'new' })
  await upload(`${url}operations/uploadfile?fs=nas:&remote=new`, { file: 'hello' })
  assert.deepEqual(await names('new'), ['file.txt'])
  const move = { srcFs: 'nas:', srcRemote: 'new/file.txt', dstFs: 'nas:', dstRemote: 'new/renamed.txt' }
  await call('operations/movefile', move)
  await call('sync/move', { srcFs: 'nas:new/', dstFs: 'nas:moved/', deleteEmptySrcDirs: 'true' })
  assert.deepEqual(await names('moved'), ['renamed.txt'])

  const copy = { srcFs: 'nas:films', dstFs: 'nas:copy', createEmptySrcDirs: true, _async: true }
  const { jobid } = await call('sync/copy', copy, { json: true })
  let status: Answer = {}
  while (!status.finished) status = await call('job/status', { jobid: String(jobid) })
  assert.partialDeepStrictEqual(status, { success: true, error: '', id: jobid })
  const { transferred = [] } = await call('core/transferred')
  assert.ok(transferred.some(({ name, group }) => name === 'a.mp4' && group === `job/${String(jobid)}`))
  for (const key of ['bytes', 'totalBytes', 'speed', 'eta', 'transfers', 'checks', 'elapsedTime', 'errors'])
    assert.ok(key in (await call('core/stats')), key)

  // A download of it is a server for the moment.
  const served = await call('serve/start', { type: 'http', fs: 'nas:', addr: '127.0.0.1:0', allow_origin: '*' })
  const port = /:(\d+)$/.exec(String(served.addr))?.[1]
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/films/a.mp4`)).text(), 'film')
  assert.equal(((await call('serve/list')).list ?? []).length, 1)
  await call('serve/stop', { id: served.id })
  const options = await call('options/get')
  assert.ok('main' in options && 'vfs' in options)
  await call('options/info')
  await call('options/set', { main: { Transfers: 7 } }, { json: true })
  assert.partialDeepStrictEqual(await call('options/get'), { main: { Transfers: 7 } })
  await call('mount/types')
  await call('mount/listmounts')
  await call('operations/deletefile', { fs: 'nas:', remote: 'moved/renamed.txt' })
  await call('operations/purge', { fs: 'nas:', remote: 'copy' })
  assert.equal(existsSync(join(data, 'copy')), false)
  await call('config/update', { name: 'nas', parameters: { remote: dir } })
  await call('config/delete', { name: 'nas' })
  assert.deepEqual((await call('config/listremotes')).remotes, [])
})

test('the clicks of webui-react: dashboard, explorer, upload of several, download, stop a job', async (t) => {
  const dir = scratch(t)
  files(dir, { 'data/a b.txt': 'text', 'data/sub/': '', 'rclone.conf': `[nas]\ntype = alias\nremote = ${dir}/data\n` })
  const args = ['--rc-user', 'gui', '--rc-pass', 'pw', '--rc-serve', '--config', join(dir, 'rclone.conf')]
  const { url } = await rcd(t, args)
  const call = clicks(url, 'json')
  await call('rc/noopauth')
  for (const method of ['core/version', 'core/stats', 'core/bwlimit', 'core/memstats', 'options/get'])
    await call(method)
  assert.deepEqual(await call('config/get', { name: 'unknown' }), {})
  await call('core/bwlimit', { rate: '1M' })
  assert.equal((await call('core/bwlimit')).rate, '1Mi')
  const info = await call('operations/fsinfo', { fs: 'nas:' })
  assert.ok((info.Features as Record<string, unknown>).Copy !== undefined && Array.isArray(info.Hashes))
  const { list = [] } = await call('operations/list', { fs: 'nas:', remote: '', opt: {} })
  assert.deepEqual(
    list.map(({ Path, IsDir }) => [Path, IsDir]),
    [
      ['a b.txt', false],
      ['sub', true],
    ],
  )
  await upload(`${url}operations/uploadfile?fs=nas:&remote=sub`, { file0: 'one', file1: 'two' })
  assert.equal(readFileSync(join(dir, 'data/sub/file1.txt'), 'utf8'), 'two')
  const headers = { authorization: `Basic ${Buffer.from('gui:pw').toString('base64')}` }
  for (const path of ['[nas:]/a%20b.txt', '%5Bnas%3A%5D/a%20b.txt', '[nas:sub]/file0.txt'])
    assert.equal((await fetch(url + path, { headers })).status, 200, path)
  mkdirSync(join(dir, 'big'))
  writeFileSync(join(dir, 'big/file'), Buffer.alloc(8_000_000))
  const { jobid } = await call('sync/copy', { srcFs: join(dir, 'big'), dstFs: 'nas:copy', _async: true })
  await call('job/stop', { jobid: String(jobid), _async: true })
  let status: Answer = {}
  while (!status.finished) status = await call('job/status', { jobid })
  assert.equal(status.success, false)
  assert.equal(existsSync(join(dir, 'data/copy/file')), false)
  const copy = { srcFs: 'nas:', srcRemote: 'a b.txt', dstFs: 'nas:', dstRemote: 'sub/c.txt' }
  await call('operations/copyfile', copy)
  await call('operations/purge', { fs: 'nas:', remote: 'sub' })
  assert.equal(existsSync(join(dir, 'data/sub')), false)
})

test('trees that are served tell when they come, change and go, as events', async (t) => {
  const dir = scratch(t)
  files(dir, { 'data/a': 'x' })
  const server = await rcd(t)
  const response = await fetch(`${server.url}events?types=vfs&lastEventId=0`, { signal: AbortSignal.timeout(20_000) })
  const seen: Record<string, unknown>[] = []
  const reading = (async () => {
    let text = ''
    for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
      text += new TextDecoder().decode(chunk)
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) if (line.startsWith('data: ')) seen.push(JSON.parse(line.slice(6)) as (typeof seen)[0])
      if (seen.some(({ what }) => what === 'closed')) return
    }
  })()
  const fs = join(dir, 'data')
  const { body } = await server.call('serve/start', { type: 'http', fs, addr: '127.0.0.1:0' })
  await server.call('vfs/refresh', {})
  await server.call('vfs/forget', {})
  await server.call('serve/stop', { id: body.id })
  await reading
  const told = seen.map(({ what }) => what)
  for (const what of ['opened', 'refreshed', 'forgotten', 'closed']) assert.ok(told.includes(what), what)
  for (const { fs: name } of seen) assert.equal(name, fs)
})
