import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testContext } from '../core/testing.ts'
import { ownTime, ownTimes } from './own-time.ts'
import type { Entry, FileEntry, Remote } from './remote.ts'

const uploaded = { kind: 'file', size: 1, modTime: 9n, timeOfUpload: true } as const
const listing: readonly Entry[] = [
  { ...uploaded, path: 'old' },
  { ...uploaded, path: 'gone' },
  { kind: 'file', path: 'known', size: 1, modTime: 7n },
  { kind: 'directory', path: 'dir', modTime: 0n },
]

/** A remote that knows the time of one file, and what it was asked for. */
function remoteOf(): { remote: Remote; asked: string[] } {
  const asked: string[] = []
  const stat = async (_ctx: unknown, path: string) => {
    asked.push(path)
    return path === 'old' ? ({ kind: 'file', path, size: 1, modTime: 1n, contentType: 'text/x' } as const) : undefined
  }
  async function* list() {
    yield* listing
  }
  return { remote: { stat, list } as unknown as Remote, asked }
}

test('only files of which the listing had the time of the upload are asked for', async () => {
  const { remote, asked } = remoteOf()
  const times = await ownTimes(testContext(), remote, listing)
  assert.deepEqual(
    times.map(({ path, modTime }) => [path, modTime]),
    [
      ['old', 1n],
      ['gone', 9n],
      ['known', 7n],
      ['dir', 0n],
    ],
  )
  assert.ok(times.every((entry) => !('timeOfUpload' in entry)))
  assert.deepEqual(asked, ['old', 'gone'])
  assert.equal(await ownTimes(testContext(), remote, times), times)
})

test('storage that knows a file since it was opened is not asked by its path', async () => {
  const { remote, asked } = remoteOf()
  const described: FileEntry = { kind: 'file', path: 'old', size: 1, modTime: 2n }
  const describing: Remote = Object.assign(remote, { describe: async () => described })
  assert.equal(await ownTime(testContext(), describing, { ...uploaded, path: 'old' }), described)
  assert.deepEqual(asked, [])
})
