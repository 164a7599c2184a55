import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testContext } from '../core/testing.ts'
import type { HeaderList, HttpRequest } from '../http/message.ts'
import { keepPrivate } from './private.ts'

async function after(headers: HeaderList): Promise<HeaderList> {
  const handler = keepPrivate(() => ({ status: 200, headers }))
  return (await handler(testContext(), {} as HttpRequest)).headers
}

test('what is given after a login is for that user alone', async () => {
  assert.deepEqual(await after(['etag', '"1"']), ['etag', '"1"', 'cache-control', 'private'])
  assert.deepEqual(await after(['cache-control', 'no-cache', 'vary', 'accept']), [
    'cache-control',
    'private, no-cache',
    'vary',
    'accept',
  ])
})

test('an answer that says itself who may keep it stays as it is', async () => {
  for (const value of ['public, max-age=5', 'no-store', 'Private'])
    assert.deepEqual(await after(['cache-control', value]), ['cache-control', value])
})
