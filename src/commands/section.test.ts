import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aliasBackend } from '../backends/alias.ts'
import { redacting, sectionText } from './section.ts'

test('what a backend does not know is hidden as if it were a secret', () => {
  const values = { type: 'alias', remote: '/srv', description: 'films', pass: 'abc' }
  assert.equal(
    sectionText('x', values, redacting(aliasBackend)),
    '[x]\ntype = alias\nremote = /srv\ndescription = films\npass = XXX\n',
  )
  assert.match(
    sectionText('x', { type: 's3', secret: 'abc' }, redacting(undefined)),
    /^\[x\]\ntype = s3\nsecret = XXX\n$/,
  )
})
