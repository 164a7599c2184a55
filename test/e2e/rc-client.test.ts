import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { connect } from 'node:net'
import { test } from 'node:test'
import { missing } from '../peers.ts'
import { files, rcd, run, scratch, sluice } from '../program.ts'
import { rcloneRcd } from '../rclone.ts'
import { web } from '../web.ts'

const cases: readonly (readonly string[])[] = [
  ['rc/noop'],
  ['/rc/noop/', 'a=1=2', '=x', 'empty='],
  ['rc/noop', '-a', 'one', '--arg', 'two', '-o', 'flag', '--opt', 'key=a=b', 'command=x'],
  ['rc/noop', '--json', '{"n":1.5,"list":[1,"<&>"],"deep":{"b":null,"a":true}}'],
  ['--no-output', 'rc/noop', 'a=1'],
]

test(
  'the client prints what both servers answer, as the client of rclone does',
  { skip: missing('rclone') },
  async (t) => {
    const [ours, theirs] = [await rcd(t), await rcloneRcd(t, ['--rc-no-auth'])]
    for (const args of cases) {
      const all = await Promise.all([
        sluice(['rc', '--url', ours.url, ...args]),
        sluice(['rc', '--url', theirs, ...args]),
        run('rclone', ['rc', '--url', ours.url, ...args]),
        run('rclone', ['rc', '--url', theirs, ...args]),
      ])
      for (const { code, stdout } of all)
        assert.deepEqual({ code, stdout }, { code: 0, stdout: all[3].stdout }, args.join(' '))
    }
    for (const url of [ours.url, theirs]) {
      const failed = await sluice(['rc', '--url', url, 'rc/error', 'b=2'])
      assert.equal(failed.code, 1)
      assert.partialDeepStrictEqual(JSON.parse(failed.stdout), { input: { b: '2' }, path: 'rc/error', status: 500 })
      assert.match(failed.stderr, /operation "rc\/error" failed: arbitrary error on input map\[b:2\]/)
      const unknown = await sluice(['rc', '--url', url, 'no/such'])
      assert.deepEqual([unknown.code, (JSON.parse(unknown.stdout) as { status: number }).status], [1, 404])
    }
  },
)

test('both clients list the methods of both servers', { skip: missing('rclone') }, async (t) => {
  const [ours, theirs] = [await rcd(t), await rcloneRcd(t, ['--rc-no-auth'])]
  for (const url of [ours.url, theirs]) {
    const [mine, rclones] = await Promise.all([sluice(['rc', '--url', url]), run('rclone', ['rc', '--url', url])])
    assert.match(mine.stdout, /^### core\/bwlimit: .* \{#core-bwlimit\}$/m)
    assert.match(mine.stdout, /\*\*Authentication is required for this call\.\*\*/)
    const paths = (text: string) => text.match(/^### \w+\/\S+(?=: )/gm)
    assert.deepEqual(paths(mine.stdout), paths(rclones.stdout))
  }
})

test(
  'a login is sent by both, and what is wrong with it is told without the password',
  { skip: missing('rclone') },
  async (t) => {
    const login = ['--rc-user', 'me', '--rc-pass', 'pw-secret']
    const [ours, theirs] = [await rcd(t, login), await rcloneRcd(t, login)]
    for (const url of [ours.url, theirs]) {
      const good = [
        ['--url', url, '--user', 'me', '--pass', 'pw-secret'],
        ['--rc-addr', url, '--rc-user', 'me', '--rc-pass', 'pw-secret', '--user', 'nobody'],
        ['--url', url.replace('//', '//me:pw-secret@')],
      ]
      for (const flags of good) {
        const { code, stdout } = await sluice(['rc', ...flags, 'rc/noopauth', 'a=1'])
        assert.deepEqual([code, stdout], [0, '{\n\t"a": "1"\n}\n'], flags.join(' '))
      }
      const wrong = await sluice(['rc', '-vv', '--url', url, '--user', 'me', '--pass', 'pw-wrong', 'rc/noop'])
      assert.equal(wrong.code, 1)
      assert.match(wrong.stderr, /operation "rc\/noop" failed: 401 Unauthorized: give the login with --user and --pass/)
      assert.doesNotMatch(wrong.stdout + wrong.stderr, /pw-/)
    }
    assert.equal(
      (await run('rclone', ['rc', '--url', ours.url, '--user', 'me', '--pass', 'pw-secret', 'rc/noopauth'])).code,
      0,
    )
  },
)

test('a command line that means nothing is refused without a call', async () => {
  const mistakes: readonly (readonly [args: readonly string[], code: number, stderr: RegExp])[] = [
    [['rc/noop', 'bad'], 1, /no '=' found in parameter "bad"/],
    [['rc/noop', 'a=1', '--json', '{}'], 1, /can't use --json and parameters together/],
    [['rc/noop', '--json', '{"pass":"pw-secret"'], 1, /bad --json input: /],
    [['rc/noop', '--json', '[1]'], 1, /bad --json input: an object is needed/],
    [['rc/noop', '--no-such-flag'], 2, /no-such-flag/],
    [['rc/noop', '--url', 'http://me:pw-secret@/'], 2, /--url is not a URL/],
  ]
  for (const [args, code, stderr] of mistakes) {
    const ended = await sluice(['rc', ...args])
    assert.equal(ended.code, code, ended.stderr)
    assert.match(ended.stderr, stderr)
    assert.equal(ended.stdout, '')
    assert.doesNotMatch(ended.stderr, /pw-secret/)
  }
})

test('a server that is not there ends the program with status 5, as trying again may help', async () => {
  const { code, stdout, stderr } = await sluice(['rc', '--url', ':1', '--pass', 'pw-secret', 'rc/noop'])
  assert.equal(code, 5)
  assert.partialDeepStrictEqual(JSON.parse(stdout), { path: 'rc/noop', status: 503 })
  assert.match(stderr, /connection failed: /)
  assert.doesNotMatch(stdout + stderr, /pw-secret/)
})

test('an answer that is no JSON is a failure', async (t) => {
  const url = await web(t, (request, response) => {
    request.resume()
    response.end(request.url === '/base/list' ? '[1]' : '<html>hello')
  })
  for (const path of ['list', 'page']) {
    const { code, stderr } = await sluice(['rc', '--url', `${url.slice(7)}base`, path])
    assert.equal(code, 1)
    assert.match(stderr, /failed to decode response: 200 OK: /)
  }
})

test('a call goes over a unix socket, by its own flag or by that of the server', async (t) => {
  const socket = join(scratch(t), 'rc.sock')
  await rcd(t, ['--rc-no-auth', '--rc-addr', `unix://${socket}`])
  for (const flags of [
    ['--unix-socket', socket],
    ['--rc-addr', `unix://${socket}`],
  ])
    assert.equal((await sluice(['rc', ...flags, 'rc/noop', 'a=1'])).stdout, '{\n\t"a": "1"\n}\n')
})

test('the base URL of a server is a part of --url', async (t) => {
  const server = await rcd(t, ['--rc-no-auth', '--rc-baseurl', '/some/base'])
  const url = new URL(server.url)
  for (const text of [`${url.origin}/some/base`, `${url.host}/some/base/`])
    assert.equal((await sluice(['rc', '--url', text, 'rc/noop', 'a=1'])).stdout, '{\n\t"a": "1"\n}\n')
})

test('--loopback makes calls without a server, and waits for those that go on by themselves', async (t) => {
  const dir = scratch(t)
  files(dir, { 'f/file.txt': 'x' })
  const noop = await sluice(['rc', '--loopback', 'rc/noop', 'b=2', 'a=1'])
  assert.deepEqual([noop.code, noop.stdout], [0, '{\n\t"a": "1",\n\t"b": "2"\n}\n'])
  const failed = await sluice(['rc', '--loopback', 'rc/error'])
  assert.equal(failed.code, 1)
  assert.match(failed.stderr, /operation "rc\/error" failed: arbitrary error/)
  assert.match((await sluice(['rc', '--loopback'])).stdout, /^### rc\/noop: /m)
  const background = await sluice(['rc', '--loopback', 'rc/noop', '_async=true'])
  assert.equal(background.code, 0)
  assert.match(background.stdout, /"jobid": 1/)
})

test('what a method streams is passed on as it comes', async (t) => {
  const server = await rcd(t)
  const { code, stdout } = await sluice([
    'rc',
    '--url',
    server.url,
    'core/command',
    'command=version',
    'returnType=STREAM',
  ])
  assert.equal(code, 0)
  assert.match(stdout, /^sluice v/)
})

test('a call is answered when its JSON is complete, even by a client that announced more', async (t) => {
  const server = await rcd(t)
  const socket = connect(server.port, '127.0.0.1')
  t.after(() => socket.destroy())
  const json = { 'content-type': 'application/json' }
  const lines = Object.entries({ host: '127.0.0.1', ...json, 'content-length': '99', connection: 'close' })
  socket.write(`POST /rc/noop HTTP/1.1\r\n${lines.map((line) => line.join(': ')).join('\r\n')}\r\n\r\n{"a":"}"}`)
  let text = ''
  while (!text.includes('\n}\n')) text += String((await once(socket, 'data'))[0])
  assert.match(text, /^HTTP\/1\.1 200 OK/)
  const { status } = await fetch(`${server.url}rc/noop`, { method: 'POST', headers: json, body: '{"a":1} and more' })
  assert.equal(status, 200)
})
