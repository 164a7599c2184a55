import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, existsSync, readdirSync, openSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { type ClientRequest, request } from 'node:http'
import { Socket } from 'node:net'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { test } from 'node:test'
import { missing } from '../peers.ts'
import { files, run, scratch, serve } from '../program.ts'

async function until(what: () => boolean): Promise<void> {
  for (const end = Date.now() + 20_000; !what();) {
    if (Date.now() > end) throw new Error(`never: ${String(what)}`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

function put(url: string, headers: Record<string, string> = {}): ClientRequest {
  const sent = request(url, { method: 'PUT', headers, agent: false })
  sent.on('error', () => {})
  return sent
}

const read = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '')

test(
  'each upload runs a command with its path, type and headers, and is answered when that has ended well',
  { skip: missing('curl') },
  async (t) => {
    const dir = scratch(t)
    const command = `cat > ${dir}/$(basename "$SLUICE_PATH").out; env | grep ^SLUICE_ | sort > ${dir}/env; test "$SLUICE_PATH" != bad`
    const { url } = await serve(t, ['receive', '--to', `exec:${command}`, '--pass-header', 'X-Show'])
    const curl = (...args: string[]) => run('curl', ['-s', '-i', '-H', 'Expect:', ...args])
    const first = await curl(
      '-T',
      '-',
      '-H',
      'Transfer-Encoding: chunked',
      '-H',
      'X-Show: news',
      '-A',
      'me',
      `${url}a/b%20c.mp3`,
    )
    assert.match(first.stdout, /^HTTP\/1\.1 201 /)
    assert.match(first.stdout, /^content-location: \/a\/b%20c\.mp3\r$/im)
    writeFileSync(join(dir, 'in'), 'x'.repeat(500_000))
    const second = await curl(
      '-X',
      'POST',
      '-H',
      'Content-Type: video/mp4',
      '--data-binary',
      `@${join(dir, 'in')}`,
      `${url}film`,
    )
    assert.match(second.stdout, /^HTTP\/1\.1 201 /)
    assert.equal(readFileSync(join(dir, 'film.out'), 'utf8'), 'x'.repeat(500_000))
    assert.match(
      read(join(dir, 'env')),
      /SLUICE_HEADER_CONTENT_LENGTH=500000\n[^]*SLUICE_PATH=film\nSLUICE_TYPE=video\/mp4\n/,
    )
    assert.match((await curl('-T', join(dir, 'in'), `${url}bad`)).stdout, /^HTTP\/1\.1 500 /)
    // Nothing can be read, no parts are taken, nothing is removed.
    for (const [args, status] of [
      [[url], 404],
      [['-I', `${url}film`], 404],
      [['-T', join(dir, 'in'), '-H', 'Content-Range: bytes 0-1/3', `${url}x`], 416],
      [['-T', join(dir, 'in'), '-H', 'Range: bytes=0-1', `${url}x`], 416],
      [['-X', 'DELETE', `${url}film`], 405],
      [['-T', join(dir, 'in'), '-H', 'Origin: http://evil.example', `${url}x`], 403],
    ] as const)
      assert.match((await curl(...args)).stdout, new RegExp(`^HTTP/1.1 ${status} `), args.join(' '))
  },
)

test('a slow reader slows the sender down', async (t) => {
  const dir = scratch(t)
  const { url } = await serve(t, [
    'receive',
    '--to',
    `exec:head -c 10 > ${dir}/head; while [ ! -e ${dir}/go ]; do sleep 0.05; done; wc -c > ${dir}/count`,
  ])
  const sent = put(`${url}x`)
  let written = 0
  const block = Buffer.alloc(1 << 20)
  // It is full when nothing drains for a while although more is there to send.
  const send = async () => {
    while (written < 64) {
      written++
      if (!sent.write(block)) await once(sent, 'drain')
    }
    sent.end()
  }
  const sending = send()
  await until(() => existsSync(join(dir, 'head')) && statSync(join(dir, 'head')).size === 10)
  let before = -1
  while (before !== written) {
    before = written
    await new Promise((resolve) => setTimeout(resolve, 300))
  }
  assert.ok(written < 40, `${written} MiB were taken while nobody read`)
  const answered = once(sent, 'response') as Promise<[{ statusCode: number }]>
  writeFileSync(join(dir, 'go'), '')
  await sending
  assert.equal((await answered)[0].statusCode, 201)
  assert.ok(Number(read(join(dir, 'count'))) > 60 << 20)
})

test('when the sender gives up the command is told, and nothing half comes into a folder', async (t) => {
  const dir = scratch(t)
  files(dir, { 'in/': '' })
  const command = `trap 'echo told > ${dir}/told; exit 1' TERM; cat > ${dir}/got`
  const byCommand = await serve(t, ['receive', '--to', `exec:${command}`])
  const toFolder = await serve(t, ['receive', '--to', join(dir, 'in')])
  const [one, two] = [put(`${byCommand.url}x`), put(`${toFolder.url}y`)]
  for (const sent of [one, two]) sent.write('some bytes')
  // All of the command runs: a shell that is just about to begin `cat` may lose a signal.
  await until(() => existsSync(join(dir, 'got')) && read(join(dir, 'got')).includes('some bytes'))
  one.destroy()
  two.destroy()
  await until(() => existsSync(join(dir, 'told')))
  await toFolder.logged(/y: Not received/)
  assert.deepEqual(
    readdirSync(join(dir, 'in')).filter((name) => !name.startsWith('.')),
    [],
  )
})

test('a folder or remote gets each upload under its path', async (t) => {
  const dir = scratch(t)
  const { url } = await serve(t, ['receive', '--to', dir, '--user', 'u', '--pass', 'p'])
  const headers = { authorization: `Basic ${Buffer.from('u:p').toString('base64')}` }
  assert.equal((await fetch(`${url}a`, { method: 'PUT', body: 'x' })).status, 401)
  const all = await Promise.all(
    Array.from({ length: 8 }, (_, i) => fetch(`${url}d/f${i}`, { method: 'PUT', body: `text ${i}`, headers })),
  )
  assert.deepEqual(
    all.map(({ status }) => status),
    Array(8).fill(201),
  )
  assert.equal(readFileSync(join(dir, 'd/f7'), 'utf8'), 'text 7')
  const escaping = await run('curl', [
    '-s',
    '-o',
    '/dev/null',
    '-w',
    '%{http_code}',
    '--path-as-is',
    '-u',
    'u:p',
    '-T',
    '/etc/hostname',
    `${url}../x`,
  ])
  assert.equal(escaping.stdout, '400')
})

test('uploads to a FIFO and to standard output come one after the other', async (t) => {
  const dir = scratch(t)
  const pipe = join(dir, 'pipe')
  execFileSync('mkfifo', [pipe])
  const { url } = await serve(t, ['receive', '--to', `pipe:${pipe}`])
  const answers = [fetch(`${url}a`, { method: 'PUT', body: 'aaaa' }), fetch(`${url}b`, { method: 'PUT', body: 'bbbb' })]
  // Opened for both ways there is always a reader, and no end between two uploads.
  const reader = new Socket({ fd: openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK), writable: false })
  t.after(() => reader.destroy())
  let got = ''
  for await (const chunk of reader.setEncoding('utf8')) {
    got += chunk
    if (got.length >= 8) break
  }
  assert.match(got, /^(aaaabbbb|bbbbaaaa)$/)
  assert.deepEqual(
    (await Promise.all(answers)).map(({ status }) => status),
    [201, 201],
  )

  const out = join(dir, 'out')
  const program = join(import.meta.dirname, '..', '..', 'bin', 'sluice.js')
  const child = spawn(process.execPath, [program, 'receive', '--addr', '127.0.0.1:0'], {
    stdio: ['ignore', openSync(out, 'w'), 'pipe'],
  })
  t.after(() => child.kill('SIGKILL'))
  const [line] = (await once(child.stderr?.setEncoding('utf8') as Readable, 'data')) as [string]
  const own = /started on \[([^\]]+)/.exec(line)?.[1] ?? ''
  await Promise.all(['1111', '2222'].map((body) => fetch(`${own}x`, { method: 'PUT', body })))
  assert.match(read(out), /^(11112222|22221111)$/)
  const ended = once(child, 'exit')
  child.kill('SIGTERM')
  assert.deepEqual(await ended, [0, null])
})

test('ffmpeg uploads, ffprobe reads what comes', { skip: missing('ffmpeg') }, async (t) => {
  const dir = scratch(t)
  const command = `ffprobe -loglevel error -show_entries stream=codec_name -of csv=p=0 -i - > ${dir}/codec && cat > /dev/null`
  const server = await serve(t, ['receive', '-v', '--to', `exec:${command}`])
  const input = ['-f', 'lavfi', '-i', 'sine=frequency=440:duration=2', '-c:a', 'aac']
  await run('ffmpeg', ['-loglevel', 'error', ...input, '-f', 'mpegts', '-method', 'PUT', `${server.url}live.ts`])
  await server.logged(/live\.ts: Received/)
  assert.match(read(join(dir, 'codec')), /^aac/)
})

test('mistakes are told at the start', async (t) => {
  const dir = scratch(t)
  files(dir, { file: 'x' })
  await assert.rejects(serve(t, ['receive', '--to', join(dir, 'none')]), /directory not found.*Make it first/)
  await assert.rejects(serve(t, ['receive', '--to', 'exec:']), /needs something behind the colon/)
  const { url } = await serve(t, ['receive', '--to', `pipe:${join(dir, 'file')}`])
  assert.equal((await fetch(`${url}x`, { method: 'PUT', body: 'x' })).status, 400)
})
