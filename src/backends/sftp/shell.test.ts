import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { hashIn, quoted, usageIn } from './shell.ts'

test('a quoted path is one word for a shell, whatever is in it', () => {
  const path = fc.string({ unit: 'binary', minLength: 1 }).filter((text) => !text.includes('\0') && text.isWellFormed())
  const paths = ["it's", '$(exit 1) `exit`; "&|<>*', '-n', 'line\nbreak', '\\', ...fc.sample(path, 200)]
  const words = paths.map((text) => quoted('unix', text)).join(' ')
  const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${words}`], { encoding: 'utf8' })
  assert.deepEqual(printed.split('\0').slice(0, -1), paths)
  assert.equal(quoted('powershell', "it's"), "'it''s'")
  assert.equal(quoted('cmd', 'a b'), '"a b"')
  for (const bad of ['a"b', '%PATH%', 'a\nb']) assert.throws(() => quoted('cmd', bad), { code: 'unsupported' }, bad)
})

test('checksums are found in what commands print', () => {
  const md5 = 'd41d8cd98f00b204e9800998ecf8427e'
  for (const printed of [`${md5}  /a b\n`, `\\${md5}  /a\\nb\n`, `${md5.toUpperCase()} /x`, md5])
    assert.equal(hashIn(printed, 'md5'), md5)
  for (const printed of ['', 'md5sum: no such file', `${md5}0  x`, `${md5}  x`.slice(1)])
    assert.equal(hashIn(printed, 'md5'), undefined, printed)
})

test('the answer of df is read, also when the name of the device has a line of its own', () => {
  const head = 'Filesystem     1K-blocks    Used Available Use% Mounted on\n'
  const usage = { total: 1024 * 1000, used: 1024 * 300, free: 1024 * 600 }
  assert.deepEqual(usageIn(`${head}/dev/sda1 1000 300 600 34% /\n`), usage)
  assert.deepEqual(usageIn(`${head}/dev/mapper/a-very-long-name\n                    1000 300 600  34% /srv\n`), usage)
  assert.throws(() => usageIn('df: not found'), { code: 'io' })
})
