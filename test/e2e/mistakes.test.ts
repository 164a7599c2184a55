import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { files, scratch, serve, sluice } from '../program.ts'

test('who mistypes is told what to do', async (t) => {
  const dir = scratch(t)
  files(dir, { 'www/a.txt': 'a', 'rclone.conf': '[nas]\ntype = alias\nremote = /\n[odd]\ntype = nosuch\n' })
  const www = join(dir, 'www')
  const cases: readonly (readonly [args: string[], status: number, sentence: RegExp])[] = [
    [['serve', 'htp', www], 2, /unknown command "serve htp".* Did you mean "serve http"\?/],
    [['serve', 'webdav', www], 2, /unknown command "serve webdav".* There is: serve http\./],
    [['config', 'shwo', 'nas'], 2, /unknown command "config shwo".* Did you mean "config show"\?/],
    [['serve', 'http', www, '--verbose', '2'], 2, /2 given \(.*www 2\): sluice serve http REMOTE:PATH/],
    [['serve', 'http', www, '--syslog'], 2, /flag --syslog of rclone is not known here: use --log-systemd/],
    [['serve', 'http', 'nas'], 3, /directory not found: nas\. The remote of that name is written nas:/],
    [['serve', 'http', 'odd:'], 1, /didn't find backend called "nosuch"\. "sluice help backends"/],
    [['copy', www, 'nosuch:'], 1, /^\S+ \S+ ERROR : Failed to copy: didn't find section in config file \("nosuch"\)\./],
    [['serve', 'http', www, '--exclude-from', '/none'], 1, /a file of filter rules: no such file or directory: \/none/],
    [['serve', 'http', www, '--htpasswd', '/none'], 1, /password file: no such file or directory: \/none/],
    [['serve', 'http', www, '--template', '/none'], 2, /--template: no such file or directory: \/none/],
    [['serve', 'http', www, '--log-file', '/none/log'], 2, /cannot open the log file: no such file or directory/],
  ]
  for (const [args, status, sentence] of cases) {
    const { code, stderr } = await sluice([...args, '--config', join(dir, 'rclone.conf')])
    assert.match(stderr, sentence, args.join(' '))
    assert.equal(code, status, args.join(' '))
  }
})

test('a command line for rclone is taken as it is', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a' })
  const line =
    '--use-mmap --disable-http2 --tpslimit 0.5 --umask 18 --dir-perms 0777 --file-perms 0666 --uid 1000 ' +
    '--gid 1000 --poll-interval 0 --vfs-read-chunk-size 128M --vfs-read-chunk-size-limit off --buffer-size 16M ' +
    '--dir-cache-time 1000h --max-header-bytes 4096 --server-read-timeout 1h --server-write-timeout 1h --no-checksum ' +
    '--read-only --stats 10s --log-level INFO --timeout 1h --low-level-retries 200 --transfers 4 --realm rclone'
  const server = await serve(t, ['serve', 'http', dir, ...line.split(' ')])
  assert.equal(await (await fetch(`${server.url}a.txt`)).text(), 'a')
  assert.doesNotMatch(server.log(), /WARNING|ERROR|no effect/)
})

test("Node's lenient HTTP parser is refused", async (t) => {
  const { code, stderr } = await sluice(['serve', 'http', scratch(t)], {
    env: { NODE_OPTIONS: '--insecure-http-parser' },
  })
  assert.match(stderr, /--insecure-http-parser is not safe: take it out of NODE_OPTIONS/)
  assert.equal(code, 2)
})

test('a mistake in the program itself is logged, lets transfers end and gives status 70', async (t) => {
  const dir = scratch(t)
  files(dir, {
    'www/large': new Uint8Array(200_000),
    'mistake.mjs': `process.once('SIGCONT', () => { throw new Error('a mistake') })`,
  })
  const server = await serve(t, ['serve', 'http', join(dir, 'www'), '--bwlimit', '200k'], {
    env: { NODE_OPTIONS: `--import=${join(dir, 'mistake.mjs')}` },
  })
  const response = await fetch(`${server.url}large`)
  server.child.kill('SIGCONT')
  assert.equal((await response.arrayBuffer()).byteLength, 200_000)
  await server.logged(/ERROR : internal error, ending: Error: a mistake\n {4}at /)
  const status = await new Promise((resolve) =>
    server.child.exitCode === null ? server.child.once('exit', resolve) : resolve(server.child.exitCode),
  )
  assert.equal(status, 70)
})

test('a file that was left open does not end a server', async (t) => {
  const dir = scratch(t)
  files(dir, {
    'a.txt': 'a',
    'mistake.mjs': `import { open } from 'node:fs/promises'
      import { setFlagsFromString } from 'node:v8'
      import { runInNewContext } from 'node:vm'
      setFlagsFromString('--expose-gc')
      const collect = runInNewContext('gc')
      process.once('SIGCONT', async () => {
        await (async () => void (await open(import.meta.filename)))()
        setImmediate(collect)
      })`,
  })
  const server = await serve(t, ['serve', 'http', dir], {
    env: { NODE_OPTIONS: `--import=${join(dir, 'mistake.mjs')}` },
  })
  server.child.kill('SIGCONT')
  await server.logged(/ERROR : internal error: a file was left open: .*mistake\.mjs/)
  assert.equal(await (await fetch(`${server.url}a.txt`)).text(), 'a')
})
