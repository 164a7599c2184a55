import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import fc from 'fast-check'
import { missing } from '../../test/peers.ts'
import { isObscured, obscure, reveal } from './obscure.ts'

const vectors: [clear: string, iv: number, obscured: string][] = [
  ['', 0x00, 'AAAAAAAAAAAAAAAAAAAAAA'],
  ['a', 0x01, 'AQEBAQEBAQEBAQEBAQEBAeE'],
  ['potato', 0x02, 'AgICAgICAgICAgICAgICAtMGJH4l2Q'],
  ['pässwörd 🔑', 0xff, '_____________________5zQc9BvRUgvwCNF72xvRA'],
  [
    'hello world this is longer than one block!',
    0x07,
    'BwcHBwcHBwcHBwcHBwcHB3u82fcgb0rWZhhgb4bIVKJCoPL2s94lsXkOj1Lmug6yqf8iwqOrHNrCNw',
  ],
]
for (const [clear, iv, obscured] of vectors)
  test(`the password "${clear}" is obscured as rclone does it`, () => {
    assert.equal(obscure(clear, Buffer.alloc(16, iv)), obscured)
    assert.equal(reveal(obscured), clear)
  })

test('passwords that rclone obscured are revealed', () => {
  assert.equal(reveal('ETeAQmT8A39QshtySmPF-RQ3ANUt'), 'hello')
  assert.equal(reveal('8aNizEBKwJeaovnnTMHfupI3Rc5I'), 'hello')
})

test('a text that is not obscured is refused', () => {
  for (const text of ['a b', 'AAAA=', 'é', 'AAAAA', '+/'])
    assert.throws(() => reveal(text), {
      code: 'invalid',
      message: 'base64 decode failed when revealing password - is it obscured?',
    })
  for (const text of ['', 'abc'])
    assert.throws(() => reveal(text), {
      code: 'invalid',
      message: 'input too short when revealing password - is it obscured?',
    })
})

test('each obscured text differs, and is known as obscured', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (clear) => {
      const text = obscure(clear)
      assert.notEqual(text, obscure(clear))
      assert.equal(reveal(text), clear)
      assert.equal(isObscured(text), !/\p{Cc}/u.test(clear))
    }),
  )
})

test('a clear password is not taken for an obscured one, even when it is long', () => {
  for (const text of [
    'secret',
    'correct horse battery staple',
    'A'.repeat(40),
    'Tr0ub4dor3Tr0ub4dor3Tr0ub4dor3Tr0ub4dor3',
  ])
    assert.equal(isObscured(text), false)
})

test('rclone reveals what we obscure', { skip: missing('rclone') }, () => {
  assert.equal(execFileSync('rclone', ['reveal', '--', obscure('pä ss')], { encoding: 'utf8' }), 'pä ss\n')
})

test('an obscured password never looks like a flag', () => {
  for (let i = 0; i < 2000; i++) assert.doesNotMatch(obscure('x'), /^-/)
})
