import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { missing } from '../../test/peers.ts'
import { ConfigFile } from './config.ts'
import type { PasswordSources } from './config-password.ts'

let root = ''
let path = ''
let count = 0
before(() => (root = mkdtempSync(join(tmpdir(), 'sluice-config-'))))
after(() => rmSync(root, { recursive: true, force: true }))
beforeEach(() => (path = join(root, `${count++}`, 'rclone.conf')))

const open = (password: Partial<PasswordSources> = {}, env = {}) =>
  ConfigFile.open({ path, env, password: { env, ...password } })

async function write(text: string): Promise<ConfigFile> {
  const config = await open()
  config.set('x', {})
  await config.save()
  writeFileSync(path, text)
  return await open()
}

test('a file that does not exist is empty, and is made by save for its owner alone', async () => {
  const config = await open()
  assert.equal(config.exists, false)
  assert.deepEqual(config.sections(), [])
  config.set('a', { type: 'local', remote: '/x y' })
  assert.deepEqual(config.get('a'), { type: 'local', remote: '/x y' })
  assert.equal(config.exists, false)
  await config.save()
  assert.equal(config.exists, true)
  assert.equal(readFileSync(path, 'utf8'), '[a]\ntype = local\nremote = /x y\n')
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('an empty path keeps all in memory', async () => {
  const config = await ConfigFile.open({ path: '' })
  config.set('a', { type: 'local' })
  await config.save()
  await config.refresh()
  assert.equal(config.exists, true)
  assert.deepEqual(config.sections(), ['a'])
})

test('comments, order and mode survive changes', async () => {
  const config = await write('# mine\n[b]\ntype=alias\n\n; next\n[a]\ntype = local\n')
  chmodSync(path, 0o640)
  config.set('b', { remote: '/r', type: undefined })
  config.remove('nope')
  config.rename('a', 'z')
  await config.save()
  assert.equal(readFileSync(path, 'utf8'), '# mine\n[b]\nremote = /r\n\n; next\n[z]\ntype = local\n')
  assert.equal(statSync(path).mode & 0o777, 0o640)
})

test('saving without a change does not write', async () => {
  const config = await write('[a]\ntype = local')
  const { mtimeNs, ino } = statSync(path, { bigint: true })
  await config.save()
  config.set('a', { type: 'local' })
  await config.save()
  const now = statSync(path, { bigint: true })
  assert.deepEqual([now.mtimeNs, now.ino], [mtimeNs, ino])
})

test('what another program changed meanwhile is not lost', async () => {
  const config = await write('[a]\ntype = local\n')
  config.set('b', { type: 'local' })
  writeFileSync(path, '# other\n[a]\ntype = alias\n[c]\ntype = local\n')
  await config.save()
  assert.equal(readFileSync(path, 'utf8'), '# other\n[a]\ntype = alias\n[c]\ntype = local\n\n[b]\ntype = local\n')
  assert.deepEqual(config.get('a'), { type: 'alias' })
})

test('a changed file is read again, with the changes that are not saved yet', async () => {
  const config = await write('[a]\ntype = local\n')
  config.set('b', { type: 'local' })
  writeFileSync(path, '[c]\ntype = local\n')
  assert.deepEqual(config.sections(), ['a', 'b'])
  await config.refresh()
  assert.deepEqual(config.sections(), ['c', 'b'])
  rmSync(path)
  await config.refresh()
  assert.deepEqual(config.sections(), ['b'])
  assert.equal(config.exists, false)
})

test('writers in one process take turns', async () => {
  const configs = await Promise.all(Array.from({ length: 5 }, () => open()))
  await Promise.all(
    configs.map(async (config, i) => {
      config.set(`s${i}`, { type: 'local' })
      const first = config.save()
      config.set(`t${i}`, { type: 'local' })
      await Promise.all([first, config.save()])
    }),
  )
  assert.equal((await open()).sections().length, 10)
})

test('a change that cannot be written changes nothing', async () => {
  const config = await write('[a]\ntype = local\n')
  assert.throws(() => config.set('a', { ok: '1', bad: 'a\nb' }), { code: 'invalid' })
  assert.deepEqual(config.get('a'), { type: 'local' })
  assert.throws(() => config.rename('a', 'a'), { code: 'exists' })
  await config.save()
  assert.equal(readFileSync(path, 'utf8'), '[a]\ntype = local\n')
})

test('a save that fails undoes its changes', async () => {
  const config = await write('[a]\ntype = local\n')
  config.rename('a', 'b')
  writeFileSync(path, '[c]\ntype = local\n')
  await assert.rejects(config.save(), { code: 'not-found' })
  assert.deepEqual(config.sections(), ['c'])
  config.set('d', { type: 'local' })
  await config.save()
  assert.equal(readFileSync(path, 'utf8'), '[c]\ntype = local\n\n[d]\ntype = local\n')
})

test('a broken line is named with its file', async () => {
  await assert.rejects(write('[a]\nnoeq\n'), {
    code: 'invalid',
    message: /^failed to load config file ".*rclone\.conf": could not parse line: noeq$/,
  })
})

test('variables add and override values', async () => {
  await write('[a-b]\ntype = local\nx = 1\n')
  const config = await open(
    {},
    { RCLONE_CONFIG_A_B_X: '2', RCLONE_CONFIG_NEW_TYPE: 'local', RCLONE_CONFIG_HALF_REMOTE: 'x' },
  )
  assert.deepEqual(config.sections(), ['a-b', 'new'])
  assert.deepEqual(config.get('a-b'), { type: 'local', x: '2' })
  assert.deepEqual(config.stored('a-b'), { type: 'local', x: '1' })
  assert.deepEqual(config.get('New'), { type: 'local' })
  assert.equal(config.get('half'), undefined)
})

describe('an encrypted file', () => {
  const make = async () => {
    const config = await open()
    config.set('a', { type: 'local' })
    config.setPassword('secret')
    await config.save()
    return config
  }

  test('opens with the password of a variable, a command, or a person', async () => {
    const config = await make()
    assert.ok(config.encrypted)
    assert.match(
      readFileSync(path, 'utf8'),
      /^# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\n[A-Za-z0-9+/]+=*$/,
    )
    for (const [password, env] of [
      [{}, { RCLONE_CONFIG_PASS: 'secret' }],
      [{}, { RCLONE_CONFIG_PASS: 'x', SLUICE_CONFIG_PASS: 'secret' }],
      [{ command: 'echo secret' }, { RCLONE_CONFIG_PASS: 'wrong' }],
      [{ command: ' printf "secret\\r\\n\\n" ' }, {}],
      [{ ask: () => Promise.resolve('secret') }, { RCLONE_CONFIG_PASS: 'wrong' }],
    ] satisfies [Partial<PasswordSources>, Record<string, string>][])
      assert.deepEqual((await open(password, env)).sections(), ['a'])
  })

  test('asks three times, and says when no password fits', async () => {
    await make()
    const asked: string[] = []
    const warned: string[] = []
    const ask = (question: string) => {
      asked.push(question)
      return Promise.resolve(' wrong')
    }
    await assert.rejects(open({ ask, warn: (text) => warned.push(text) }), {
      code: 'denied',
      message: /Couldn't decrypt configuration, most likely wrong password\.$/,
    })
    assert.deepEqual(asked, Array(3).fill('Enter configuration password: '))
    assert.equal(warned[0], 'Your password contains leading or trailing blanks: they count')
    await assert.rejects(open(), { code: 'denied', message: /is encrypted: give its password in SLUICE_CONFIG_PASS/ })
    await assert.rejects(open({ command: 'false' }), { code: 'denied', message: /false ended with status 1/ })
    await assert.rejects(open({ command: 'true' }), {
      code: 'denied',
      message: 'password command returned empty string',
    })
    await assert.rejects(open({ command: '/nowhere/x' }), { code: 'denied', message: /cannot run \/nowhere\/x/ })
  })

  test('stays encrypted when it changes, with a new nonce, and is left alone otherwise', async () => {
    const config = await make()
    const first = readFileSync(path, 'utf8')
    config.set('a', { type: 'local' })
    await config.save()
    assert.equal(readFileSync(path, 'utf8'), first)
    config.set('b', { type: 'local' })
    await config.save()
    assert.notEqual(readFileSync(path, 'utf8').slice(0, 80), first.slice(0, 80))
    assert.deepEqual((await open({}, { RCLONE_CONFIG_PASS: 'secret' })).sections(), ['a', 'b'])
  })

  test('gets another password, or none', async () => {
    const config = await make()
    config.setPassword('other')
    await config.save()
    await assert.rejects(open({}, { RCLONE_CONFIG_PASS: 'secret' }), { code: 'denied' })
    config.setPassword(undefined)
    assert.equal(config.encrypted, false)
    await config.save()
    assert.equal(readFileSync(path, 'utf8'), '[a]\ntype = local\n')
  })

  test('that another program encrypted or decrypted meanwhile is not overwritten blindly', async () => {
    const plain = await write('[p]\ntype = local\n')
    const bytes = readFileSync(path)
    const config = await make()
    writeFileSync(path, bytes)
    config.set('q', { type: 'local' })
    await config.save()
    assert.equal(readFileSync(path, 'utf8'), '[p]\ntype = local\n\n[q]\ntype = local\n')
    await make()
    plain.set('r', { type: 'local' })
    const encrypted = readFileSync(path)
    await assert.rejects(plain.save(), { code: 'denied' })
    assert.deepEqual(readFileSync(path), encrypted)
  })
})

describe('beside the real rclone', { skip: missing('rclone') }, () => {
  const run = promisify(execFile)
  const rclone = async (args: readonly string[], env = {}) =>
    (
      await run('rclone', ['--config', path, '--ask-password=false', ...args], {
        env: { PATH: process.env.PATH, ...env },
      })
    ).stdout
  const dump = async (env = {}) => JSON.parse(await rclone(['config', 'dump'], env)) as unknown

  const contents = (config: ConfigFile) => Object.fromEntries(config.sections().map((name) => [name, config.get(name)]))

  // rclone replaces %(x)s, numbers keys that are a dash or begin with #, and hides blank keys.
  const char = fc.constantFrom('a', 'Z', '9', '=', ':', '"', '`', ' ', '#', ';', '[', ']', '\\', "'", 'é', '\u00a0')
  const key = fc
    .string({ unit: char, minLength: 1, maxLength: 6 })
    .filter((k) => k.trim() !== '' && !k.startsWith('#') && !k.includes('`'))
  const section = fc.stringMatching(/^[A-Za-z0-9_.é-]{1,6}( [a-z])?$/).filter((name) => name !== 'DEFAULT')
  const values = fc.dictionary(key, fc.string({ unit: char, maxLength: 10 }), { maxKeys: 5 })
  const sections = fc.dictionary(section, values, { minKeys: 1, maxKeys: 4 })

  test('it reads what we write, plain and encrypted, and we read what it writes', async () => {
    await fc.assert(
      fc.asyncProperty(sections, fc.boolean(), async (wanted, encrypt) => {
        rmSync(path, { force: true })
        const env = encrypt ? { RCLONE_CONFIG_PASS: 'pä ss' } : {}
        const config = await open()
        for (const [name, values] of Object.entries(wanted)) config.set(name, values)
        if (encrypt) config.setPassword('pä ss')
        await config.save()
        assert.deepEqual(await dump(env), JSON.parse(JSON.stringify(wanted)))
        await rclone(['config', 'create', 'made by rclone', 'alias', 'remote', '/tmp/ä #x'], env)
        // rclone breaks some keys and values when it writes them again: then neither of us reads them.
        const theirs = await dump(env).catch(() => undefined)
        assert.deepEqual(await open({}, env).then(contents, () => undefined), theirs)
      }),
      { numRuns: 15 },
    )
  })

  test('each kind of line means the same to both', async () => {
    const config = await write(
      `# c\n; c\nt = 1\n[one]\nkey=value\nk2: v2\n  lead = x  \nhash = a #b\nsemi = a ;b\nq = "in quotes"\ns = 'sq'\n` +
        'bq = `x`\nbs = a\\nb\neq = a=b=c\nempty =\nSpaced Key = 1\nUPPER = 2\n"q=k" = 1\n`z:z` = 2\nG:H = 3\n' +
        'b1 = `\nb3 = """tri"""\ndup = 1\ndup = 2\n[Two Words]\nx = y\n[one]\nremote = /dup\n[DEFAULT]\nq=1',
    )
    assert.deepEqual(contents(config), await dump())
  })
})
