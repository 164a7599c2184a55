import assert from 'node:assert/strict'
import { test } from 'node:test'
import { mainOptions } from '../core/options.ts'
import { OptionSet } from '../schema/options.ts'
import { wantsColors } from './colors.ts'

test('colours are for terminals, unless --color or NO_COLOR says otherwise', () => {
  for (const [color, noColor, terminal, wanted] of [
    ['AUTO', undefined, true, true],
    ['AUTO', undefined, false, false],
    ['AUTO', '', true, true],
    ['AUTO', '1', true, false],
    ['ALWAYS', '1', false, true],
    ['NEVER', undefined, true, false],
  ] as const) {
    const options = new OptionSet([mainOptions])
    options.set(mainOptions, 'color', color, 'flag')
    const io = { get: options.get.bind(options), env: { NO_COLOR: noColor } }
    assert.equal(wantsColors(io, terminal), wanted)
  }
})
