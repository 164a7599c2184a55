import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { after, before, beforeEach, describe, test } from 'node:test'
import { missing } from '../../test/peers.ts'
import { Bandwidth } from '../core/bandwidth.ts'
import { Events } from '../core/events.ts'
import { Groups } from '../core/groups.ts'
import { mainOptions } from '../core/options.ts'
import { Outcomes } from '../core/outcomes.ts'
import { testContext } from '../core/testing.ts'
import { defineBackend } from '../remote/backend.ts'
import { ConfigFile } from '../remote/config.ts'
import { obscure, reveal } from '../remote/obscure.ts'
import { defineOptions, option } from '../schema/option.ts'
import { OptionSet } from '../schema/options.ts'
import { ActiveVfses } from '../vfs/active.ts'
import { FileCaches } from '../vfs/cache/caches.ts'
import { bool, int, password, string } from '../schema/values.ts'
import { ActiveLives } from '../media/active.ts'
import type { CommandIo } from './command.ts'
import { configCommands } from './config.ts'
import { dispatch } from './dispatch.ts'
import { flagsOf, parseCommandLine } from './flags.ts'
import { listremotesCommand } from './listremotes.ts'
import { obscureCommands } from './obscure.ts'
import { Signals } from './signals.ts'

const never = () => Promise.reject(new Error('not opened here'))
const backends = [
  defineBackend({
    name: 'sftp',
    description: 'SSH/SFTP',
    options: defineOptions('sftp', {
      host: option(string, '', 'SSH host', { required: true }),
      port: option(int, 22, 'SSH port'),
      pass: option(password, '', 'SSH password', { password: true }),
      keyPem: option(string, '', 'Private key', { advanced: true, secret: true }),
    }),
    open: never,
  }),
  defineBackend({
    name: 'local',
    description: 'Local disk',
    options: defineOptions('local', { links: option(bool, false, 'Follow links') }),
    open: never,
  }),
]
const commands = [...configCommands, listremotesCommand, ...obscureCommands]

let root = ''
let path = ''
let count = 0
before(() => (root = mkdtempSync(join(tmpdir(), 'sluice-commands-'))))
after(() => rmSync(root, { recursive: true, force: true }))
beforeEach(() => (path = join(root, `${count++}`, 'rclone.conf')))

/** Runs a command line; `input` is what is typed. Gives what it printed. */
async function sluice(line: string[], input = '', env: Record<string, string> = {}) {
  const { words, assignments } = parseCommandLine(
    line,
    flagsOf([mainOptions, ...commands.flatMap((c) => c.options ?? [])]),
  )
  const { command, args } = dispatch(words, commands)
  const options = new OptionSet([mainOptions, ...(command.options ?? [])])
  for (const { block, key, value } of assignments) options.set(block, key, value, 'flag')
  const out = { stdout: '', stderr: '' }
  const io: CommandIo = {
    args,
    env,
    backends,
    commands,
    ctx: testContext(),
    globals: [mainOptions],
    version: '0.0.0',
    stdin: Readable.from([Buffer.from(input)]),
    signals: new Signals(new EventEmitter()),
    bandwidth: new Bandwidth([], []),
    options,
    groups: new Groups(),
    events: new Events(),
    outcomes: new Outcomes(),
    vfses: new ActiveVfses(),
    lives: new ActiveLives(),
    caches: new FileCaches(testContext(), '/nonexistent'),
    configPath: '',
    cacheDir: '/cache',
    tempDir: '/tmp',
    useConfig: never,
    quit: () => {},
    get: (block) => options.get(block),
    isSet: (block, key) => options.source(block, key) !== 'default',
    config: () => ConfigFile.open({ path, env, password: { env } }),
    remotes: never,
    stdout: async (text) => void (out.stdout += text),
    stderr: (text) => void (out.stderr += text),
  }
  await command.run(io)
  return out
}
const file = () => readFileSync(path, 'utf8')

describe('config create', () => {
  test('takes pairs and assignments, obscures passwords and shows the remote without them', async () => {
    const { stdout } = await sluice(['config', 'create', 'x', 'sftp', 'host=h=1', 'port', '2222', 'pass', 'secret'])
    assert.equal(stdout, '[x]\ntype = sftp\nhost = h=1\nport = 2222\npass = *** ENCRYPTED ***\n')
    const stored = /pass = (.*)\n/.exec(file())?.[1] ?? ''
    assert.equal(reveal(stored), 'secret')
    assert.equal(file(), `[x]\ntype = sftp\nhost = h=1\nport = 2222\npass = ${stored}\n`)
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('writes nothing when something is wrong', async () => {
    const wrong: [line: string[], message: string | RegExp][] = [
      [['x', 'nope', 'a=b'], 'couldn\'t find backend for type "nope"'],
      [['x', 'local', 'links'], 'found key "links" without value'],
      [['x', 'local', 'links=maybe'], /^bad value "maybe" for links/],
      [['b?d', 'local'], /^config name contains invalid characters/],
      [['x', 'local', '--obscure', '--no-obscure'], "can't use --obscure and --no-obscure together"],
    ]
    for (const [line, message] of wrong) await assert.rejects(sluice(['config', 'create', ...line]), { message })
    assert.ok(!existsSync(path))
  })

  test('asks as JSON when it is not to talk to a person', async () => {
    const { stdout } = await sluice(['config', 'create', 'x', 'sftp', '--all', '--non-interactive'])
    const out = JSON.parse(stdout) as { State: string; Option: { Name: string } }
    assert.match(stdout, /^\{\n\t"State": "\*all-set,0,false",\n/)
    assert.equal(out.Option.Name, 'host')
    const line = ['config', 'update', 'x', '--all', '--continue', '--state', out.State, '--result', 'h']
    assert.equal((JSON.parse((await sluice(line)).stdout) as { State: string }).State, '*all-set,1,false')
    assert.equal(file(), '[x]\ntype = sftp\nhost = h\n')
    assert.deepEqual(JSON.parse((await sluice(['config', 'update', 'x', '--non-interactive'])).stdout), {
      State: '',
      Option: null,
      Error: '',
      Result: '',
    })
  })

  test('asks a person for all options when told to', async () => {
    await sluice(['config', 'create', 'x', 'sftp', 'host=a', '--all'], '\n23\n\n\n\n')
    assert.equal(file(), '[x]\ntype = sftp\nhost = a\nport = 23\n')
  })
})

test('config update changes one value, config password hides one, config delete forgets all', async () => {
  await sluice(['config', 'create', 'x', 'sftp', 'host=h'])
  await sluice(['config', 'update', 'x', 'host=i', '--no-output'])
  assert.equal(file(), '[x]\ntype = sftp\nhost = i\n')
  assert.match(
    (await sluice(['config', 'password', 'x', 'pass', obscure('y')])).stdout,
    /pass = \*\*\* ENCRYPTED \*\*\*\n/,
  )
  await assert.rejects(sluice(['config', 'update', 'y', 'a=b']), { message: "couldn't find type field in config" })
  await sluice(['config', 'delete', 'x:'])
  assert.equal(file(), '')
  assert.equal((await sluice(['config', 'delete', 'x'])).stderr, 'there is no remote "x" in the file\n')
})

test('config file, paths and touch speak of the file', async () => {
  assert.equal(
    (await sluice(['config', 'file'])).stdout,
    `Configuration file doesn't exist, but rclone will use this path:\n${path}\n`,
  )
  await sluice(['config', 'touch'])
  assert.equal(file(), '')
  assert.equal((await sluice(['config', 'file'])).stdout, `Configuration file is stored at:\n${path}\n`)
  assert.equal(
    (await sluice(['config', 'paths', '--temp-dir', '/t'])).stdout,
    `Config file: ${path}\nCache dir:   /cache\nTemp dir:    /t\n`,
  )
  path = ''
  assert.equal((await sluice(['config', 'file'])).stdout, 'Configuration is in memory only\n')
})

describe('what is printed of a file', () => {
  const text = () =>
    `# mine\n[x]\ntype = sftp\nhost = h\npass = ${obscure('p')}\nkey_pem = k\n\n[odd]\ntype = other\napi_key = k`
  const write = async (content: string) => {
    await sluice(['config', 'touch'])
    writeFileSync(path, content)
  }

  test('config show gives it as it is, or one remote', async () => {
    await write(text())
    const shown = (await sluice(['config', 'show'])).stdout
    assert.equal(shown, `${file()}\n`)
    assert.equal((await sluice(['config', 'show', 'odd:'])).stdout, '[odd]\ntype = other\napi_key = k\n')
    await assert.rejects(sluice(['config', 'show', 'nope']), { message: /^there is no remote "nope"/ })
    await write('')
    assert.equal((await sluice(['config', 'show'])).stdout, '; empty config\n')
  })

  test('config redacted hides secrets, and all of a backend that is not known', async () => {
    await write(text())
    const x = '[x]\ntype = sftp\nhost = h\npass = XXX\nkey_pem = XXX\n'
    assert.equal((await sluice(['config', 'redacted'])).stdout, `${x}\n[odd]\ntype = other\napi_key = XXX\n`)
    assert.equal((await sluice(['config', 'redacted', 'x'])).stdout, x)
  })

  test('config dump sorts names and keys', async () => {
    await write('[b]\ntype = local\nlinks = true\n[a]\ntype = local\n')
    assert.equal(
      (await sluice(['config', 'dump'], '', { RCLONE_CONFIG_A_LINKS: 'false' })).stdout,
      '{\n    "a": {\n        "links": "false",\n        "type": "local"\n    },\n    "b": {\n        "links": "true",\n        "type": "local"\n    }\n}\n',
    )
    await write('')
    assert.equal((await sluice(['config', 'dump'])).stdout, '{}\n')
  })

  test('config providers describes the backends', async () => {
    const list = JSON.parse((await sluice(['config', 'providers'])).stdout) as { Name: string }[]
    assert.deepEqual(
      list.map((entry) => entry.Name),
      ['sftp', 'local'],
    )
  })

  test('listremotes sorts names, and aligns kinds', async () => {
    await write('[longer name]\ntype = sftp\n[b]\ntype = local\n')
    const env = { RCLONE_CONFIG_A_TYPE: 'local' }
    assert.equal((await sluice(['listremotes'], '', env)).stdout, 'a:\nb:\nlonger name:\n')
    assert.equal(
      (await sluice(['listremotes', '--long'], '', env)).stdout,
      'a:           local\nb:           local\nlonger name: sftp\n',
    )
    await write('')
    assert.equal((await sluice(['listremotes', '--long'])).stdout, '')
    assert.equal((await sluice(['listremotes', '--json'])).stdout, '[\n]\n')
  })

  test('listremotes chooses by patterns, in the order that is asked for, and writes JSON', async () => {
    await write('[nas1]\ntype = sftp\ndescription = the old one\n[nas2]\ntype = sftp\n[b]\ntype = local\n')
    const env = { RCLONE_CONFIG_A_TYPE: 'local' }
    const list = async (...args: string[]) => (await sluice(['listremotes', ...args], '', env)).stdout
    assert.equal(await list('nas*'), 'nas1:\nnas2:\n')
    assert.equal(await list('--type', 'local', '--source', 'file'), 'b:\n')
    assert.equal(await list('--description', '*old*', '--long'), 'nas1: sftp the old one\n')
    assert.equal(await list('--order-by', 'type=descending,name'), 'nas1:\nnas2:\na:\nb:\n')
    assert.deepEqual(JSON.parse(await list('--json', '{a,nas1}')), [
      { name: 'a', type: 'local', source: 'environment' },
      { name: 'nas1', type: 'sftp', source: 'file', description: 'the old one' },
    ])
    await assert.rejects(sluice(['listremotes', '--order-by', 'size']), /bad --order-by "size": use name/)
  })

  test('rclone prints the same', { skip: missing('rclone') }, async () => {
    await write('[longer]\ntype = alias\nremote = /\n\n[b]\ntype = local\n')
    const rclone = (...args: string[]) => execFileSync('rclone', ['--config', path, ...args], { encoding: 'utf8' })
    for (const line of [
      ['config', 'file'],
      ['config', 'show', 'b'],
      ['config', 'dump'],
      ['listremotes'],
      ['listremotes', '--long'],
    ])
      assert.equal((await sluice(line)).stdout.trimEnd(), rclone(...line).trimEnd(), line.join(' '))
  })
})

test('obscure and reveal read an argument, or a line of input', async () => {
  const { stdout } = await sluice(['obscure', 'pä ss'])
  assert.equal((await sluice(['reveal', stdout.trim()])).stdout, 'pä ss\n')
  assert.equal((await sluice(['reveal', '-'], `${stdout}rest`)).stdout, 'pä ss\n')
  assert.equal(reveal((await sluice(['obscure', '-'], ' blanks \r\nmore\n')).stdout.trim()), ' blanks ')
  await assert.rejects(sluice(['reveal', 'abc']), { message: /^input too short/ })
})

describe('encryption', () => {
  const env = { RCLONE_CONFIG_PASS: 'one' }

  test('is set, checked and removed', async () => {
    await sluice(['config', 'create', 'x', 'local'])
    await assert.rejects(sluice(['config', 'encryption', 'check']), { message: 'config file is NOT encrypted' })
    const { stderr } = await sluice(['config', 'encryption', 'set'], '\none\ntwo\none\none\n')
    assert.match(stderr, /must not be empty.*differ/s)
    assert.match(file(), /RCLONE_ENCRYPT_V0:/)
    await sluice(['config', 'encryption', 'check'], '', env)
    await assert.rejects(sluice(['config', 'encryption', 'check'], '', { RCLONE_CONFIG_PASS: 'two' }), {
      code: 'denied',
    })
    assert.equal((await sluice(['config', 'show'], '', env)).stdout, '[x]\ntype = local\n')
    await sluice(['config', 'encryption', 'remove'], '', env)
    assert.equal(file(), '[x]\ntype = local\n')
  })
})

describe('the interactive configuration', () => {
  test('makes a remote from answers that are piped in, asking again for what is wrong', async () => {
    const answers = ['x', 'n', 'b?d', 'srv', '9', '1', '', 'h', 'abc', '23', 'y', ' pw ', ' pw ', 'y', 'KEY', 'y', 'q']
    const { stderr } = await sluice(['config'], `${answers.join('\n')}\n`)
    assert.match(stderr, /No remotes found, make a new one\?\nn\) New remote\ns\) /)
    assert.match(stderr, /Choose one of n, s, q\./)
    assert.match(stderr, /config name contains invalid characters/)
    assert.match(stderr, /That is not in the list\./)
    assert.match(stderr, /This value is required\./)
    assert.match(stderr, /bad whole number "abc"/)
    assert.match(stderr, /pass = \*\*\* ENCRYPTED \*\*\*\nkey_pem = XXX\n/)
    assert.ok(!stderr.includes('KEY'))
    assert.match(file(), /^\[srv\]\ntype = sftp\nhost = h\nport = 23\npass = .*\nkey_pem = KEY\n$/)
    assert.equal(reveal(/pass = (.*)/.exec(file())?.[1] ?? ''), ' pw ')
  })

  test('asks for passwords twice or makes them, takes numbers for values, and starts over', async () => {
    const typed = ['n', 'srv', 'sftp', 'h', '', 'y', 'one', 'two', 'one', 'one', 'n', 'y']
    const made = ['n', 'two', 'sftp', 'h', '', 'n', 'n', 'e', 'i', '', 'g', '8', '', 'n', '128', 'y', 'n', 'y']
    const listed = ['n', 'disk', 'local', '1', 'y', 'q']
    const { stderr } = await sluice(['config'], `${[...typed, ...made, ...listed].join('\n')}\n`)
    const { srv, two, disk } = JSON.parse((await sluice(['config', 'dump'])).stdout)
    assert.equal(reveal(srv.pass), 'one')
    assert.equal(two.host, 'i')
    assert.match(reveal(two.pass), /^[\w-]{22}$/)
    assert.ok(stderr.includes(`Your password is: ${reveal(two.pass)}\n`))
    assert.deepEqual(disk, { type: 'local', links: 'true' })
  })

  test('edits, renames, copies and deletes', async () => {
    await sluice(['config', 'create', 'a', 'sftp', 'host=h', 'pass=p'])
    const before = file()
    await sluice(['config'], 'e\na\n\n\n\nn\ny\nq\n')
    assert.equal(file(), before)
    await sluice(['config'], 'e\n1\ni\n\n\nn\nd\nq\n')
    assert.equal(file(), before)
    await sluice(['config'], 'r\na\nb\nc\nb\nb\nc\nd\nb\nq\n')
    assert.equal(file(), before.replace('[a]', '[c]'))
  })

  test('sets and removes the password of the file', async () => {
    await sluice(['config', 'create', 'a', 'local'])
    await sluice(['config'], 's\na\none\none\nq\n')
    assert.match(file(), /RCLONE_ENCRYPT_V0:/)
    await sluice(['config'], 's\nu\ns\nq\nq\n', { RCLONE_CONFIG_PASS: 'one' })
    assert.equal(file(), '[a]\ntype = local\n')
  })

  test('ends with an error when the answers run out, having written nothing', async () => {
    await assert.rejects(sluice(['config'], 'n\nx\n1\nh\n'), {
      code: 'usage',
      message: 'the input ended before all questions were answered',
    })
    assert.ok(!existsSync(path))
  })
})
