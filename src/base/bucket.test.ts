import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Bucket } from './bucket.ts'

test('a bucket books bytes at its rate, whoever asks', () => {
  let now = 0
  const bucket = new Bucket(1000, () => now)
  assert.equal(bucket.book(100), 100)
  assert.equal(bucket.book(100), 200, 'the second waits behind the first')
  now = 200
  assert.equal(bucket.book(50), 50)
})

test('over ten seconds the rate is kept within five percent', () => {
  let now = 0
  const bucket = new Bucket(100_000, () => now)
  let sent = 0
  while (now < 10_000) {
    const wait = bucket.book(4096)
    sent += 4096
    now += wait
  }
  const rate = sent / (now / 1000)
  assert.ok(Math.abs(rate - 100_000) < 5000, String(rate))
})

test('a bucket without a rate never waits', () => {
  const bucket = new Bucket(0)
  assert.equal(bucket.book(1e12), 0)
  bucket.rate = 1000
  assert.ok(bucket.book(1000) > 800)
})
