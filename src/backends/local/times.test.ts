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
