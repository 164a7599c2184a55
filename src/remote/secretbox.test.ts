import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configKeyOf, encryptedPart, openConfig, sealConfig } from './secretbox.ts'

const password = 'Test Pässword 1'
const key = 'ff36a28dc059750b13391b66de22acf318bed6d0a0aeab0b4d374b40a7722a1c'
const nonce = Uint8Array.from({ length: 24 }, (_, i) => i)
const plain = '[a]\ntype = local\n'
const base64 = 'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXBhVMj4pqSJdsgcKJzz4+BIgDgSxgkGfw4nKvwtin/0zs'
const file = Buffer.from(`# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\n${base64}`)

test('the key is the SHA-256 of the normalised password', () => {
  assert.equal(Buffer.from(configKeyOf(password)).toString('hex'), key)
  assert.deepEqual(configKeyOf('\u00e9\ufb01'), configKeyOf('e\u0301fi'))
  assert.notDeepEqual(configKeyOf(' a'), configKeyOf('a'))
  assert.throws(() => configKeyOf(''), { code: 'invalid', message: 'no characters in password' })
})

test('the file is the one that rclone writes', async () => {
  assert.deepEqual(await sealConfig(Buffer.from(plain), configKeyOf(password), nonce), file)
  const part = encryptedPart(file)
  assert.ok(part !== undefined)
  assert.equal((await openConfig(part, configKeyOf(password)))?.toString(), plain)
})

test('a wrong password and changed data do not open', async () => {
  const part = encryptedPart(file) ?? ''
  assert.equal(await openConfig(part, configKeyOf('other')), undefined)
  assert.equal(await openConfig(part.replace('wtin', 'wtiN'), configKeyOf(password)), undefined)
})

test('only the first line that is not a comment says that a file is encrypted', () => {
  for (const text of ['', '[a]\nRCLONE_ENCRYPT_V0:\n', 'x = RCLONE_ENCRYPT_V0:', '# RCLONE_ENCRYPT_V0:\n[a]\n'])
    assert.equal(encryptedPart(Buffer.from(text)), undefined)
  for (const text of [
    'RCLONE_ENCRYPT_V0:\nAA',
    '# RCLONE_ENCRYPT_V0:\nRCLONE_ENCRYPT_V0:\nAA',
    '# c\r\n ; d\r\n\r\n\n  RCLONE_ENCRYPT_V0: \r\nAA',
  ])
    assert.equal(encryptedPart(Buffer.from(text))?.trim(), 'AA')
})

test('newer, short and damaged data is refused with a sentence', async () => {
  assert.throws(() => encryptedPart(Buffer.from('RCLONE_ENCRYPT_V1:\nAAAA')), {
    code: 'unsupported',
    message: 'unsupported configuration encryption - update rclone for support',
  })
  await assert.rejects(openConfig('AAAA', configKeyOf('x')), {
    code: 'invalid',
    message: 'configuration data too short',
  })
  await assert.rejects(openConfig('A*AA', configKeyOf('x')), { code: 'invalid', message: /^failed to load base64/ })
})
