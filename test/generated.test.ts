import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { pages } from '../tools/pages.ts'

for (const [path, text] of pages())
  test(`${path} is current (npm run docs writes it)`, () => assert.equal(readFileSync(path, 'utf8'), text))
