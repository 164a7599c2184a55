import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseSpec } from '../remote/spec.ts'
import { listOptions } from './list-options.ts'
import { remotePath } from './remote-path.ts'
import { remoteSpec } from './remote-spec.ts'

test('an object of settings is the remote that its text names', () => {
  const read = (value: unknown) => remoteSpec.read('fs', value)
  assert.equal(read('nas:x'), 'nas:x')
  assert.equal(read({ type: 'local', _root: '/p' }), ':local:/p')
  assert.equal(read({ _name: 'potato', type: 'sftp', parameter: '42', _root: '/p' }), "potato,parameter='42':/p")
  assert.throws(() => read({ a: 'b' }), { message: `couldn't find "type" or "_name" in JSON config definition` })
  assert.throws(() => read({ type: 'x', _root: true }), {
    code: 'usage',
    message: 'key "fs": Reshape failed to Unmarshal: json: cannot unmarshal bool into Go value of type string',
  })
  assert.throws(() => read({ type: 'x', 'a b': 'c' }), /config parameters may only contain/)
  assert.throws(() => read({ type: 'x,ssh=y:' }), /invalid characters/)
})

test('whatever the values of settings are, none becomes another setting or a part of the path', () => {
  const key = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/).filter((name) => !['type', '_name', '_root'].includes(name))
  fc.assert(
    fc.property(fc.dictionary(key, fc.string()), fc.string(), (settings, root) => {
      const spec = parseSpec(remoteSpec.read('fs', { ...settings, type: 'x', _root: root }))
      assert.deepEqual(spec, { kind: 'inline', backend: 'x', overrides: { ...settings }, path: root })
    }),
  )
})

test('a path in a remote is canonical or refused', () => {
  const read = (value: unknown) => remotePath.read('remote', value)
  assert.deepEqual(['', '/', 'a', '/a/', 'a//b/'].map(read), ['', '', 'a', 'a', 'a/b'])
  for (const wrong of ['..', 'a/../b', '.', 'a/./b', 'a\0b']) assert.throws(() => read(wrong), { code: 'usage' }, wrong)
  assert.throws(() => read(3), { message: 'expecting string value for key "remote" (was float64)' })
})

test('options of a listing have names in any case and types as they are', () => {
  const read = (value: unknown) => listOptions.read('opt', value)
  assert.deepEqual(read({ Recurse: true, HASHTYPES: ['md5'], other: 1, filesOnly: null }), {
    recurse: true,
    hashTypes: ['md5'],
  })
  assert.deepEqual([read(null), read('{"recurse":true}')], [{}, { recurse: true }])
  assert.throws(() => read({ recurse: 1 }), {
    message:
      'key "opt": Reshape failed to Unmarshal: json: cannot unmarshal number into Go struct field ListJSONOpt.recurse of type bool',
  })
})
