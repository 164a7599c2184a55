import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fileAt, putText } from '../../../test/conformance/helpers.ts'
import { temporary } from './testing.ts'

const old = -315_619_199_500_000_000n

test('files from before 1970 keep their time, small and large, written and changed', async (t) => {
  const { ctx, remote } = temporary(t)
  await putText(ctx, remote, 'small', 'x', { modTime: old })
  await putText(ctx, remote, 'large', 'x'.repeat(2 ** 21), { modTime: old })
  await putText(ctx, remote, 'changed', 'x')
  await remote.setModTime(ctx, await fileAt(ctx, remote, 'changed'), old)
  for (const path of ['small', 'large', 'changed']) assert.equal((await fileAt(ctx, remote, path)).modTime, old, path)
})

test('a time that is set is found again within the precision, and the same when it is set once more', async (t) => {
  const { ctx, remote } = temporary(t)
  await putText(ctx, remote, 'a', 'x')
  for (let i = 0n; i < 200n; i++) {
    const time = 1_700_000_000_000_000_000n + i * 1_234_567_891_237n
    await remote.setModTime(ctx, await fileAt(ctx, remote, 'a'), time)
    const { modTime } = await fileAt(ctx, remote, 'a')
    const off = Number(modTime - time)
    assert.ok(Math.abs(off) <= 240, `${off} ns off`)
    await remote.setModTime(ctx, await fileAt(ctx, remote, 'a'), modTime)
    assert.equal((await fileAt(ctx, remote, 'a')).modTime, modTime)
  }
})
