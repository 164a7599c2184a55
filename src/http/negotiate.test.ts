import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { parsePreferences, preferredEncoding, preferredType } from './negotiate.ts'

const codings = ['zstd', 'br', 'gzip', 'deflate'] as const

test('the client decides by weight, we among equals', () => {
  const table: [string | undefined, string | undefined][] = [
    [undefined, undefined],
    ['', undefined],
    ['gzip', 'gzip'],
    ['GZIP', 'gzip'],
    ['x-gzip', 'gzip'],
    ['gzip, deflate, br, zstd', 'zstd'],
    ['gzip, deflate, br', 'br'],
    ['br;q=0.5, gzip', 'gzip'],
    ['gzip;q=0', undefined],
    ['gzip;q=0.000', undefined],
    ['gzip;Q=0', undefined],
    ['gzip; q = 0.5', 'gzip'],
    ['gzip;q=nonsense', undefined],
    ['gzip;q=1.5', undefined],
    ['gzip;q=-1', undefined],
    ['*', 'zstd'],
    ['*;q=0', undefined],
    ['zstd;q=0, *', 'br'],
    ['identity', undefined],
    ['identity;q=1, gzip;q=0.5', undefined],
    ['identity;q=0.5, gzip;q=1', 'gzip'],
    ['identity;q=0, *;q=0', undefined],
    ['deflate', 'deflate'],
    ['sdch, bzip2', undefined],
  ]
  for (const [header, coding] of table) assert.equal(preferredEncoding(header, codings), coding, String(header))
})

test('the most specific range gives the weight of a type', () => {
  const types = ['text/html', 'application/json', 'text/plain'] as const
  const table: [string | undefined, string][] = [
    [undefined, 'text/html'],
    ['*/*', 'text/html'],
    ['application/json', 'application/json'],
    ['application/json, text/plain, */*', 'application/json'],
    ['text/plain, */*;q=0.5', 'text/plain'],
    ['application/json, text/html;q=0.9', 'application/json'],
    ['text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'text/html'],
    ['text/plain', 'text/plain'],
    ['text/*;q=0.5, text/plain', 'text/plain'],
    ['text/html;q=0, */*', 'application/json'],
    ['application/json;charset=utf-8', 'application/json'],
    ['image/png', 'text/html'],
  ]
  for (const [header, type] of table) assert.equal(preferredType(header, types), type, String(header))
})

test('any header is read without an error, and only so far', () => {
  fc.assert(
    fc.property(fc.string(), (header) => {
      assert.ok(parsePreferences(header).every((p) => p.q >= 0 && p.q <= 1))
    }),
  )
  assert.equal(parsePreferences('a/b,'.repeat(10_000)).length, 64)
})
