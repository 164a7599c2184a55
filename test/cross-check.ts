import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { noise, oddNames } from './conformance/fixture.ts'
import { files, run, scratch, sluice } from './program.ts'

export interface Shared {
  /** A section of rclone.conf as environment variables that both programs read: `RCLONE_CONFIG_X_TYPE` ... */
  readonly env: Readonly<Record<string, string>>
  /** A folder of the storage that may be written to: `x:bucket`. */
  readonly place: string
  /** Names of `oddNames` that the storage cannot keep. */
  readonly impossible?: readonly string[]
  /** Flags of both for comparisons, such as `--download` where there are no checksums. */
  readonly check?: readonly string[]
}

/** What Sluice stores, rclone finds, reads and compares without a difference, and the other way round. */
export async function crossCheck(
  t: TestContext,
  { env, place, impossible = [], check = ['--download'] }: Shared,
): Promise<void> {
  const source = scratch(t)
  const odd = oddNames.filter((name) => !impossible.includes(name))
  files(source, {
    'a.txt': 'text',
    'empty.bin': '',
    'deep/er/big.bin': noise(700_001, 'cross'),
    ...Object.fromEntries(odd.map((name) => [`odd/${name}`, name])),
  })
  const programs = { sluice, rclone: (args: readonly string[], options: object) => run('rclone', args, options) }
  for (const [writer, reader] of [
    ['sluice', 'rclone'],
    ['rclone', 'sluice'],
  ] as const) {
    const there = `${place}/by-${writer}`
    const options = { env: { RCLONE_CONFIG: join(source, 'none.conf'), AWS_CA_BUNDLE: '', ...env } }
    const copied = await programs[writer](['copy', source, there], options)
    assert.equal(copied.code, 0, `${writer} copies: ${copied.stderr}`)
    const checked = await programs[reader](['check', source, there, ...check], options)
    assert.equal(checked.code, 0, `${reader} checks: ${checked.stderr}`)
    assert.match(checked.stderr, new RegExp(`\\b${odd.length + 3} matching files`))
  }
}
