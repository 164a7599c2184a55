import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { missing } from '../peers.ts'
import { files, rcd, run, type Rcd, scratch, serve, sluice } from '../program.ts'
import { rcloneRcd } from '../rclone.ts'

type Answer = Record<string, unknown>

/** A server with a configuration of its own. */
async function configured(
  t: TestContext,
  text = '',
  args: string[] = ['--rc-no-auth'],
): Promise<Rcd & { path: string }> {
  const path = join(scratch(t), 'rclone.conf')
  writeFileSync(path, text)
  return { ...(await rcd(t, [...args, '--config', path])), path }
}

/** The answer of a call that must succeed. */
async function ask(server: Rcd, method: string, input?: object): Promise<Answer> {
  const { status, body } = await server.call(method, input)
  assert.equal(status, 200, `${method}: ${JSON.stringify(body)}`)
  return body
}

/** The status and text of a call that must fail. */
async function fails(server: Rcd, method: string, input?: object): Promise<string> {
  const { status, body } = await server.call(method, input)
  assert.notEqual(status, 200, method)
  return `${status} ${body.error as string}`
}

test('remotes are created, changed, shown and deleted, and the file has them at once', async (t) => {
  const server = await configured(t, '[old]\ntype = memory\n')
  assert.deepEqual(await ask(server, 'config/create', { name: 'a', type: 'alias', parameters: { remote: '/tmp' } }), {})
  assert.deepEqual(await ask(server, 'config/listremotes'), { remotes: ['old', 'a'] })
  assert.deepEqual(await ask(server, 'config/get', { name: 'a' }), { remote: '/tmp', type: 'alias' })
  assert.match(readFileSync(server.path, 'utf8'), /\[a\]\ntype = alias\nremote = \/tmp\n/)
  await ask(server, 'config/update', { name: 'a', parameters: '{"remote":"/srv","description":"x"}' })
  assert.deepEqual(await ask(server, 'config/dump'), {
    a: { description: 'x', remote: '/srv', type: 'alias' },
    old: { type: 'memory' },
  })
  assert.deepEqual(await ask(server, 'config/unset', { name: 'a', keys: ['description', 'other'] }), {
    removed: ['description'],
  })
  await ask(server, 'config/delete', { name: 'a' })
  await ask(server, 'config/delete', { name: 'a' })
  assert.deepEqual(await ask(server, 'config/get', { name: 'a' }), {})
})

test('what is missing or wrong is said as rclone says it, and nothing is written', async (t) => {
  const server = await configured(t, '[old]\ntype = memory\n')
  const before = readFileSync(server.path, 'utf8')
  const said = [
    await fails(server, 'config/create'),
    await fails(server, 'config/create', { name: 'n' }),
    await fails(server, 'config/create', { name: 'n', parameters: {}, opt: 'x' }),
    await fails(server, 'config/create', { name: 'n', parameters: {} }),
    await fails(server, 'config/create', { name: 'n', parameters: {}, type: 'nope' }),
    await fails(server, 'config/update', { name: 'n', parameters: {} }),
    await fails(server, 'config/password', { name: 'n', parameters: {} }),
    await fails(server, 'config/unset', { name: 'n', keys: [] }),
    await fails(server, 'config/unlock', {}),
    await fails(server, 'config/oauthstop'),
  ]
  assert.deepEqual(said, [
    `400 Didn't find key "name" in input`,
    `400 Didn't find key "parameters" in input`,
    said[2],
    `400 Didn't find key "type" in input`,
    `500 couldn't find backend for type "nope"`,
    `500 couldn't find type field in config`,
    `500 couldn't find type field in config`,
    `500 remote "n" doesn't exist`,
    `400 Didn't find key "configPassword" in input`,
    `500 no oauth authentication is in progress`,
  ])
  assert.match(said[2] ?? '', /^400 key "opt": /)
  assert.match(await fails(server, 'config/create', { name: 'a/b', parameters: {}, type: 'local' }), /^500 config name/)
  assert.equal(readFileSync(server.path, 'utf8'), before)
})

test('a configuration is made question by question', async (t) => {
  const server = await configured(t)
  const opt = { nonInteractive: true, all: true }
  let out = await ask(server, 'config/create', { name: 'q', type: 'alias', parameters: {}, opt })
  assert.equal((out.Option as Answer).Name, 'remote')
  assert.equal(out.State, '*all-set,0,false')
  const next = { nonInteractive: true, continue: true, state: out.State, result: '/srv' }
  out = await ask(server, 'config/update', { name: 'q', parameters: {}, opt: JSON.stringify(next) })
  while (out.State !== '')
    out = await ask(server, 'config/update', {
      name: 'q',
      parameters: {},
      opt: { nonInteractive: true, continue: true, state: out.State, result: '' },
    })
  assert.partialDeepStrictEqual(await ask(server, 'config/get', { name: 'q' }), { remote: '/srv', type: 'alias' })
})

test("rclone's own client changes a remote", { skip: missing('rclone') }, async (t) => {
  const server = await configured(t, '[r]\ntype = alias\nremote = /one\n')
  const change = ['config/update', 'name=r', 'parameters={"remote":"/two"}']
  const ended = await run('rclone', ['rc', '--url', server.url, ...change])
  assert.equal(ended.code, 0, ended.stderr)
  assert.deepEqual(await ask(server, 'config/get', { name: 'r' }), { remote: '/two', type: 'alias' })
})

test('another configuration, an encrypted one, and the paths', async (t) => {
  const server = await configured(t, '[a]\ntype = memory\n')
  const dir = scratch(t)
  const path = join(dir, 'secret.conf')
  writeFileSync(path, '[hidden]\ntype = memory\n')
  const sealed = await sluice(['config', 'encryption', 'set', '--config', path], { stdin: 'geheim\ngeheim\n' })
  assert.equal(sealed.code, 0, sealed.stderr)
  assert.match(await fails(server, 'config/setpath', { path }), /^(403|500) .*encrypted/)
  assert.deepEqual(await ask(server, 'config/listremotes'), { remotes: ['a'] })
  writeFileSync(path, '[b]\ntype = memory\n')
  await ask(server, 'config/setpath', { path })
  assert.deepEqual(await ask(server, 'config/listremotes'), { remotes: ['b'] })
  assert.partialDeepStrictEqual(await ask(server, 'config/paths'), { config: path })
  assert.deepEqual(await ask(server, 'config/oauthstatus'), { status: 'stopped' })
})

test('a password unlocks an encrypted configuration', async (t) => {
  const path = join(scratch(t), 'rclone.conf')
  writeFileSync(path, '[hidden]\ntype = memory\n')
  const sealed = await sluice(['config', 'encryption', 'set', '--config', path], { stdin: 'geheim\ngeheim\n' })
  assert.equal(sealed.code, 0, sealed.stderr)
  const server = await rcd(t, ['--rc-no-auth', '--config', path])
  assert.match(await fails(server, 'config/listremotes'), /encrypted/)
  assert.equal(await fails(server, 'config/unlock', { configPassword: 'x' }), '500 failed to set config password')
  await ask(server, 'config/unlock', { config_password: 'geheim' })
  assert.deepEqual(await ask(server, 'config/listremotes'), { remotes: ['hidden'] })
})

test('all methods about the configuration need a login', async (t) => {
  const server = await configured(t, '', [])
  for (const name of ['dump', 'get', 'listremotes', 'providers', 'paths', 'create', 'setpath', 'unlock'])
    assert.match(await fails(server, `config/${name}`), /^403 authentication must be set up/, name)
  assert.match(await fails(server, 'options/get'), /^403 /)
  assert.match(await fails(server, 'options/set', { rc: { NoAuth: true } }), /^403 /)
  assert.match(await fails(server, 'config/listremotes'), /^403 /)
})

/** The paths of all values in an object: `rc.HTTPOptions.BaseURL`. */
function pathsIn(value: unknown, prefix = ''): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [prefix]
  return Object.entries(value).flatMap(([key, item]) => pathsIn(item, prefix === '' ? key : `${prefix}.${key}`))
}

test('every option that rclone shows is shown, under its name', { skip: missing('rclone') }, async (t) => {
  const url = await rcloneRcd(t)
  const theirs = (await (await fetch(`${url}options/get`, { method: 'POST' })).json()) as Answer
  const server = await rcd(t)
  const ours = await ask(server, 'options/get')
  const shared = ['main', 'filter', 'log', 'vfs', 'mount', 'http', 'rc']
  const known = new Set(pathsIn(ours))
  const lacking = shared
    .flatMap((block) => pathsIn(theirs[block], block))
    // An object since 1.61.
    .filter((path) => path !== 'http.Template' && !known.has(path))
  assert.deepEqual(lacking, [])
  assert.deepEqual(Object.keys(ours).sort(), shared.toSorted())
  assert.deepEqual(await ask(server, 'options/blocks'), { options: shared.toSorted() })
  assert.deepEqual(Object.keys(await ask(server, 'options/get', { blocks: 'sausage,main,rhubarb' })), ['main'])
})

test('options have the forms that clients know', async (t) => {
  const server = await rcd(t, ['--rc-no-auth', '--transfers', '7', '--include', '*.mp4', '-vv', '--dump', 'filters'])
  assert.partialDeepStrictEqual(await ask(server, 'options/get'), {
    main: {
      Transfers: 7,
      LogLevel: 'DEBUG',
      Timeout: 300_000_000_000,
      BufferSize: 16_777_216,
      BwLimit: '',
      CutoffMode: 'HARD',
      Dump: 'filters',
      Headers: null,
      PasswordCommand: null,
      TrackRenamesStrategy: 'hash',
    },
    filter: { IncludeRule: ['*.mp4'], MaxSize: -1, MetaRules: { IncludeRule: [] } },
    vfs: { DirPerms: 0o777, CacheMode: 'off', DirCacheTime: 300_000_000_000 },
    log: { Format: 'date,time' },
  })
  const info = await ask(server, 'options/info', { blocks: 'main,rc' })
  const main = info.main as Answer[]
  assert.partialDeepStrictEqual(
    main.find(({ Name }) => Name === 'transfers'),
    { FieldName: 'Transfers', Default: 4, ValueStr: '7', Type: 'int' },
  )
  assert.ok((info.rc as Answer[]).some(({ FieldName }) => FieldName === 'HTTP.ListenAddr'))
})

test('secrets are never shown, and what was shown may be sent back', async (t) => {
  const path = join(scratch(t), 'rclone.conf')
  writeFileSync(path, '')
  const secrets = ['--rc-user', 'u', '--rc-pass', 'geheim-1', '--header', 'Authorization: geheim-2']
  const server = await rcd(t, [...secrets, '--password-command', 'echo geheim-3', '--config', path])
  const headers = { authorization: `Basic ${btoa('u:geheim-1')}`, 'content-type': 'application/json' }
  const call = async (method: string, body: object = {}) => {
    const response = await fetch(server.url + method, { method: 'POST', headers, body: JSON.stringify(body) })
    return { status: response.status, text: await response.text() }
  }
  for (const method of ['options/get', 'options/info', 'options/local'])
    assert.doesNotMatch((await call(method)).text, /geheim/, method)
  const { main, vfs, filter } = JSON.parse((await call('options/get')).text) as Record<string, Answer>
  const again = await call('options/set', { main, vfs, filter })
  assert.deepEqual(again, { status: 200, text: '{}\n' })
  const local = JSON.parse((await call('options/local', { _config: { Transfers: 2 } })).text) as Record<string, Answer>
  assert.deepEqual(local, { config: { ...main, Transfers: 2 }, filter })
})

test('options are set all together or not at all', async (t) => {
  const server = await rcd(t)
  const said = [
    await fails(server, 'options/set', { main: { Transfers: 9 }, sausage: { Int: 50 } }),
    await fails(server, 'options/set', { main: { Transfers: 9, Checkers: 'nonsense' } }),
    await fails(server, 'options/set', { main: { Transfers: 9 }, vfs: 'x' }),
    await fails(server, 'options/set', { main: { Transfers: 9 }, filter: { FilterRule: ['nonsense'] } }),
    await fails(server, 'options/set', { main: { Transfers: 9 }, filter: { IncludeFrom: ['/etc/passwd'] } }),
    await fails(server, 'options/set', { main: { Transfers: 9, PasswordCommand: 'touch /tmp/x' } }),
    await fails(server, 'options/set', { main: { Transfers: 9 }, rc: { NoAuth: false } }),
    await fails(server, 'options/set', { main: { Transfers: 9 }, http: { HTTP: { BaseURL: 'x' } } }),
  ]
  assert.equal(said[0], '500 unknown option block "sausage"')
  assert.match(said[1] ?? '', /^500 failed to write options from block "main": Reshape failed to Unmarshal: Checkers: /)
  assert.match(said[2] ?? '', /^500 failed to write options from block "vfs": Reshape failed to Unmarshal: /)
  assert.match(said[4] ?? '', /^403 rules from files are not read for calls/)
  assert.match(said[5] ?? '', /^403 .*it runs a program/)
  assert.match(said[6] ?? '', /^403 options of the block "rc" are settled when the program starts/)
  assert.match(said[7] ?? '', /^403 options of the block "http"/)
  assert.partialDeepStrictEqual(await ask(server, 'options/get'), { main: { Transfers: 4, Checkers: 8 } })
})

test('what is set takes effect', async (t) => {
  const server = await rcd(t)
  await ask(server, 'options/set', {
    main: { transfers: 3, LogLevel: 'INFO', BwLimit: '1M', timeout: '30s', bufferSize: 1024, CutoffMode: 1 },
    vfs: { DirCacheTime: '5s', CacheMode: 3 },
    filter: { MinSize: '1k' },
    log: {},
  })
  assert.partialDeepStrictEqual(await ask(server, 'options/get'), {
    main: {
      Transfers: 3,
      LogLevel: 'INFO',
      BwLimit: '1Mi',
      Timeout: 30_000_000_000,
      BufferSize: 1024,
      CutoffMode: 'SOFT',
    },
    vfs: { DirCacheTime: 5_000_000_000, CacheMode: 'full' },
    filter: { MinSize: 1024 },
  })
  assert.partialDeepStrictEqual(await ask(server, 'core/bwlimit'), { bytesPerSecond: 1_048_576, rate: '1Mi' })
  assert.partialDeepStrictEqual(await ask(server, 'options/local'), { config: { Transfers: 3 } })
})

test('the log level may be set while the program runs, as a word or a number', async (t) => {
  const server = await configured(t)
  const warned = server.logged(/has no option seen/)
  await ask(server, 'config/create', { name: 'a', type: 'memory', parameters: { unseen: 1 } })
  await ask(server, 'options/set', { main: { LogLevel: 'ERROR' } })
  await ask(server, 'config/create', { name: 'b', type: 'memory', parameters: { hushed: 1 } })
  await ask(server, 'options/set', { main: { LogLevel: 8 } })
  assert.partialDeepStrictEqual(await ask(server, 'options/get'), { main: { LogLevel: 'DEBUG' } })
  await ask(server, 'config/create', { name: 'c', type: 'memory', parameters: { seen: 1 } })
  await warned
  assert.match(server.log(), /has no option unseen/)
  assert.doesNotMatch(server.log(), /hushed/)
})

test('the time for which directories are kept may be set on a server that runs', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a' })
  const source = await serve(t, ['serve', 'http', dir])
  const rc = ['--rc', '--rc-no-auth', '--rc-addr', '127.0.0.1:0']
  const server = await serve(t, ['serve', 'http', `:http,url="${source.url}":`, '--dir-cache-time', '1h', ...rc])
  const control = /Serving remote control on (\S+)/.exec(server.log())?.[1] ?? ''
  const list = async () => /[ab]\.txt(?!.*[ab]\.txt)/s.exec(await (await fetch(server.url)).text())?.[0]
  assert.equal(await list(), 'a.txt')
  files(dir, { 'b.txt': 'b' })
  assert.equal(await list(), 'a.txt')
  const set = await fetch(`${control}options/set`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"vfs":{"DirCacheTime":0}}',
  })
  assert.equal(set.status, 200, await set.text())
  assert.equal(await list(), 'b.txt')
})

test('mounts, plugins and caches answer as where there are none', async (t) => {
  const server = await rcd(t)
  assert.deepEqual(await ask(server, 'mount/types'), { mountTypes: [] })
  assert.deepEqual(await ask(server, 'mount/listmounts'), { mountPoints: [] })
  assert.deepEqual(await ask(server, 'mount/unmountall'), {})
  assert.equal(await fails(server, 'mount/mount', {}), `400 Didn't find key "mountPoint" in input`)
  assert.match(await fails(server, 'mount/mount', { fs: '/x', mountPoint: '/y' }), /^500 .*serve\/start/)
  assert.equal(await fails(server, 'mount/unmount', { mountPoint: '/y' }), '500 mount not found')
  for (const name of ['addPlugin', 'listPlugins', 'removePlugin', 'listTestPlugins'])
    assert.equal(await fails(server, `pluginsctl/${name}`), '500 WebUI needs to be enabled for plugins to work')
  assert.equal(await fails(server, 'cache/expire'), '500 remote is needed')
  assert.equal(await fails(server, 'cache/fetch'), '500 missing chunks parameter')
  assert.equal(
    await fails(server, 'cache/fetch', { chunks: 'zz' }),
    '500 invalid chunks parameter: invalid range: "zz"',
  )
  assert.equal(await fails(server, 'cache/fetch', { chunks: '1,:5,-5:', k: 'v' }), '500 invalid parameter k=v')
  assert.equal(await fails(server, 'cache/stats'), '500 no remote of type cache is in use')
  assert.deepEqual(await ask(server, 'debug/set-mutex-profile-fraction', { rate: 1 }), { previousRate: 0 })
  assert.deepEqual(await ask(server, 'debug/set-block-profile-rate', { rate: '1' }), {})
  assert.deepEqual(await ask(server, 'debug/set-gc-percent', { 'gc-percent': 50 }), { 'existing-gc-percent': 100 })
  const limit = await ask(server, 'debug/set-soft-memory-limit', { 'mem-limit': -1 })
  assert.ok((limit['existing-mem-limit'] as number) > 1e6)
})
