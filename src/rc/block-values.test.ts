import assert from 'node:assert/strict'
import { test } from 'node:test'
import { filterOptions } from '../core/filter-options.ts'
import { logOptions, mainOptions } from '../core/options.ts'
import { netOptions } from '../net/options.ts'
import { defaultsOf, type OptionBlock } from '../schema/option.ts'
import { hidden, readBlock, readFlat, showBlock } from './block-values.ts'
import { rcBlocks } from './blocks.ts'
import type { RcBlock } from './services.ts'

const block = (name: string) => rcBlocks.find((one) => one.name === name) as RcBlock
const [main, filter, rc] = [block('main'), block('filter'), block('rc')]

/** As it comes back from a client. */
const sent = (shown: object) => JSON.parse(JSON.stringify(shown)) as Record<string, unknown>

test('values are read by the names of rclone in any case, and by those of flags', () => {
  const read = readBlock(main, {
    Transfers: 1,
    checkers: '2',
    buffer_size: '1M',
    bwlimit: '1M',
    LogLevel: 7,
    UseragenT: 'x',
    unknown: 1,
    Config: '/etc/passwd',
    CacheDir: '/etc',
    File: '/etc/x',
  })
  assert.deepEqual(Object.keys(read.get(mainOptions) ?? {}), ['transfers', 'checkers', 'bufferSize', 'bwLimit'])
  assert.deepEqual(read.get(logOptions), { level: 'DEBUG' })
  assert.deepEqual(read.get(netOptions), { userAgent: 'x' })
})

test('values within objects are read', () => {
  const read = readBlock(filter, { MetaRules: { IncludeRule: ['a'], FilterRule: null }, includerule: '*.mp4' })
  assert.deepEqual(read.get(filterOptions), { metadataInclude: ['a'], metadataFilter: [], include: ['*.mp4'] })
})

test('the parameters of a call give way where they are no options, or objects', () => {
  assert.throws(() => readFlat(main, { transfers: null }), { code: 'invalid', message: /^transfers is null/ })
  const { values, taken } = readFlat(main, { transfers: '9', config: 'x', header: ['A: b'], multi_thread_cutoff: {} })
  assert.deepEqual(taken.toSorted(), ['header', 'transfers'])
  assert.deepEqual(values.get(mainOptions), { transfers: 9 })
})

test('what does not fit is told with its name', () => {
  assert.throws(() => readBlock(main, { Transfers: 'x' }), {
    code: 'usage',
    message: 'Reshape failed to Unmarshal: Transfers: bad whole number "x"',
  })
  assert.throws(() => readBlock(main, { PasswordCommand: 'x' }), { code: 'denied' })
})

test('a block can be sent back as it was shown', () => {
  for (const one of rcBlocks) {
    const shown = sent(showBlock(one, (options: OptionBlock) => defaultsOf(options)))
    for (const [options, values] of readBlock(one, shown))
      for (const [key, value] of Object.entries(values))
        assert.deepEqual(value, (defaultsOf(options) as Record<string, unknown>)[key], `${one.name} ${key}`)
  }
})

test('no secret is shown, and a covered one that comes back changes nothing', () => {
  const secret = (options: OptionBlock) =>
    Object.fromEntries(
      Object.entries(options.options).map(([key, option]) => [
        key,
        option.secret ? (Array.isArray(option.default) ? ['geheim'] : 'geheim') : (option.default as unknown),
      ]),
    )
  for (const one of rcBlocks) {
    const shown = sent(showBlock(one, secret))
    assert.doesNotMatch(JSON.stringify(shown), /geheim/, one.name)
    for (const [options, values] of readBlock(one, shown))
      for (const key of Object.keys(values)) assert.ok(!options.options[key]?.secret, `${one.name} ${key}`)
  }
  const shown = showBlock(rc, secret) as { Auth: { BasicPass: string }; HTTPOptions: { BasicPass: string } }
  assert.deepEqual([shown.Auth.BasicPass, shown.HTTPOptions.BasicPass], [hidden, hidden])
})

test('no two options of a block have one name', () => {
  for (const one of rcBlocks) {
    const names = one.options.map(({ path }) => path.join('.').toLowerCase())
    assert.deepEqual(
      names.filter((name, index) => names.indexOf(name) !== index),
      [],
      one.name,
    )
  }
})
