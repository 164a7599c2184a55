import assert from 'node:assert/strict'
import type { IncomingHttpHeaders } from 'node:http'
import { test } from 'node:test'
import { bodyOf } from '../../base/body.ts'
import { defaultsOf } from '../../schema/option.ts'
import { fileAt, putText, rejectsWith } from '../../../test/conformance/helpers.ts'
import { web } from '../../../test/web.ts'
import { lockHeaders } from './lock.ts'
import { s3Options } from './options.ts'
import { openTestS3 } from './testing.ts'

const MIB = 1024 * 1024

test('the end of a lock is a time, or a time from now', () => {
  const until = (objectLockRetainUntilDate: string) =>
    lockHeaders({ ...defaultsOf(s3Options), objectLockMode: 'COMPLIANCE', objectLockRetainUntilDate }, 0)[
      'x-amz-object-lock-retain-until-date'
    ]
  assert.equal(until('2030-01-02T03:04:05Z'), '2030-01-02T03:04:05.000Z')
  assert.equal(until('365d'), '1971-01-01T00:00:00.000Z')
  for (const wrong of ['', 'soon', '2030-99-99']) assert.throws(() => until(wrong), { code: 'invalid' })
})

test('new files are locked, with the MD5 that the store wants to be told, and removed only when that is meant', async (t) => {
  const seen: Record<string, IncomingHttpHeaders> = {}
  const url = await web(t, (request, response) => {
    const { method = '', url: path = '', headers } = request
    seen[`${method} ${path.replace(/=[^&]*/g, '')}`] = headers
    request.resume().on('end', () => {
      const isHead = method === 'HEAD' && path.split('/').length === 2
      const answer = method === 'POST' ? '<R><UploadId>u</UploadId><ETag>"e-2"</ETag></R>' : ''
      response.writeHead(isHead ? 404 : 200, { etag: '"p"', 'content-length': answer.length }).end(answer)
    })
  })
  const { ctx, remote, close } = await openTestS3({ url, user: 'id', key: 'secret' }, 'bucket', {
    objectLockMode: 'GOVERNANCE',
    objectLockRetainUntilDate: '2030-01-02T00:00:00Z',
    objectLockLegalHoldStatus: 'OFF',
    bypassGovernanceRetention: true,
    bucketObjectLockEnabled: true,
  })
  t.after(close)
  await putText(ctx, remote, 'small', 'x')
  await remote.put(ctx, 'large', bodyOf(Buffer.alloc(6 * MIB)), { size: 6 * MIB })
  const lock = {
    'x-amz-object-lock-mode': 'GOVERNANCE',
    'x-amz-object-lock-retain-until-date': '2030-01-02T00:00:00.000Z',
    'x-amz-object-lock-legal-hold': 'OFF',
  }
  assert.partialDeepStrictEqual(seen['PUT /bucket/small'], lock)
  assert.partialDeepStrictEqual(seen['POST /bucket/large?uploads'], lock)
  for (const name of ['PUT /bucket/small', 'PUT /bucket/large?partNumber&uploadId'])
    assert.ok(seen[name]?.['content-md5'])
  assert.equal(seen['PUT /bucket']?.['x-amz-bucket-object-lock-enabled'], 'true')
  await remote.remove(ctx, await fileAt(ctx, remote, 'small'))
  assert.equal(seen['DELETE /bucket/small']?.['x-amz-bypass-governance-retention'], 'true')
})

test('a lock without an end is refused when the remote is opened', async () => {
  const store = { url: 'http://127.0.0.1:9', user: 'id', key: 'secret' }
  await rejectsWith(openTestS3(store, 'bucket', { objectLockMode: 'GOVERNANCE' }), 'invalid')
})
