import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defineOptions, option } from '../schema/option.ts'
import { OptionSet } from '../schema/options.ts'
import { bool, count, int, string, strings } from '../schema/values.ts'
import { dispatch } from './dispatch.ts'
import { applyEnvironment } from './environment.ts'
import { flagsOf, parseCommandLine } from './flags.ts'

const block = defineOptions('test', {
  addr: option(strings, ['default'], ''),
  cacheMode: option(string, 'off', '', { flag: 'vfs-cache-mode' }),
  verbose: option(count, 0, '', { short: 'v' }),
  links: option(bool, false, '', { short: 'L', aliases: ['copy-links'] }),
  filter: option(strings, [], '', { short: 'f' }),
  transfers: option(int, 4, ''),
  pass: option(string, '', '', { secret: true }),
})
const flags = flagsOf([block])

function parse(...argv: string[]) {
  const { words, assignments, help } = parseCommandLine(argv, flags)
  return { words, help, values: Object.fromEntries(assignments.map(({ key, value }) => [key, value])) }
}

test('flags and arguments come in any order, with blank or equals sign', () => {
  const { words, values } = parse('--transfers', '8', 'serve', '--vfs-cache-mode=full', 'http', 'x:y')
  assert.deepEqual(words, ['serve', 'http', 'x:y'])
  assert.deepEqual(values, { transfers: 8, cacheMode: 'full' })
})

test('a list grows with each use and replaces the default', () => {
  assert.deepEqual(parse('--addr', ':1', '--addr=unix:///s').values, { addr: [':1', 'unix:///s'] })
})

test('short flags join, count, and take their value in three ways', () => {
  assert.deepEqual(parse('-vvL').values, { verbose: 2, links: true })
  assert.deepEqual(parse('-v', '-v').values, { verbose: 2 })
  assert.deepEqual(parse('-f', '- a', '-f- b', '-f=- c').values, { filter: ['- a', '- b', '- c'] })
})

test('a switch can be turned off, and aliases mean the same', () => {
  assert.deepEqual(parse('--links=false').values, { links: false })
  assert.deepEqual(parse('--copy-links').values, { links: true })
})

test('underscores stand for dashes, and two dashes end the flags', () => {
  assert.deepEqual(parse('--vfs_cache_mode', 'full').values, { cacheMode: 'full' })
  assert.deepEqual(parse('cat', '--', '--transfers').words, ['cat', '--transfers'])
})

test('a wrong flag is an error that names the nearest one', () => {
  assert.throws(() => parse('--transfer', '3'), {
    code: 'usage',
    message: 'unknown flag: --transfer. Did you mean --transfers?',
  })
  assert.throws(() => parse('--vfs-cahce-mode=full'), /Did you mean --vfs-cache-mode\?/)
  assert.throws(() => parse('--qqqqqqqq'), { message: 'unknown flag: --qqqqqqqq' })
})

test('a missing or wrong value is an error that names the flag', () => {
  assert.throws(() => parse('--transfers'), { code: 'usage', message: 'flag needs an argument: --transfers' })
  assert.throws(() => parse('--transfers=x'), { code: 'usage', message: /invalid value "x" for --transfers: / })
})

test('the environment sets flags, ours before rclone, and a flag wins over both', () => {
  const options = new OptionSet([block])
  applyEnvironment(
    { RCLONE_TRANSFERS: '5', SLUICE_TRANSFERS: '6', RCLONE_ADDR: ':1,:2', RCLONE_VERBOSE: '2' },
    flags,
    options,
  )
  options.set(block, 'verbose', 0, 'flag')
  const { transfers, addr, verbose } = options.get(block)
  assert.deepEqual({ transfers, addr, verbose }, { transfers: 6, addr: [':1', ':2'], verbose: 0 })
})

test('a wrong value in the environment names the variable', () => {
  assert.throws(() => applyEnvironment({ RCLONE_TRANSFERS: 'xx' }, flags, new OptionSet([block])), {
    code: 'usage',
    message: /invalid value when setting --transfers from environment variable RCLONE_TRANSFERS="xx": /,
  })
})

test('the longest command name wins, and wrong counts of arguments say what is wanted', () => {
  const command = (name: string, args: [number, number]) => ({
    name,
    usage: 'X',
    summary: '',
    args,
    run: async () => {},
  })
  const commands = [command('serve', [0, 1]), command('serve http', [1, 1])]
  assert.deepEqual(dispatch(['serve', 'http', 'a:'], commands).args, ['a:'])
  assert.equal(dispatch(['serve', 'dir'], commands).command.name, 'serve')
  assert.throws(() => dispatch(['serve', 'http'], commands), {
    code: 'usage',
    message: 'command serve http needs 1 argument, 0 given: sluice serve http X',
  })
  assert.throws(() => dispatch(['srve'], commands), { code: 'usage', message: /Did you mean "serve"\?/ })
})
