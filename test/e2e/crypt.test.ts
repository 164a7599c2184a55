import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { obscure } from '../../src/remote/obscure.ts'
import { missing } from '../peers.ts'
import { files, run, scratch, sluice } from '../program.ts'

const skip = missing('rclone')

const ways = {
  standard: {},
  salted: { password2: obscure('and salt') },
  base64: { filename_encoding: 'base64' },
  base32768: { filename_encoding: 'base32768' },
  obfuscate: { filename_encryption: 'obfuscate' },
  off: { filename_encryption: 'off' },
  directories: { directory_name_encryption: 'false' },
  names: { no_data_encryption: 'true' },
} as const

/** Names and sizes at which encryption has its edges. */
const tree = {
  'hello.txt': 'hello',
  empty: '',
  'a file/with blanks/and ünïcode 日本 😀.txt': 'x',
  '1234567890123456': 'a name of one block',
  'one block': randomBytes(65536),
  'one block and a byte': randomBytes(65537),
  'many blocks': randomBytes(1_000_003),
  [`long ${'n'.repeat(130)}`]: 'long',
}

/** A folder, and a configuration with a crypt remote `c` of it, and what to say to a program to use it. */
function place(t: TestContext, settings: Readonly<Record<string, string>>) {
  const dir = scratch(t)
  files(dir, Object.fromEntries(Object.entries(tree).map(([path, content]) => [`in/${path}`, content])))
  const values = { type: 'crypt', remote: join(dir, 'stored'), password: obscure('potato'), ...settings }
  const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}`)
  files(dir, { 'r.conf': `[c]\n${lines.join('\n')}\n`, 'stored/': '' })
  return { dir, config: ['--config', join(dir, 'r.conf')] }
}

const works = async (what: ReturnType<typeof run>) => {
  const { code, stdout, stderr } = await what
  assert.equal(code, 0, stderr)
  return stdout
}

for (const [name, settings] of Object.entries(ways)) {
  test(`rclone reads what is stored by crypt (${name}), under the names that it would give`, { skip }, async (t) => {
    const { dir, config } = place(t, settings)
    await works(sluice(['copy', join(dir, 'in'), 'c:', ...config]))
    await works(run('rclone', ['check', '--download', join(dir, 'in'), 'c:', ...config]))
    await works(run('rclone', ['copy', join(dir, 'in'), 'c:', '--ignore-times', ...config]))
    const stored = await works(run('rclone', ['lsf', '-R', '--files-only', join(dir, 'stored')]))
    assert.equal(stored.trim().split('\n').length, Object.keys(tree).length)
  })

  test(`what rclone stores by crypt (${name}) is read`, { skip }, async (t) => {
    const { dir, config } = place(t, settings)
    await works(run('rclone', ['copy', join(dir, 'in'), 'c:', ...config]))
    await works(sluice(['check', '--download', join(dir, 'in'), 'c:', ...config]))
    const [ours, theirs] = await Promise.all([
      works(sluice(['lsf', '-R', '--format', 'pst', 'c:', ...config])),
      works(run('rclone', ['lsf', '-R', '--format', 'pst', 'c:', ...config])),
    ])
    assert.deepEqual(ours.split('\n').toSorted(), theirs.split('\n').toSorted())
    assert.equal(await works(sluice(['cat', 'c:a file/with blanks/and ünïcode 日本 😀.txt', ...config])), 'x')
  })
}

test('cryptcheck finds what differs in the encrypted copy without reading it, as rclone does', { skip }, async (t) => {
  const { dir, config } = place(t, {})
  const args = ['cryptcheck', join(dir, 'in'), 'c:', '--combined', '-', ...config]
  const both = async () => {
    const [ours, theirs] = await Promise.all([sluice(args), run('rclone', args)])
    const lines = (text: string) => text.trim().split('\n').toSorted()
    assert.deepEqual(lines(ours.stdout), lines(theirs.stdout))
    assert.equal(ours.code, theirs.code)
    return ours
  }
  await works(run('rclone', ['copy', join(dir, 'in'), 'c:', ...config]))
  assert.equal((await both()).code, 0)
  files(dir, { 'in/hello.txt': 'HELLO', 'in/new': 'new' })
  const { stdout, stderr } = await both()
  assert.match(stdout, /^\* hello\.txt$/m)
  assert.match(stdout, /^\+ new$/m)
  assert.match(stderr, /2 differences found/)
})

test('names are encrypted and decrypted on the command line, as rclone does', { skip }, async (t) => {
  const { config } = place(t, {})
  const encode = ['cryptdecode', '--reverse', 'c:', 'a file', 'dir/file', ...config]
  const stored = await works(sluice(encode))
  assert.equal(stored, await works(run('rclone', encode)))
  const names = stored
    .trim()
    .split('\n')
    .map((line) => line.split(' \t ')[1] ?? '')
  const decode = ['cryptdecode', 'c:', ...names, ...config]
  assert.equal(await works(sluice(decode)), await works(run('rclone', decode)))
  assert.equal(await works(sluice(['backend', 'decode', 'c:', ...names, ...config])), 'a file\ndir/file\n')
  assert.deepEqual(JSON.parse(await works(sluice(['backend', 'encode', 'c:', 'a file', '--json', ...config]))), [
    names[0],
  ])
})

test('listings show the names as they are stored, as rclone does', { skip }, async (t) => {
  const { dir, config } = place(t, {})
  files(dir, { 'in/<b> & c.txt': 'x' })
  await works(sluice(['copy', join(dir, 'in'), 'c:', ...config]))
  for (const args of [
    ['lsf', '-R', '--format', 'pe', 'c:'],
    ['lsjson', '-R', '--encrypted', '--original', '--no-modtime', 'c:'],
    ['lsjson', '-R', '--dirs-only', '--no-modtime', 'c:'],
  ]) {
    const [ours, theirs] = await Promise.all([
      works(sluice([...args, ...config])),
      works(run('rclone', [...args, ...config])),
    ])
    const lines = (text: string) =>
      text
        .split('\n')
        .map((line) => line.replace(/,$/, ''))
        .toSorted()
    assert.deepEqual(lines(ours), lines(theirs), args.join(' '))
  }
  const { code, stderr } = await sluice(['lsjson', '--encrypted', dir])
  assert.equal(code, 1)
  assert.match(stderr, /type "crypt"/)
})
