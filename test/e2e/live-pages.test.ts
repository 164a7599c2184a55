import assert from 'node:assert/strict'
import { test } from 'node:test'
import { listen, publish, radio } from '../radio.ts'

const json = { 'content-type': 'application/json' }

test('titles come after every 16000 bytes of sound, the first block always with one, and where they belong', async (t) => {
  const server = await radio(t, '--live', '/live.mp3')
  const publisher = await publish(server, '/live.mp3', 'Content-Type: audio/mpeg')
  const tell = async (song: string) => {
    const url = `${server.url}admin/metadata?mount=/live.mp3&mode=updinfo&song=${encodeURIComponent(song)}`
    const answer = await fetch(url)
    assert.match(await answer.text(), /<return>1<\/return>/)
  }
  publisher.data('a'.repeat(16_000))
  const listener = await listen(server, '/live.mp3', 'Icy-MetaData: 1')
  assert.match(listener.head, /icy-metaint: 16000/)
  await listener.raw.until(() => listener.body().length > 16_000)
  await tell("Art - Ti'tle")
  publisher.data('b'.repeat(32_000))
  const block = (text: string) =>
    String.fromCharCode(Math.ceil(text.length / 16)) + text.padEnd(Math.ceil(text.length / 16) * 16, '\0')
  const expected =
    'a'.repeat(16_000) +
    block("StreamTitle='';") +
    'b'.repeat(16_000) +
    block("StreamTitle='Art - Ti'tle';") +
    'b'.repeat(16_000) +
    '\0'
  await listener.raw.until(() => listener.body().length >= expected.length)
  assert.equal(listener.body(), expected)
})

test('status-json.xsl has no source, one object, or a list', async (t) => {
  const server = await radio(t, '--live', '/a.mp3,name=First', '--live', '/b.mp3')
  const status = async () => {
    const { icestats } = (await (await fetch(`${server.url}status-json.xsl`)).json()) as {
      icestats: { source?: { listenurl: string; server_name: string }[] & { listenurl: string; server_name: string } }
    }
    return icestats.source
  }
  assert.equal(await status(), undefined)
  const a = await publish(server, '/a.mp3')
  a.data('x')
  assert.deepEqual([(await status())?.listenurl, (await status())?.server_name], [`${server.url}a.mp3`, 'First'])
  const b = await publish(server, '/b.mp3')
  b.data('x')
  assert.deepEqual(
    (await status())?.map((source) => source.listenurl),
    [`${server.url}a.mp3`, `${server.url}b.mp3`],
  )
  assert.equal(await (await fetch(`${server.url}a.mp3.m3u`)).text(), `${server.url}a.mp3\r\n`)
})

test('the pages of the administration list and end listeners, but not for pages of other sites', async (t) => {
  const server = await radio(t, '--live', '/a.mp3')
  const publisher = await publish(server, '/a.mp3')
  publisher.data('x')
  const listener = await listen(server, '/a.mp3', 'User-Agent: <Ear>')
  const clients = await (await fetch(`${server.url}admin/listclients?mount=/a.mp3`)).text()
  const id = /<ID>(\d+)<\/ID>/.exec(clients)?.[1]
  assert.match(clients, /&lt;Ear&gt;/)
  const kill = `${server.url}admin/killclient?mount=/a.mp3&id=${id}`
  assert.equal((await fetch(kill, { headers: { origin: 'https://evil.example' } })).status, 403)
  assert.equal((await fetch(kill, { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403)
  assert.equal((await fetch(kill)).status, 200)
  assert.equal(await listener.ended(), false)
})

test('listeners are moved to another mount, and a source that is ended frees its own', async (t) => {
  const server = await radio(t, '--live', '/a.mp3', '--live', '/b.mp3')
  const admin = async (page: string) => {
    const response = await fetch(`${server.url}admin/${page}`)
    return { status: response.status, text: await response.text() }
  }
  const [a, b] = [await publish(server, '/a.mp3'), await publish(server, '/b.mp3')]
  a.data('from a, ')
  b.data('from b ')
  const listener = await listen(server, '/a.mp3')
  await listener.heard('from a, ')
  assert.equal((await admin('moveclients?mount=/a.mp3&destination=/none.mp3')).status, 400)
  assert.equal((await admin('moveclients?mount=/a.mp3&destination=/a.mp3')).status, 400)
  assert.match((await admin('moveclients?mount=/a.mp3&destination=/b.mp3')).text, /<return>1<\/return>/)
  a.data('not heard any more')
  b.data('and on')
  await listener.heard('and on')
  assert.doesNotMatch(listener.body(), /not heard/)
  assert.match((await admin('killsource?mount=/b.mp3')).text, /Source Removed/)
  await b.raw.end()
  assert.equal(await listener.ended(), false, 'what was ended from outside is not whole')
  assert.equal((await admin('killsource?mount=/b.mp3')).status, 400)
  ;(await publish(server, '/b.mp3')).data('again')
  await (await listen(server, '/b.mp3')).heard('again')
})

test('a playlist in XSPF names the mount and what it plays, whatever characters are in it', async (t) => {
  const server = await radio(t, '--live', '/a.mp3,name=Rock & Roll')
  const publisher = await publish(server, '/a.mp3')
  publisher.data('x')
  const response = await fetch(`${server.url}a.mp3.xspf`)
  assert.equal(response.headers.get('content-type'), 'application/xspf+xml')
  const text = await response.text()
  assert.ok(text.includes(`<location>${server.url}a.mp3</location><title>Rock &amp; Roll</title>`), text)
})

test('a server that gets its first mount while it runs tells browsers that they may publish, and counts its bytes', async (t) => {
  const rc = ['--rc', '--rc-no-auth', '--rc-addr', '127.0.0.1:0']
  const server = await radio(t, '--cors', 'auto', ...rc)
  const [, control = ''] = /Serving remote control on (\S+)/.exec(server.log()) ?? []
  const call = async (method: string, input: object = {}) =>
    (await (await fetch(control + method, { method: 'POST', body: JSON.stringify(input), headers: json })).json()) as {
      bytes?: number
    }
  const asks = { origin: 'http://page', 'access-control-request-method': 'PUT' }
  const methods = async () =>
    (await fetch(`${server.url}a.mp3`, { method: 'OPTIONS', headers: asks })).headers.get(
      'access-control-allow-methods',
    )
  assert.equal(await methods(), 'GET, HEAD, OPTIONS')
  await call('live/start', { mount: '/a.mp3' })
  assert.equal(await methods(), 'GET, HEAD, OPTIONS, PUT, POST')
  const publisher = await publish(server, '/a.mp3')
  publisher.data('abc')
  await (await listen(server, '/a.mp3')).heard('abc')
  assert.equal((await call('core/stats')).bytes, 6)
})

test('the remote control lists, adds, names and ends what is live, and metrics count it', async (t) => {
  const rc = ['--rc', '--rc-no-auth', '--rc-addr', '127.0.0.1:0', '--rc-enable-metrics']
  const server = await radio(t, '--live', '/a.mp3,name=A', ...rc)
  const [, control = ''] = /Serving remote control on (\S+)/.exec(server.log()) ?? []
  const call = async (method: string, input: object = {}) => {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(control + method, { method: 'POST', headers, body: JSON.stringify(input) })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const events = await fetch(`${control}events?types=live`)
  const publisher = await publish(server, '/a.mp3', 'Content-Type: audio/mpeg')
  publisher.data('x')
  const listener = await listen(server, '/a.mp3', 'User-Agent: ear')
  assert.equal((await call('live/metadata', { mount: '/a.mp3', title: 'Song' })).status, 200)
  const [mount] = (await call('live/list')).body.list as Record<string, unknown>[]
  assert.deepEqual(
    [mount?.mount, mount?.listeners, mount?.title, mount?.source, mount?.station],
    ['/a.mp3', 1, 'Song', 'publisher', { name: 'A' }],
  )
  const [who] = (await call('live/listeners', { mount: '/a.mp3' })).body.listeners as { id: number; agent: string }[]
  assert.equal(who?.agent, 'ear')
  assert.match(
    await (await fetch(`${control}metrics`)).text(),
    /sluice_live_listeners\{server="[^"]+",mount="\/a\.mp3"\} 1\n/,
  )
  assert.equal((await call('live/kick', { mount: '/a.mp3', id: who?.id })).status, 200)
  assert.equal(await listener.ended(), false)
  assert.equal((await call('live/start', { mount: '/b.mp3=exec:id' })).status, 403)
  assert.deepEqual((await call('live/start', { mount: '/b.mp3' })).body, { mount: '/b.mp3' })
  const added = await publish(server, '/b.mp3')
  added.data('y')
  assert.equal((await call('live/stop', { mount: '/b.mp3' })).status, 200)
  await added.raw.end()
  assert.equal((await call('live/stop', { mount: '/b.mp3' })).status, 404)
  const reader = (events.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  while (!text.includes('"left"')) text += Buffer.from((await reader.read()).value ?? []).toString()
  assert.match(text, /event: live\ndata: .*"mount":"\/a.mp3","what":"published"/)
  await reader.cancel()
})

test("Shoutcast's way to name what is played has its password in the query, and no log shows it", async (t) => {
  const server = await radio(t, '--live', '/a.mp3,open', '--user', 'source', '--pass', 'hidden', '-vv')
  const login = `Authorization: Basic ${btoa('source:hidden')}`
  const publisher = await publish(server, '/a.mp3', login)
  publisher.data('x')
  const named = (pass: string) => fetch(`${server.url}admin.cgi?mode=updinfo&pass=${pass}&song=%C4pfel`)
  assert.equal((await named('wrong')).status, 401)
  assert.equal((await named('hidden')).status, 200)
  const { icestats } = (await (await fetch(`${server.url}status-json.xsl`)).json()) as {
    icestats: { source: { title: string } }
  }
  assert.equal(icestats.source.title, 'Äpfel')
  await server.logged(/pass=\*\*\*&song/)
  assert.doesNotMatch(server.log(), /hidden/)
})
