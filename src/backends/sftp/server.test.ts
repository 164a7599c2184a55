import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { faultProxy } from '../../../test/fault-proxy.ts'
import { bytesAt, fileAt, hanging, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { missing } from '../../../test/peers.ts'
import { files, run, scratch, serve, sluice } from '../../../test/program.ts'
import { rclone } from '../../../test/rclone.ts'
import { type Sshd, startSshd } from '../../../test/servers/sshd.ts'
import { freePort, listening } from '../../../test/web.ts'
import { bodyOf, collect } from '../../base/body.ts'
import { mainOptions } from '../../core/options.ts'
import { recordingLogger, testContext } from '../../core/testing.ts'
import { retrying } from '../../layers/retry.ts'
import { parseEncoding } from '../../remote/encoding.ts'
import type { Remote } from '../../remote/remote.ts'
import { type Change, opened } from '../../../test/servers/sftp-remote.ts'

const big = randomBytes(8 * 1024 * 1024)
const retries = retrying({ tries: 5, first: 1, longest: 10, random: Math.random })

describe('sftp on OpenSSH', { skip: missing('sshd', 'ssh', 'rclone') }, () => {
  const log = recordingLogger()
  const ctx = testContext({ log })
  let server: Sshd
  before(async () => {
    server = await startSshd()
    writeFileSync(join(server.root, 'big.bin'), big)
  })
  after(async () => await server.stop())

  /** A folder of the test's own, and its remote. */
  async function place(t: TestContext, change: Change = {}): Promise<{ remote: Remote; dir: string }> {
    const dir = join(server.root, t.name.replaceAll(/\W+/g, '-').slice(0, 60))
    mkdirSync(dir)
    return { remote: await connected(t, change, dir), dir }
  }

  async function connected(t: TestContext, change: Change = {}, root = server.root, at = server): Promise<Remote> {
    const remote = await opened(ctx, at, change, root)
    t.after(async () => await remote.close?.())
    return remote
  }

  /** What `rclone` and `sluice` need to reach the server. */
  const spec = (port = server.port) =>
    `:sftp,host=127.0.0.1,port=${port},user=${server.user},key_file='${server.keyFile}':${server.root}`

  test('links are followed, left out when they lead nowhere, and all of them when they are to be skipped', async (t) => {
    const { remote, dir } = await place(t)
    files(dir, { 'real/file.txt': 'x' })
    symlinkSync('real', join(dir, 'to-dir'))
    symlinkSync('real/file.txt', join(dir, 'to-file'))
    symlinkSync('nowhere', join(dir, 'dangling'))
    const kinds = async (of: Remote) =>
      Object.fromEntries([...(await listed(ctx, of, ''))].map(([p, e]) => [p, e.kind]))
    assert.deepEqual(await kinds(remote), { real: 'directory', 'to-dir': 'directory', 'to-file': 'file' })
    assert.equal((await bytesAt(ctx, remote, 'to-file')).toString(), 'x')
    const without = await connected(t, { skipLinks: true }, dir)
    assert.deepEqual(await kinds(without), { real: 'directory' })
    assert.equal(await without.stat(ctx, 'to-file'), undefined)
  })

  test('a file that is replaced keeps its permissions', async (t) => {
    const { remote, dir } = await place(t)
    files(dir, { 'run.sh': 'old' })
    chmodSync(join(dir, 'run.sh'), 0o755)
    await putText(ctx, remote, 'run.sh', 'new')
    assert.equal(statSync(join(dir, 'run.sh')).mode & 0o777, 0o755)
  })

  test('checksums are those of names that a shell could take for something else', async (t) => {
    const { remote } = await place(t, { hashes: ['md5', 'sha256'] })
    assert.deepEqual(remote.info.hashes, ['md5', 'sha256'])
    for (const name of ["it's $(touch x) `y`; z", '-n', 'back\\slash', 'line\nbreak']) {
      await putText(ctx, remote, name, 'abc')
      assert.equal(await remote.hash?.(ctx, await fileAt(ctx, remote, name), 'md5'), '900150983cd24fb0d6963f7d28e17f72')
    }
    assert.equal((await listed(ctx, remote, '')).size, 4)
  })

  test('checksums are left out when there is no command for them, and made by the one that is named', async (t) => {
    for (const change of [{ disableHashcheck: true }, { shellType: 'none' }] as const) {
      const remote = await connected(t, change)
      assert.deepEqual(remote.info.hashes, [])
      assert.ok(!remote.hash)
    }
    const remote = await connected(t, {
      md5sumCommand: 'printf %.32s 00000000000000000000000000000000 #',
      sha1sumCommand: 'none',
    })
    assert.deepEqual(remote.info.hashes, ['md5'])
    assert.equal(await remote.hash?.(ctx, await fileAt(ctx, remote, 'big.bin'), 'md5'), '0'.repeat(32))
  })

  test('copies are made by the server, as hard links if that is wanted', async (t) => {
    const { remote, dir } = await place(t)
    const file = await remote.put(ctx, 'a.bin', bodyOf(big), { size: big.length })
    await remote.copy?.(ctx, file, 'b.bin')
    assert.ok(readFileSync(join(dir, 'b.bin')).equals(big))
    assert.notEqual(statSync(join(dir, 'a.bin')).ino, statSync(join(dir, 'b.bin')).ino)
    const linking = await connected(t, { copyIsHardlink: true }, dir)
    for (let again = 0; again < 2; again++) await linking.copy?.(ctx, file, 'sub/c.bin')
    assert.equal(statSync(join(dir, 'a.bin')).ino, statSync(join(dir, 'sub/c.bin')).ino)
    assert.deepEqual(readdirSync(join(dir, 'sub')), ['c.bin'])
  })

  test('cleanup removes what uploads left behind a day ago, and nothing else', async (t) => {
    const dir = join(server.root, 'leftovers')
    const old = new Date(Date.now() - 25 * 3600_000)
    const partial = `.sluice-${'0'.repeat(16)}`
    files(dir, {
      'a.txt': 'a',
      [`${partial}.partial`]: 'young',
      [`sub/deep/${partial}.partial`]: 'old',
      [`sub/${partial}.replaced`]: 'perhaps all there is of a file',
      'sub/.sluice-notes.partial': 'of somebody else',
    })
    for (const path of readdirSync(dir, { recursive: true }) as string[])
      if (path.startsWith('sub/') || path === 'a.txt') utimesSync(join(dir, path), old, old)
    const remote = await connected(t, {}, dir)
    await remote.cleanUp?.(ctx)
    assert.deepEqual(
      (readdirSync(dir, { recursive: true }) as string[]).toSorted(),
      [
        `${partial}.partial`,
        'a.txt',
        'sub',
        'sub/.sluice-notes.partial',
        `sub/${partial}.replaced`,
        'sub/deep',
      ].toSorted(),
    )
  })

  test('the server is reached through the SOCKS proxy of another one, and known by a pinned key', async (t) => {
    const port = await freePort()
    const options = ['-F', 'none', '-o', 'BatchMode=yes', '-o', `UserKnownHostsFile=${server.knownHosts}`]
    const to = ['-i', server.keyFile, '-p', `${server.port}`, `${server.user}@127.0.0.1`]
    const proxy = spawn('ssh', [...options, '-N', '-D', `127.0.0.1:${port}`, ...to])
    t.after(() => proxy.kill())
    await listening(port, proxy)
    const [, ...key] = readFileSync(server.knownHosts, 'utf8').trim().split(/\s+/)
    const hostKeys = [key.slice(0, 2).join(' ')]
    const remote = await connected(t, { socksProxy: `127.0.0.1:${port}`, knownHostsFile: '', hostKeys })
    assert.ok((await bytesAt(ctx, remote, 'big.bin')).equals(big))
    const other = [`ssh-ed25519 ${readFileSync(`${server.keyFile}.pub`, 'utf8').split(' ')[1]}`]
    await rejectsWith(opened(ctx, server, { knownHostsFile: '', hostKeys: other }), 'denied')
    await rejectsWith(opened(ctx, server, { knownHostsFile: '', hostKeys: ['what'] }), 'invalid')
  })

  test('files are read and written by one request after the other when that is wanted', async (t) => {
    const { remote } = await place(t, { disableConcurrentReads: true, disableConcurrentWrites: true })
    await remote.put(ctx, 'a.bin', bodyOf(big), { size: big.length })
    assert.ok((await bytesAt(ctx, remote, 'a.bin')).equals(big))
    assert.ok(!remote.openWriter)
  })

  test('names are stored under others where the configuration says so', async (t) => {
    const { remote, dir } = await place(t, { encoding: parseEncoding('Ctl,Colon') })
    await putText(ctx, remote, 'a:b/line\nbreak', 'x')
    assert.deepEqual(readdirSync(join(dir, 'a：b')), ['line␊break'])
    assert.deepEqual([...(await listed(ctx, remote, 'a:b')).keys()], ['a:b/line\nbreak'])
    const file = await fileAt(ctx, remote, 'a:b/line\nbreak')
    assert.equal(await remote.hash?.(ctx, file, 'md5'), '9dd4e461268c8034f5c8564e155c67a6')
  })

  test('the space of the server is told', async (t) => {
    const remote = await connected(t)
    const { total = 0, free = 0 } = (await remote.about?.(ctx)) ?? {}
    assert.ok(total > free && free > 0)
  })

  test('a path that is not absolute begins where logins begin, for commands as well', async (t) => {
    const command = `cd ${server.root} && exec /usr/lib/openssh/sftp-server`
    const remote = await connected(t, { serverCommand: command }, '')
    assert.equal((await fileAt(ctx, remote, 'big.bin')).size, big.length)
    const overridden = await connected(t, { pathOverride: server.root }, `${server.root}/../files`)
    assert.match(
      (await overridden.hash?.(ctx, await fileAt(ctx, overridden, 'big.bin'), 'md5')) ?? '',
      /^[0-9a-f]{32}$/,
    )
  })

  test('a server with another key than the known one is refused, and so is an unknown one where only known ones may be', async (t) => {
    const dir = scratch(t)
    const [, type, key] = readFileSync(server.knownHosts, 'utf8').split(' ')
    const named = (name: string, text: string) => {
      files(dir, { [name]: text })
      return { knownHostsFile: join(dir, name) }
    }
    const other = `${key?.slice(0, -8)}AAAAAAA=`
    for (const text of ['', `[127.0.0.1]:${server.port} ${type} ${other}`, `@revoked * ${type} ${key}`])
      await rejectsWith(opened(ctx, server, named('bad', text)), 'denied')
    await rejectsWith(opened(ctx, server, { knownHostsFile: join(dir, 'missing') }), 'invalid')
    for (const text of [`[127.0.0.*]:${server.port} ${type} ${key}`, `x,[127.0.0.1]:* ${type} ${key} comment`])
      await connected(t, named('good', text))
  })

  test('without a file of known hosts a server is let pass with a warning, which comes once', async (t) => {
    const before = log.lines.length
    const remote = await connected(t, { knownHostsFile: '', connections: 3 })
    await Promise.all(Array.from({ length: 20 }, () => remote.stat(ctx, 'big.bin')))
    const warnings = log.lines.slice(before).filter((line) => line.startsWith('warning'))
    assert.equal(warnings.length, 1)
    assert.match(warnings[0] ?? '', /host key SHA256:\S+ is that of 127\.0\.0\.1: set known_hosts_file/)
  })

  test('a key may be given as text, and a wrong or absent one is refused with what to do', async (t) => {
    const pem = readFileSync(server.keyFile, 'utf8').trim().replaceAll('\n', '\\n')
    await connected(t, { keyFile: '', keyPem: pem })
    await rejectsWith(opened(ctx, server, { keyFile: `${server.keyFile}.pub` }), 'invalid')
    await rejectsWith(opened(ctx, server, { keyFile: '', pass: 'wrong' }), 'denied')
    await rejectsWith(opened(ctx, server, { user: 'nobody' }), 'denied')
  })

  test('a server that is not there, or knows no way to speak, is an error that says so', async () => {
    const gone = { ...server, port: await freePort() }
    await assert.rejects(opened(ctx, gone), { code: 'io', retry: 'now', message: /ECONNREFUSED/ })
    await rejectsWith(opened(ctx, { ...server, keyFile: '/missing' }), 'invalid')
    await rejectsWith(opened(ctx, server, { ciphers: ['rot13'] }), 'invalid')
    await assert.rejects(opened(ctx, server, { ciphers: ['3des-cbc'] }), { code: 'io', retry: false })
    await rejectsWith(opened(ctx, server, { subsystem: 'none' }), 'io')
  })

  test('a program that connects tells why it could not', async () => {
    const failing = opened(ctx, server, { ssh: true, subsystem: 'none' })
    await assert.rejects(failing, /subsystem request failed/)
  })

  test('a read whose connection breaks goes on where it broke, over a new one', async (t) => {
    const proxy = await faultProxy(t, server.port)
    proxy.faults((n) => (n % 2 === 0 ? { cut: 3_000_000 } : undefined))
    const broken = await opened(ctx, { ...server, port: proxy.port }, { knownHostsFile: '' })
    t.after(async () => await broken.close?.())
    const remote = retries(broken)
    assert.ok((await bytesAt(ctx, remote, 'big.bin')).equals(big))
    assert.ok(proxy.connections >= 2)
  })

  test('an upload whose connection breaks is an error that may pass, and leaves nothing', async (t) => {
    const proxy = await faultProxy(t, server.port)
    const remote = await opened(ctx, { ...server, port: proxy.port }, { knownHostsFile: '' }, join(server.root, 'up'))
    t.after(async () => await remote.close?.())
    await putText(ctx, remote, 'first', 'x')
    async function* breaking() {
      yield big.subarray(0, 1_000_000)
      proxy.breakAll()
      yield big.subarray(1_000_000)
    }
    await assert.rejects(remote.put(ctx, 'lost.bin', breaking(), { size: big.length }), { code: 'io', retry: 'now' })
    assert.deepEqual(readdirSync(join(server.root, 'up')), ['first'])
    await putText(ctx, remote, 'second', 'y')
  })

  test('a server that keeps everybody waiting is left, and a call that is stopped does not wait for it', async (t) => {
    const proxy = await faultProxy(t, server.port)
    proxy.faults(() => ({ stall: 500_000 }))
    const stop = new AbortController()
    const impatient = ctx.with({ values: new Map([[mainOptions, { timeout: 500 }]]) })
    for (const [asking, code] of [
      [ctx.with({ signal: stop.signal }), 'aborted'],
      [impatient, 'io'],
    ] as const) {
      const remote = await opened(asking, { ...server, port: proxy.port }, { knownHostsFile: '' })
      t.after(async () => await remote.close?.())
      const body = await remote.open(asking, await fileAt(asking, remote, 'big.bin'))
      let bytes = 0
      const reading = (async () => {
        for await (const chunk of body) {
          bytes += chunk.length
          if (bytes > 200_000 && code === 'aborted') stop.abort()
        }
      })()
      await rejectsWith(reading, code)
    }
  })

  test('connections that nobody uses are closed, and come back', async (t) => {
    const proxy = await faultProxy(t, server.port)
    const remote = await opened(ctx, { ...server, port: proxy.port }, { knownHostsFile: '', idleTimeout: 1 })
    t.after(async () => await remote.close?.())
    for (const from = proxy.connections; proxy.connections === from;) {
      assert.ok(await remote.stat(ctx, 'big.bin'))
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  })

  test('an upload that is stopped leaves nothing behind', async (t) => {
    const { remote, dir } = await place(t)
    const stop = new AbortController()
    const putting = remote.put(ctx.with({ signal: stop.signal }), 'x', hanging('abc'), {})
    setTimeout(() => stop.abort(), 20)
    await rejectsWith(putting, 'aborted')
    assert.deepEqual(readdirSync(dir), [])
  })

  test('what rclone stores can be read, and what is stored rclone checks', async (t) => {
    const local = scratch(t)
    files(local, { 'a.txt': 'a', 'sub dir/b.bin': big, 'ünï/c': '' })
    const known = `--sftp-known-hosts-file=${server.knownHosts}`
    const target = spec()
    for (const [mine, theirs] of [
      [sluice, rcloneRun],
      [rcloneRun, sluice],
    ] as const) {
      const at = `${target}/${mine === sluice ? 'ours' : 'theirs'}`
      const copied = await mine(['copy', local, at, known])
      assert.equal(copied.code, 0, copied.stderr)
      const checked = await theirs(['check', local, at, known, '-v'])
      assert.equal(checked.code, 0, checked.stderr)
      assert.match(checked.stderr, /3 matching files/)
      const listing = await Promise.all([sluice, rcloneRun].map((list) => list(['lsl', at, known])))
      const [ours, theirsToo] = listing.map(({ stdout }) => stdout.split('\n').toSorted())
      assert.deepEqual(ours, theirsToo)
    }
  })

  test('serve http answers ranges from the server', async (t) => {
    const http = await serve(t, ['serve', 'http', spec(), `--sftp-known-hosts-file=${server.knownHosts}`])
    const response = await fetch(`${http.url}big.bin`, { headers: { range: 'bytes=1000000-1999999' } })
    assert.equal(response.status, 206)
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(big.subarray(1_000_000, 2_000_000)))
    assert.match(await (await fetch(http.url)).text(), /big\.bin/)
  })
})

async function rcloneRun(args: readonly string[]) {
  return await run('rclone', [...args, '--config', '/nonexistent/rclone.conf'])
}

test(
  'sftp logs in by password, to a server without the extensions of OpenSSH',
  { skip: missing('rclone') },
  async (t) => {
    const root = scratch(t)
    const port = await freePort()
    const login = ['--user', 'me', '--pass', 'secret']
    await rclone(t, ['serve', 'sftp', root, '--addr', `127.0.0.1:${port}`, ...login], /SFTP server listening/)
    const ctx = testContext()
    const server = { port, user: 'me', root: '/', keyFile: '', knownHosts: '', stop: async () => {} }
    const remote = await opened(ctx, server, { pass: 'secret' })
    t.after(async () => await remote.close?.())
    await putText(ctx, remote, 'dir/a.txt', 'one')
    await putText(ctx, remote, 'dir/a.txt', 'two')
    assert.equal((await bytesAt(ctx, remote, 'dir/a.txt')).toString(), 'two')
    assert.deepEqual(readdirSync(join(root, 'dir')), ['a.txt'])
    await rejectsWith(putText(ctx, remote, 'dir/a.txt', 'three', { ifAbsent: true }), 'exists')
    const bytes = await collect(await remote.open(ctx, await fileAt(ctx, remote, 'dir/a.txt'), { start: 1, end: 2 }))
    assert.equal(Buffer.from(bytes).toString(), 'w')
    await rejectsWith(opened(ctx, server, { pass: 'wrong' }), 'denied')
  },
)
