import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { defineOptions, option } from '../schema/option.ts'
import { bool, int, oneOf, password, string } from '../schema/values.ts'
import { type Backend, defineBackend } from './backend.ts'
import { ConfigFile } from './config.ts'
import {
  type ConfigOut,
  type ConfigureOptions,
  createRemote,
  deleteRemote,
  setPasswords,
  unsetKeys,
  updateRemote,
} from './configure.ts'
import { obscure, reveal } from './obscure.ts'
import { describeBackend } from './providers.ts'

const never = () => Promise.reject(new Error('not opened here'))
const sftp = defineBackend({
  name: 'sftp',
  aliases: ['ssh'],
  description: 'SSH/SFTP',
  options: defineOptions('sftp', {
    host: option(string, '', 'SSH host', { required: true, examples: [{ value: 'example.com', help: 'An example' }] }),
    port: option(int, 22, 'SSH port'),
    pass: option(password, '', 'SSH password', { password: true }),
    hiddenOne: option(string, '', 'Not asked for', { hidden: true }),
    shellType: option(oneOf('none', 'unix'), 'none', 'Kind of shell', { advanced: true }),
    keyPem: option(string, '', 'Private key', { advanced: true, secret: true }),
  }),
  open: never,
})
const plain = defineBackend({
  name: 'local',
  description: 'Local disk',
  options: defineOptions('local', { links: option(bool, false, 'Links', { short: 'l' }) }),
  open: never,
})

let config: ConfigFile
let warned: string[]
beforeEach(async () => {
  config = await ConfigFile.open({ path: '' })
  warned = []
})
const backends: readonly Backend[] = [sftp, plain]
const parts = () => ({ config, backends, warn: (text: string) => warned.push(text) })
const end: ConfigOut = { State: '', Option: null, Error: '', Result: '' }

test('a remote is created with its type first and values as text', async () => {
  assert.deepEqual(await createRemote(parts(), 'x', 'ssh', { host: 'h', port: 2222, config_is_local: 'false' }), end)
  assert.deepEqual(Object.entries(config.get('x') ?? {}), [
    ['type', 'ssh'],
    ['host', 'h'],
    ['port', '2222'],
  ])
  await createRemote(parts(), 'x', 'local', { links: true })
  assert.deepEqual(config.get('x'), { type: 'local', links: 'true' })
  assert.deepEqual(warned, [])
})

test('nothing is written when something is wrong', async () => {
  const refused: [name: string, type: string, values: Record<string, unknown>, message: string | RegExp][] = [
    ['x', 'nope', {}, 'couldn\'t find backend for type "nope"'],
    ['bad?name', 'local', {}, /^config name contains invalid characters/],
    ['', 'local', {}, "config name can't be empty"],
    ['x', 'local', { links: 'maybe' }, 'bad value "maybe" for links: bad boolean "maybe": use true or false'],
    ['x', 'sftp', { port: 'a' }, /^bad value "a" for port/],
    ['x', 'local', { other: {} }, 'bad value for other: expected a string, a number, a boolean or a list'],
    ['x', 'local', { other: 'a\nb' }, 'value of other must not hold line ends or control characters'],
  ]
  config.set('x', { type: 'local', keep: '1' })
  for (const [name, type, values, message] of refused)
    await assert.rejects(createRemote(parts(), name, type, values), { code: 'invalid', message })
  await assert.rejects(updateRemote(parts(), 'nope', { a: 'b' }), { message: "couldn't find type field in config" })
  await assert.rejects(setPasswords(parts(), 'nope', { a: 'b' }), { message: "couldn't find type field in config" })
  assert.deepEqual(config.get('x'), { type: 'local', keep: '1' })
  assert.deepEqual(config.sections(), ['x'])
})

test('passwords are obscured unless they are already, or as told', async () => {
  const obscured = obscure('old')
  const stored = async (pass: string, options: ConfigureOptions) => {
    await createRemote(parts(), 'x', 'sftp', { pass }, options)
    return config.get('x')?.pass ?? ''
  }
  assert.equal(reveal(await stored('secret', {})), 'secret')
  assert.equal(await stored(obscured, {}), obscured)
  assert.equal(reveal(await stored(obscured, { obscure: true })), obscured)
  assert.equal(await stored('secret', { noObscure: true }), 'secret')
  await assert.rejects(stored('secret', { noObscure: true, obscure: true }), { message: /^can't use --obscure and/ })
  assert.equal(await stored('', {}), '')
  await setPasswords(parts(), 'x', { pass: obscured, anything: 'y' })
  assert.equal(reveal(config.get('x')?.pass ?? ''), obscured)
  assert.equal(reveal(config.get('x')?.anything ?? ''), 'y')
})

test('an option that the backend does not have is kept, and named with the nearest', async () => {
  await createRemote(parts(), 'x', 'sftp', { hots: 'h' })
  assert.deepEqual(config.get('x'), { type: 'sftp', hots: 'h' })
  assert.deepEqual(warned, ['the sftp backend has no option hots (do you mean host?); it is kept in the configuration'])
})

test('an update changes only what it names', async () => {
  await createRemote(parts(), 'x', 'sftp', { host: 'h', port: 1 })
  assert.deepEqual(await updateRemote(parts(), 'x', { port: 2 }), end)
  assert.deepEqual(config.get('x'), { type: 'sftp', host: 'h', port: '2' })
  await deleteRemote(parts(), 'x')
  await deleteRemote(parts(), 'x')
  assert.deepEqual(config.sections(), [])
})

test('all questions are asked one by one, advanced ones only when wanted', async () => {
  const go = (state: string, result: string) =>
    updateRemote(parts(), 'x', {}, { all: true, continue: true, state, result })
  let out = await createRemote(parts(), 'x', 'sftp', { host: 'h' }, { all: true })
  assert.equal(out.State, '*all-set,1,false', 'what is given is not asked for')
  out = await createRemote(parts(), 'x', 'sftp', { port: 22 }, { all: true })
  assert.equal(out.State, '*all-set,0,false')
  assert.equal(out.Option?.Name, 'host')
  assert.deepEqual(out.Option?.Examples, [{ Value: 'example.com', Help: 'An example', Provider: '' }])
  assert.equal(out.Option?.Required, true)
  assert.equal((await go(out.State, '')).State, '*all-set,1,false')
  out = await go(out.State, 'example.org')
  assert.deepEqual([out.State, out.Option?.Name, out.Option?.Default], ['*all-set,1,false', 'port', '22'])
  const wrong = await go(out.State, 'x')
  assert.deepEqual([wrong.State, wrong.Error], [out.State, 'bad value "x" for port: bad whole number "x"'])
  out = await go(out.State, '22')
  assert.deepEqual([out.State, out.Option?.IsPassword], ['*all-set,2,false', true])
  out = await go(out.State, 'secret')
  assert.deepEqual([out.State, out.Option?.Name, out.Option?.Type], ['*all-advanced', 'config_fs_advanced', 'bool'])
  assert.deepEqual(await go(out.State, 'false'), end)
  out = await go(out.State, 'true')
  assert.deepEqual([out.State, out.Option?.Name, out.Option?.Exclusive], ['*all-set,4,true', 'shell_type', true])
  out = await go(out.State, 'unix')
  assert.equal(out.Option?.Name, 'key_pem')
  assert.deepEqual(await go(out.State, ''), end)
  const { pass = '', ...rest } = config.get('x') ?? {}
  assert.deepEqual(rest, { type: 'sftp', port: '22', host: 'example.org', shell_type: 'unix' })
  assert.equal(reveal(pass), 'secret')
  out = await updateRemote(parts(), 'x', {}, { all: true, continue: true, state: '*all-set,2,false', result: pass })
  assert.equal(config.get('x')?.pass, pass)
  await assert.rejects(go('*bogus', ''), { code: 'invalid', message: 'unknown internal state "*bogus"' })
  await assert.rejects(go('*all-set,99,false', ''), { code: 'invalid' })
})

test('what runs a program is refused when it came over the network, in whatever way it comes', async () => {
  const webdav = defineBackend({
    name: 'webdav',
    description: 'WebDAV',
    options: defineOptions('webdav', {
      url: option(string, '', 'Address'),
      tokenCommand: option(string, '', 'Program to run', { exec: true }),
    }),
    open: never,
  })
  const local = { ...parts(), backends: [...backends, webdav] }
  const remote = { ...local, refuseExec: true }
  const refused = { code: 'denied', message: /^setting "token_command" over the network is not allowed/ }
  config.set('s', { type: 'webdav', url: 'h' })
  config.set('l', { type: 'local' })
  const before = config.text()
  await assert.rejects(createRemote(remote, 'x', 'webdav', { url: 'h', token_command: 'touch x' }), refused)
  await assert.rejects(updateRemote(remote, 's', { token_command: 'touch x' }), refused)
  await assert.rejects(setPasswords(remote, 's', { token_command: 'touch x' }), refused)
  // The type may be changed later.
  await assert.rejects(updateRemote(remote, 'l', { token_command: 'touch x' }), refused)
  // What an alias of the configuration says is trusted when it is opened.
  for (const spec of [
    ':webdav,url=h,token_command="touch x":',
    ':alias,remote=":webdav,token_command=x:":',
    ':webdav, token_command:/x',
  ])
    await assert.rejects(updateRemote(remote, 'l', { remote: spec }), refused, spec)
  const asked = { continue: true, state: '*all-set,1,false', result: 'touch x' }
  await assert.rejects(updateRemote(remote, 's', {}, asked), refused)
  assert.equal(config.text(), before)
  await updateRemote(remote, 's', { url: 'a,b' })
  await updateRemote(local, 's', { token_command: 'pass x' })
  assert.deepEqual(config.get('s'), { type: 'webdav', url: 'a,b', token_command: 'pass x' })
})

test('keys are taken away, but never the type', async () => {
  config.set('s', { type: 'sftp', host: 'h', port: '1' })
  assert.deepEqual(await unsetKeys({ config }, 's', ['port', 'user']), ['port'])
  assert.deepEqual(config.get('s'), { type: 'sftp', host: 'h' })
  await assert.rejects(unsetKeys({ config }, 's', ['host', 'type']), { message: /^can't unset the "type" of a remote/ })
  await assert.rejects(unsetKeys({ config }, 'x', []), { message: 'remote "x" doesn\'t exist' })
  assert.deepEqual(config.get('s'), { type: 'sftp', host: 'h' })
})

test('a backend is described with the keys that clients know', () => {
  const { Options, ...backend } = describeBackend(sftp)
  assert.deepEqual(backend, {
    Name: 'sftp',
    Description: 'SSH/SFTP',
    Prefix: 'sftp',
    CommandHelp: null,
    Aliases: ['ssh'],
    Hide: false,
    MetadataInfo: null,
  })
  assert.deepEqual(Options[1], {
    Name: 'port',
    FieldName: 'Port',
    Help: 'SSH port',
    Provider: '',
    Default: 22,
    Value: null,
    ShortOpt: '',
    Hide: 0,
    Required: false,
    IsPassword: false,
    NoPrefix: false,
    Advanced: false,
    Exclusive: false,
    Sensitive: false,
    DefaultStr: '22',
    ValueStr: '22',
    Type: 'int',
  })
  assert.deepEqual(
    Options.map((o) => [o.Name, o.IsPassword, o.Sensitive, o.Hide]),
    [
      ['host', false, false, 0],
      ['port', false, false, 0],
      ['pass', true, true, 0],
      ['hidden_one', false, false, 3],
      ['shell_type', false, false, 0],
      ['key_pem', false, true, 0],
    ],
  )
})

test('a flag that lacks the name of its backend is described as such', () => {
  const links = { flag: 'copy-links', advanced: true }
  const options = { copyLinks: option(bool, false, '', links), port: option(int, 0, '', { flag: 'disk-port' }) }
  const disk = defineBackend({ name: 'disk', description: '', options: defineOptions('disk', options), open: never })
  assert.deepEqual(
    describeBackend(disk).Options.map(({ Name, NoPrefix }) => [Name, NoPrefix]),
    [
      ['copy_links', true],
      ['port', false],
    ],
  )
})
