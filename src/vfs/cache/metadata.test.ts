import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testContext } from '../../core/testing.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { fingerprintOf, isSameVersion } from './fingerprint.ts'
import { formatMetadata, parseMetadata } from './metadata.ts'

/** As rclone 1.60 wrote it, in a zone east of Greenwich. */
const theirs = `{
\t"ModTime": "2026-11-28T19:27:00+01:00",
\t"ATime": "2026-11-28T18:27:06.98353744Z",
\t"Size": 3000000,
\t"Rs": [
\t\t{
\t\t\t"Pos": 5,
\t\t\t"Size": 10
\t\t},
\t\t{
\t\t\t"Pos": 1000,
\t\t\t"Size": 1
\t\t}
\t],
\t"Fingerprint": "3000000,2026-11-28 18:27:00 +0000 UTC",
\t"Dirty": false
}
`

test('metadata is read and written as rclone has it', () => {
  const read = parseMetadata(theirs)
  assert.deepEqual(read, {
    modTime: 1_795_890_420_000_000_000n,
    aTime: 1_795_890_426_983_537_440n,
    size: 3_000_000,
    present: [
      { start: 5, end: 15 },
      { start: 1000, end: 1001 },
    ],
    fingerprint: '3000000,2026-11-28 18:27:00 +0000 UTC',
    dirty: false,
    contentType: undefined,
  })
  assert.ok(read)
  assert.equal(formatMetadata(read), theirs.replace('19:27:00+01:00', '18:27:00Z'))
  assert.match(formatMetadata({ ...read, present: [] }), /"Rs": null/)
})

test('damaged metadata is told from good', () => {
  const broken = ['', '{}', theirs.slice(0, -20), theirs.replace('3000000,', '"'), theirs.replace('1000', '-1')]
  for (const text of [...broken, theirs.replace('2026-11-28T18', '2026-13-28T18')])
    assert.equal(parseMetadata(text), undefined, text)
})

test('a fingerprint has what the storage can tell, in the words of rclone', async () => {
  const ctx = testContext()
  const file: FileEntry = {
    kind: 'file',
    path: 'a',
    size: 7,
    modTime: 1_795_890_420_120_000_000n,
    hashes: { md5: 'abc' },
  }
  const remote = (info: Partial<Remote['info']>) =>
    ({ info: { hashes: [], traits: {}, ...info }, hash: async () => 'computed' }) as unknown as Remote
  const time = '2026-11-28 18:27:00.12 +0000 UTC'
  const slow = { slowHash: true, slowModTime: true } as const
  const cases = [
    [{}, false, '7'],
    [{ precision: 1 }, false, `7,${time}`],
    [{ precision: 1, hashes: ['sha1', 'md5'] }, false, `7,${time},abc`],
    [{ precision: 1, hashes: ['quickxor', 'sha1'] }, true, `7,${time},computed`],
    [{ precision: 1, hashes: ['md5'], traits: slow }, true, '7'],
    [{ precision: 1, hashes: ['md5'], traits: slow }, false, `7,${time},abc`],
  ] as const
  for (const [info, fast, expected] of cases) assert.equal(await fingerprintOf(ctx, remote(info), file, fast), expected)
  assert.ok(isSameVersion(`7,${time}`, `7,${time},abc`))
  for (const other of ['8', `7,${time},abd`, '71']) assert.ok(!isSameVersion(`7,${time},abc`, other), other)
})
