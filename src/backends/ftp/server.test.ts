import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { bytesAt, failing, fileAt, listed, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { connectProxy } from '../../../test/connect-proxy.ts'
import { faultProxy } from '../../../test/fault-proxy.ts'
import { missing } from '../../../test/peers.ts'
import { files, run, scratch, serve, sluice } from '../../../test/program.ts'
import { type FtpServer, startProftpd } from '../../../test/servers/proftpd.ts'
import { bodyOf, collect } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import { testContext } from '../../core/testing.ts'
import { retrying } from '../../layers/retry.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { obscure } from '../../remote/obscure.ts'
import { type Change, opened } from '../../../test/servers/ftp-remote.ts'

const big = randomBytes(8 * 1024 * 1024)
const retries = retrying({ tries: 5, first: 1, longest: 10, random: Math.random })

describe('ftp on ProFTPD', { skip: missing('proftpd', 'openssl', 'rclone') }, () => {
  const ctx = testContext()
  let server: FtpServer
  before(async () => {
    server = await startProftpd('none', ['ListOptions "-a"'])
    writeFileSync(join(server.root, 'big.bin'), big)
  })
  after(async () => await server.stop())

  async function connected(t: TestContext, change: Change = {}, root = '', at = server): Promise<Remote> {
    const remote = await opened(ctx, at, change, root)
    t.after(async () => await remote.close?.())
    return remote
  }

  const spec = () => `:ftp,host=127.0.0.1,port=${server.port},user=${server.user},pass=${obscure(server.password)}:`

  test('a reader who leaves early costs no new login', async (t) => {
    const proxy = await faultProxy(t, server.port)
    const remote = await connected(t, {}, '', { ...server, port: proxy.port })
    const file = await fileAt(ctx, remote, 'big.bin')
    for (const range of [
      { start: 0, end: 10 },
      { start: 5_000_000, end: 5_000_010 },
      { start: 0, end: Infinity },
    ])
      for await (const chunk of await remote.open(ctx, file, range)) {
        assert.ok(big.subarray(range.start, range.start + chunk.length).equals(chunk))
        break
      }
    assert.ok((await bytesAt(ctx, remote, 'big.bin')).equals(big))
    assert.equal(proxy.connections, 1)
  })

  test('a login that is lost is made anew, and reading goes on', async (t) => {
    const proxy = await faultProxy(t, server.port)
    const remote = retries(await connected(t, {}, '', { ...server, port: proxy.port }))
    const body = await remote.open(ctx, await fileAt(ctx, remote, 'big.bin'))
    const chunks: Uint8Array[] = []
    for await (const chunk of body) {
      if (chunks.length === 1) proxy.breakAll()
      chunks.push(chunk)
    }
    assert.ok(Buffer.concat(chunks).equals(big))
    proxy.breakAll()
    assert.ok(await remote.stat(ctx, 'big.bin'))
  })

  test('a source that fails leaves nothing, and other uploads of many at once are whole', async (t) => {
    mkdirSync(join(server.root, 'many'))
    const remote = await connected(t, { concurrency: 2 }, 'many')
    const broken = remote.put(ctx, 'x', failing(['abc'], new AppError('io', 'gone')), {})
    const puts = Array.from({ length: 8 }, (_, i) => putText(ctx, remote, `f${i}`, `text ${i}`))
    await rejectsWith(broken, 'io')
    await Promise.all(puts)
    assert.deepEqual(readdirSync(join(server.root, 'many')).length, 8)
  })

  test('links are followed, with exact listings and without', async (t) => {
    const dir = join(server.root, 'links')
    files(dir, { 'real/file.txt': 'x' })
    symlinkSync('real', join(dir, 'to-dir'))
    symlinkSync('real/file.txt', join(dir, 'to-file'))
    symlinkSync('nowhere', join(dir, 'dangling'))
    for (const change of [{}, { disableMlsd: true }]) {
      const remote = await connected(t, change, 'links')
      const entries = await listed(ctx, remote, '')
      const kinds = Object.fromEntries([...entries].map(([path, { kind }]) => [path, kind]))
      assert.deepEqual(kinds, { real: 'directory', 'to-dir': 'directory', 'to-file': 'file' })
      // ProFTPD tells the size of the link for that of the file, so that none is taken from it.
      const [file] = [...entries.values()].filter((entry) => entry.path === 'to-file') as FileEntry[]
      assert.equal(Buffer.from(await collect(await remote.open(ctx, file as FileEntry))).toString(), 'x')
    }
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
    const remote = await connected(t, {}, 'leftovers')
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

  test('logins and transfers go through a proxy, with TLS and without', async (t) => {
    const secure = await startProftpd('explicit')
    t.after(async () => await secure.stop())
    const implicit = await startProftpd('implicit')
    t.after(async () => await implicit.stop())
    for (const [at, change] of [
      [server, {}],
      [server, { disableEpsv: true }],
      [secure, { explicitTls: true, noCheckCertificate: true }],
      [implicit, { tls: true, noCheckCertificate: true }],
    ] as const) {
      const proxy = await connectProxy(t, 'ann:secret')
      const httpProxy = `http://ann:secret@127.0.0.1:${proxy.port}`
      const remote = await connected(t, { ...change, httpProxy }, 'proxied', at)
      await remote.put(ctx, 'a.bin', bodyOf(big), { size: big.length })
      assert.ok((await bytesAt(ctx, remote, 'a.bin')).equals(big))
      assert.ok((await listed(ctx, remote, '')).has('a.bin'))
      assert.equal(proxy.asked.filter((url) => url === `127.0.0.1:${at.port}`).length, 1)
      assert.ok(proxy.asked.length >= 4, proxy.asked.join())
    }
    const nobody = await connectProxy(t, 'ann:secret')
    await rejectsWith(opened(ctx, server, { httpProxy: `http://127.0.0.1:${nobody.port}` }), 'denied')
  })

  test('names that FTP cannot say are stored under others', async (t) => {
    const remote = await connected(t, {}, 'names')
    for (const name of ['line\nbreak', 'blank at the end ', 'tab\t']) await putText(ctx, remote, name, name)
    assert.deepEqual([...(await listed(ctx, remote, '')).keys()].toSorted(), [
      'blank at the end ',
      'line\nbreak',
      'tab\t',
    ])
    assert.deepEqual(readdirSync(join(server.root, 'names')).toSorted(), ['blank at the end␠', 'line␊break', 'tab␉'])
    assert.equal((await bytesAt(ctx, remote, 'line\nbreak')).toString(), 'line\nbreak')
  })

  test('a wrong password is refused, and so is a certificate that nobody vouches for', async (t) => {
    await rejectsWith(opened(ctx, server, { pass: 'wrong' }), 'denied')
    await rejectsWith(opened(ctx, server, { explicitTls: true }), 'unsupported', 'io')
    const secure = await startProftpd('explicit')
    t.after(async () => await secure.stop())
    await assert.rejects(opened(ctx, secure, { explicitTls: true }), /self-signed certificate/)
    await rejectsWith(opened(ctx, secure), 'denied')
  })

  test('a server that says nothing is left in time', async (t) => {
    const proxy = await faultProxy(t, server.port)
    proxy.faults(() => ({ stall: 30 }))
    const stop = AbortSignal.timeout(300)
    await rejectsWith(opened(ctx.with({ signal: stop }), { ...server, port: proxy.port }), 'aborted')
  })

  test('what rclone stores can be read, and what is stored rclone checks', async (t) => {
    const local = scratch(t)
    files(local, { 'a.txt': 'a', 'sub dir/b.bin': big, 'ünï/c ': '' })
    for (const [mine, theirs] of [
      [sluice, rcloneRun],
      [rcloneRun, sluice],
    ] as const) {
      const at = `${spec()}${mine === sluice ? 'ours' : 'theirs'}`
      const copied = await mine(['copy', local, at])
      assert.equal(copied.code, 0, copied.stderr)
      const checked = await theirs(['check', local, at, '--download'])
      assert.equal(checked.code, 0, checked.stderr)
      assert.match(checked.stderr, /3 matching files/)
      const listings = await Promise.all([sluice, rcloneRun].map((list) => list(['lsl', at])))
      const [ours, others] = listings.map(({ stdout }) => stdout.split('\n').toSorted())
      assert.deepEqual(ours, others)
    }
  })

  test('serve http answers ranges from the server', async (t) => {
    const http = await serve(t, ['serve', 'http', spec()])
    const response = await fetch(`${http.url}big.bin`, { headers: { range: 'bytes=1000000-1999999' } })
    assert.equal(response.status, 206)
    assert.ok(Buffer.from(await response.arrayBuffer()).equals(big.subarray(1_000_000, 2_000_000)))
  })
})

async function rcloneRun(args: readonly string[]) {
  return await run('rclone', [...args, '--config', '/nonexistent/rclone.conf'])
}
