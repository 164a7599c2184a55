import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { missing } from '../peers.ts'
import { files, run, scratch, serve, sluice, touch } from '../program.ts'

const rclone = (args: readonly string[], options: { env?: Record<string, string>; stdin?: string } = {}) =>
  run('rclone', args, {
    ...options,
    env: { RCLONE_CONFIG: '/nonexistent/rclone.conf', TZ: 'Europe/Berlin', ...options.env },
  })
const ours = (args: readonly string[]) => sluice(args, { env: { TZ: 'Europe/Berlin' } })

/** A tree with names, sizes and times of many kinds. */
function plant(dir: string): void {
  files(dir, {
    'a.txt': 'aaaa',
    'empty/': '',
    'sub/b.json': '{"b":1}',
    'sub/deep/ünï ☃.bin': Buffer.alloc(70_000, 7),
    'sub/deep/zero': '',
    'sub/.hidden': 'h',
    "odd 'name' $(x).txt": 'odd',
  })
  for (const path of readdirSync(dir, { recursive: true, encoding: 'utf8' }))
    touch(join(dir, path), '2020-02-03T04:05:06Z')
  utimesSync(join(dir, 'a.txt'), 1_600_000_000.123456, 1_600_000_000.123456)
}

/** Every path of a tree with the size, time and content of files. */
function snapshot(dir: string): Record<string, string> {
  const found: Record<string, string> = {}
  for (const path of readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()) {
    const stats = statSync(join(dir, path))
    const sum = stats.isFile()
      ? createHash('sha256')
          .update(readFileSync(join(dir, path)))
          .digest('hex')
      : ''
    found[path] = stats.isFile() ? `${stats.size} ${stats.mtimeMs} ${sum}` : 'folder'
  }
  return found
}

const needsRclone = { skip: missing('rclone') }

const printing = [
  ['ls'],
  ['lsl'],
  ['lsl', '--max-depth', '1'],
  ['lsd'],
  ['lsd', '-R'],
  ['lsd', '--max-depth', '2'],
  ['lsf'],
  ['lsf', '--files-only', '--max-depth', '2'],
  ['lsf', '-R', '-F', 'tsph', '--hash', 'SHA1', '-s', '|'],
  ['lsf', '--csv', '-F', 'pst', '-R', '--absolute', '-d=false'],
  ['lsf', '-R', '--include', '*.{txt,json}'],
  ['lsjson'],
  ['lsjson', '-R', '--hash', '--hash-type', 'md5', '--hash-type', 'crc32'],
  ['lsjson', '--no-modtime', '--no-mimetype', '--dirs-only', '-R'],
  ['ls', '--human-readable'],
  ['tree', '-a', '-s', '-D'],
  ['lsd', '--human-readable'],
  ['tree', '--dirsfirst', '-Q', '--full-path'],
  ['tree', '-C', '-p', '-s', '-D'],
  ['tree', '--sort', 'size', '-r'],
  ['tree', '--sort-ctime'],
  ['tree', '-U', '-a', '--dirsfirst'],
  ['tree', '-o', '/dev/null'],
  ['size'],
  ['size', '--json', '--max-size', '1k'],
  ['md5sum'],
  ['sha1sum', '--download'],
  ['hashsum', 'crc32'],
  ['cat', '--exclude', '*.bin'],
  ['cat', '--tail', '2'],
  ['cat', '--offset', '1', '--count', '2'],
] as const
test('listings, checksums and contents are printed as rclone prints them', needsRclone, async (t) => {
  const dir = scratch(t)
  plant(dir)
  for (const [name, ...flags] of printing) {
    const args = name === 'hashsum' ? [name, ...flags, dir] : [name, dir, ...flags]
    const [theirs, mine] = await Promise.all([rclone(args), ours(args)])
    const lines = (text: string) =>
      name === 'cat' || name === 'tree'
        ? text
        : text
            .split('\n')
            .map((line) => line.replace(/,$/, ''))
            .sort()
    assert.deepEqual(lines(mine.stdout), lines(theirs.stdout), args.join(' '))
    assert.equal(mine.code, theirs.code)
  }
})

test('statuses are those of rclone', needsRclone, async (t) => {
  const dir = scratch(t)
  plant(join(dir, 's'))
  files(dir, { 'd/a.txt': 'other one', 'full/x': 'x' })
  const [s, d, full] = [join(dir, 's'), join(dir, 'd'), join(dir, 'full')]
  const cases = [
    ['ls', join(dir, 'none')],
    ['cat', join(dir, 'none')],
    ['lsjson', '--stat', join(dir, 'none')],
    ['copy', join(dir, 'none'), d, '--retries', '1'],
    ['sync', s, join(s, 'sub')],
    ['copy', '--immutable', s, d],
    ['copy', '--max-transfer', '1k', s, join(dir, 'd1')],
    ['sync', '--max-delete', '0', join(s, 'empty'), full],
    ['purge', join(dir, 'none'), '--retries', '1'],
    ['rmdir', s, '--retries', '1'],
    ['deletefile', join(dir, 'none'), '--retries', '1'],
    ['deletefile', s, '--retries', '1'],
    ['check', s, d],
    ['check', s, s],
    ['link', s],
    ['copy', '--error-on-no-transfer', full, full],
  ]
  for (const args of cases) {
    const theirs = await rclone(args)
    const mine = await ours(args)
    assert.equal(mine.code, theirs.code, `${args.join(' ')}: ${mine.stderr}`)
  }
})

test('what one program copied and synced is the same to the other', needsRclone, async (t) => {
  const dir = scratch(t)
  const [s, mine, theirs] = [join(dir, 's'), join(dir, 'mine'), join(dir, 'theirs')]
  plant(s)
  for (const place of [mine, theirs]) {
    files(place, { 'a.txt': 'was longer', 'gone/x/y': 'y', 'z.log': 'z', 'sub/deep/zero': 'no longer' })
    files(place, { 'sub/b.json': '{"b":1}' })
  }
  const flags = ['--exclude', '*.log', '--create-empty-src-dirs']
  assert.equal((await ours(['sync', s, mine, ...flags])).code, 0)
  assert.equal((await rclone(['sync', s, theirs, ...flags])).code, 0)
  assert.deepEqual(snapshot(mine), { ...snapshot(theirs), 'z.log': snapshot(mine)['z.log'] })
  assert.equal((await rclone(['check', s, mine, ...flags.slice(0, 2), '--download'])).code, 0)
  assert.equal((await ours(['check', s, theirs, ...flags.slice(0, 2), '--download'])).code, 0)
  // Neither finds anything left to do after the other.
  for (const [program, place] of [
    [rclone, mine],
    [ours, theirs],
  ] as const) {
    const again = await program(['sync', '-v', s, place, ...flags])
    assert.match(again.stderr, /There was nothing to transfer/)
  }
})

test('check tells the same differences, and writes them to files', needsRclone, async (t) => {
  const dir = scratch(t)
  files(dir, { 's/same': '1', 's/size': '22', 's/hash': 'abc', 's/only/here': 'x' })
  files(dir, { 'd/same': '1', 'd/size': '333', 'd/hash': 'abd', 'd/there': 'y' })
  const report = async (program: typeof ours, name: string) => {
    const out = join(dir, name)
    const { code, stderr } = await program([
      'check',
      join(dir, 's'),
      join(dir, 'd'),
      '--combined',
      out,
      '--differ',
      `${out}.differ`,
    ])
    const notices = stderr.split('\n').filter((line) => line.includes('NOTICE') && !line.includes('Config file'))
    const read = (path: string) => readFileSync(path, 'utf8').split('\n').sort()
    return { code, notices: notices.map((line) => line.slice(20)), combined: read(out), differ: read(`${out}.differ`) }
  }
  assert.deepEqual(await report(ours, 'ours'), await report(rclone, 'theirs'))
})

test('a list of checksums is compared with a path as rclone compares it', needsRclone, async (t) => {
  const dir = scratch(t)
  const sums = [
    'b026324c6904b2a9cb4b88d6d61c81d1  same',
    '00000000000000000000000000000000 *other',
    'B026324C6904B2A9CB4B88D6D61C81D1  gone',
  ]
  files(dir, { 's/same': '1\n', 's/other': '2', 's/dir/more': '3', sums: `${sums.join('\n')}\n` })
  const [list, s] = [join(dir, 'sums'), join(dir, 's')]
  for (const args of [
    ['check', '-C', 'md5', list, s, '--combined', '-'],
    ['check', '-C', 'MD5', list, s, '--one-way', '--differ', '-'],
    ['checksum', 'md5', list, s, '--missing-on-dst', '-'],
    ['md5sum', '-C', list, s],
    ['hashsum', 'md5', '--download', '--checkfile', list, s],
    ['md5sum', '-C', join(dir, 'none'), s],
  ]) {
    const [theirs, mine] = await Promise.all([rclone(args), ours(args)])
    assert.deepEqual(mine.stdout.split('\n').sort(), theirs.stdout.split('\n').sort(), args.join(' '))
    assert.equal(mine.code === 0, theirs.code === 0)
  }
})

test('times and separators are written as asked for', async (t) => {
  const dir = scratch(t)
  files(dir, { a: '1', b: '2' })
  for (const name of ['a', 'b']) touch(join(dir, name), '2020-02-03T04:05:06Z')
  const env = { TZ: 'Europe/Berlin' }
  for (const [format, shown] of [
    ['RFC3339', '2020-02-03T05:05:06+01:00'],
    ['Jan 2, 2006 at 3:04pm', 'Feb 3, 2020 at 5:05am'],
    ['unix', '1580702706'],
    ['max', '2020-02-03 05:05:06.000000000'],
  ] as const) {
    const { stdout } = await sluice(['lsf', '-F', 't', '-t', format, dir], { env })
    assert.equal(stdout, `${shown}\n${shown}\n`)
  }
  assert.equal((await sluice(['cat', '--separator', '--\n', dir])).stdout, '1--\n2')
})

test('the lines of a verbose sync are those of rclone', needsRclone, async (t) => {
  const dir = scratch(t)
  plant(join(dir, 's'))
  const lines = async (program: typeof ours, to: string, flags: readonly string[]) => {
    const place = join(dir, to)
    files(place, { 'a.txt': 'aaaa', 'old/x': 'x', 'sub/b.json': 'changed' })
    const { stderr } = await program(['sync', join(dir, 's'), place, '--stats-one-line', ...flags])
    return stderr
      .split('\n')
      .filter((line) => / (INFO|NOTICE)/.test(line) && !/Config file|ETA|Dry run:/.test(line))
      .map((line) => line.slice(20))
      .sort()
  }
  assert.deepEqual(await lines(ours, 'm1', ['-n']), await lines(rclone, 't1', ['-n']))
  assert.deepEqual(await lines(ours, 'm2', ['-v']), await lines(rclone, 't2', ['-v']))
})

test('a program that is killed in the middle leaves no half file, and the next one completes', async (t) => {
  const dir = scratch(t)
  const [s, d] = [join(dir, 's'), join(dir, 'd')]
  mkdirSync(s)
  const contents = Array.from({ length: 60 }, (_, i) => Buffer.alloc(200_000 + i, i))
  for (const [i, content] of contents.entries()) writeFileSync(join(s, `f${i}`), content)
  files(d, { f0: 'the old one', f1: 'as well' })
  const program = join(import.meta.dirname, '..', '..', 'bin', 'sluice.js')
  for (const [round, mode] of ['copy', 'sync', 'copy', 'move', 'move'].entries()) {
    const child = spawn(process.execPath, [program, mode, '-v', '--bwlimit', '20M', s, d], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const exited = once(child, 'exit')
    let seen = 0
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      seen += text.split('Copied').length - 1
      if (seen > round * 2) child.kill('SIGKILL')
    })
    await exited
    for (const [i, content] of contents.entries()) {
      const name = `f${i}`
      const there = existsSync(join(d, name)) ? readFileSync(join(d, name)) : undefined
      const old = there !== undefined && there.length < 20
      assert.ok(there === undefined || old || there.equals(content), `${mode}: ${name} is half`)
      assert.ok(existsSync(join(s, name)) || there?.equals(content), `${mode}: ${name} is lost`)
    }
    const shown = readdirSync(d).filter((name) => !name.startsWith('.sluice-'))
    assert.ok(shown.every((name) => /^f\d+$/.test(name)))
  }
  const done = await ours(['move', s, d])
  assert.equal(done.code, 0, done.stderr)
  for (const [i, content] of contents.entries()) assert.ok(readFileSync(join(d, `f${i}`)).equals(content))
  assert.deepEqual(
    readdirSync(d).filter((name) => name.startsWith('.')),
    [],
  )
})

test('rcat, copyto, moveto, touch, mkdir, rmdirs, deletefile and purge do what they say', async (t) => {
  const dir = scratch(t)
  const at = (path: string) => join(dir, path)
  assert.equal((await sluice(['rcat', at('x/y.txt')], { stdin: 'from a pipe' })).code, 0)
  assert.equal((await ours(['copyto', at('x/y.txt'), at('z/c.txt')])).code, 0)
  assert.equal((await ours(['moveto', at('z/c.txt'), at('z/d.txt')])).code, 0)
  assert.deepEqual(readdirSync(at('z')), ['d.txt'])
  assert.equal(readFileSync(at('z/d.txt'), 'utf8'), 'from a pipe')
  assert.equal((await ours(['touch', '-t', '2001-02-03T04:05:06', at('z/d.txt')])).code, 0)
  assert.equal(statSync(at('z/d.txt')).mtime.toISOString(), '2001-02-03T04:05:06.000Z')
  assert.equal((await ours(['touch', '-t', '2002-02-03T04:05:06', at('z')])).code, 0)
  assert.equal(statSync(at('z/d.txt')).mtime.toISOString(), '2002-02-03T04:05:06.000Z')
  assert.equal((await sluice(['rcat', '--size', '5', at('z/five')], { stdin: '12345' })).code, 0)
  assert.equal((await sluice(['rcat', '--size', '6', at('z/six')], { stdin: '12345' })).code, 1)
  assert.deepEqual(readdirSync(at('z')), ['d.txt', 'five'])
  assert.equal((await ours(['touch', at('new')])).code, 0)
  assert.equal(readFileSync(at('new'), 'utf8'), '')
  assert.equal((await ours(['mkdir', at('m/n/o')])).code, 0)
  assert.equal((await ours(['rmdirs', at('m'), '--leave-root'])).code, 0)
  assert.deepEqual(readdirSync(at('m')), [])
  assert.equal((await ours(['deletefile', at('z')])).code, 1)
  assert.equal((await ours(['deletefile', at('z/d.txt')])).code, 0)
  assert.equal((await ours(['purge', at('x')])).code, 0)
  assert.deepEqual(readdirSync(dir).sort(), ['m', 'new', 'z'])
})

test('copyurl names files by URL or header, and refuses names that lead elsewhere', async (t) => {
  const dir = scratch(t)
  const server = createServer((request, response) => {
    if (request.url === '/go') return void response.writeHead(302, { location: '/real%20name.txt' }).end()
    const heads: Record<string, string> = {
      '/named': 'attachment; filename="her name.txt"',
      '/evil': 'attachment; filename="../evil"',
    }
    if (request.url === '/none') return void response.writeHead(404).end('nothing')
    if (request.url === '/short') response.writeHead(200, { 'content-length': '100' }).write('part')
    if (request.url === '/short') return void setImmediate(() => response.destroy())
    const disposition = heads[request.url ?? '']
    response.writeHead(200, {
      'last-modified': 'Sat, 03 Feb 2001 04:05:06 GMT',
      ...(disposition ? { 'content-disposition': disposition } : {}),
    })
    return void response.end('the bytes')
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => void server.close())
  const url = (path: string) => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`
  const named = await ours(['copyurl', '-a', '--print-filename', url('/go'), dir])
  assert.equal(named.stdout, 'real name.txt\n')
  assert.equal(statSync(join(dir, 'real name.txt')).mtime.toISOString(), '2001-02-03T04:05:06.000Z')
  assert.equal((await ours(['copyurl', '--header-filename', url('/named'), dir])).code, 0)
  assert.equal(readFileSync(join(dir, 'her name.txt'), 'utf8'), 'the bytes')
  assert.notEqual(
    (await ours(['copyurl', '--header-filename', '--retries', '1', url('/evil'), join(dir, 'in')])).code,
    0,
  )
  assert.equal(existsSync(join(dir, 'evil')), false)
  assert.notEqual(
    (await ours(['copyurl', '--no-clobber', '--retries', '1', url('/x'), join(dir, 'her name.txt')])).code,
    0,
  )
  assert.equal((await ours(['copyurl', '--stdout', url('/x')])).stdout, 'the bytes')
  assert.equal((await ours(['copyurl', '--retries', '1', url('/none'), join(dir, 'none')])).code, 1)
  assert.notEqual((await ours(['copyurl', '--retries', '1', url('/short'), join(dir, 'short')])).code, 0)
  assert.deepEqual(readdirSync(dir).sort(), ['her name.txt', 'real name.txt'])
})

test('a file of a web server is copied by its name', async (t) => {
  const dir = scratch(t)
  files(dir, { 's/sub/a.txt': 'from the web' })
  const server = await serve(t, ['serve', 'http', join(dir, 's')])
  const remote = `:http,url='${server.url}':sub/a.txt`
  assert.equal((await ours(['copy', remote, join(dir, 'd')])).code, 0)
  assert.equal(readFileSync(join(dir, 'd/a.txt'), 'utf8'), 'from the web')
  assert.equal((await ours(['lsf', remote])).stdout, 'a.txt\n')
  assert.equal((await ours(['copy', `:http,url='${server.url}':sub/none`, join(dir, 'd'), '--retries', '1'])).code, 3)
})

test('errors are tried again as often as --retries says', async (t) => {
  const dir = scratch(t)
  const { code, stderr } = await ours(['copy', join(dir, 'none'), join(dir, 'd'), '--retries', '2'])
  assert.equal(code, 3)
  assert.match(stderr, /Attempt 1\/2 failed with 1 errors and: directory not found/)
  assert.match(stderr, /Attempt 2\/2 failed with 1 errors and: directory not found/)
  assert.match(stderr, /Failed to copy: directory not found/)
})

test('a reader of standard output that leaves ends the program quietly', async (t) => {
  const dir = scratch(t)
  files(dir, { big: Buffer.alloc(5_000_000, 65) })
  const { stdout } = await run(
    'sh',
    ['-c', `"${process.execPath}" bin/sluice.js cat "${join(dir, 'big')}" | head -c 10`],
    {
      cwd: join(import.meta.dirname, '..', '..'),
    },
  )
  assert.equal(stdout, 'A'.repeat(10))
})
