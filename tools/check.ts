import { run } from './run.ts'

/** `npm run check`: types, lint, format, dead code and the direction of imports. All are run, so that one run shows all. */
const checks: readonly (readonly [string, ...string[]])[] = [
  ['tsc', '-p', '.'],
  ['oxlint', '--type-aware'],
  ['oxfmt', '--check', '.'],
  ['knip'],
  ['node', '--test', '--test-reporter=dot', 'test/architecture.test.ts'],
]

const failed = checks.filter(([command, ...args]) => !run(command, ...args)).map((check) => check.join(' '))
if (failed.length > 0) {
  console.error(`failed: ${failed.join(', ')}`)
  process.exitCode = 1
} else console.log('check: all is well')
