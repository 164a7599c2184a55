import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { bodyOf, collect, type Body } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import { formFiles } from './multipart.ts'

const type = 'multipart/form-data; boundary="b"'

function part(name: string, content: string | Uint8Array, field = 'f'): Uint8Array {
  const head = `--b\r\nContent-Disposition: form-data; name="${field}"; filename="${name}"\r\nContent-Type: text/x\r\n\r\n`
  return Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from('\r\n')])
}

const end = '--b--\r\n'

async function read(body: Body, header = type): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for await (const file of formFiles(header, body)) {
    assert.equal(file.contentType, 'text/x')
    found[file.name] = Buffer.from(await collect(file.body)).toString('latin1')
  }
  return found
}

test('files come whole and in turn, however the bytes of the form are cut', async () => {
  const content = fc.uint8Array({ maxLength: 200 })
  await fc.assert(
    fc.asyncProperty(
      fc.array(content, { maxLength: 4 }),
      fc.infiniteStream(fc.integer({ min: 1, max: 60 })),
      async (files, sizes) => {
        const form = Buffer.concat([...files.map((bytes, i) => part(`n${i}`, bytes)), Buffer.from(end)])
        async function* cut(): AsyncGenerator<Uint8Array> {
          for (let at = 0; at < form.length;) {
            const size = sizes.next().value as number
            yield form.subarray(at, at + size)
            at += size
          }
        }
        const wanted = files.map((bytes, i) => [`n${i}`, Buffer.from(bytes).toString('latin1')])
        // The boundary may come up in random bytes; then it is one.
        fc.pre(files.every((bytes) => !Buffer.from(bytes).includes('--b')))
        assert.deepEqual(await read(cut()), Object.fromEntries(wanted))
      },
    ),
    { numRuns: 60 },
  )
})

test('no more is read than the files are taken', async () => {
  let sent = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    yield part('a', '').subarray(0, -2)
    for (;;) {
      sent += 65_536
      yield new Uint8Array(65_536)
    }
  }
  for await (const { body } of formFiles(type, endless())) {
    let taken = 0
    for await (const chunk of body) {
      taken += chunk.length
      assert.ok(sent - taken < 1_000_000, `${sent - taken} bytes ahead`)
      if (taken > 5_000_000) break
    }
    break
  }
})

test('a file that is left is passed over, and fields are none', async () => {
  const names = []
  const field = '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\nvalue\r\n'
  const form = bodyOf(part('one', 'x'.repeat(500_000)), field, part('', 'no name'), part('two', '2'), end)
  for await (const { name } of formFiles(type, form)) names.push(name)
  assert.deepEqual(names, ['one', 'two'])
})

test('a form that is broken or fails throws, in the file that it breaks and after it', async () => {
  const invalid = (error: unknown) => error instanceof AppError && error.code === 'invalid'
  await assert.rejects(read(bodyOf(part('a', 'a'))), invalid)
  await assert.rejects(read(bodyOf(part('a', 'a').subarray(0, -4))), invalid)
  await assert.rejects(read(bodyOf('nothing of the kind')), invalid)
  await assert.rejects(read(bodyOf(end), 'multipart/form-data'), invalid)
  await assert.rejects(read(bodyOf(end), 'multipart/mixed; boundary=b'), invalid)
  async function* failing(): AsyncGenerator<Uint8Array> {
    yield part('a', 'abc').subarray(0, -2)
    throw new AppError('aborted', 'the client has left')
  }
  await assert.rejects(read(failing()), { code: 'aborted' })
})

test('folders before a name are taken off, and too many parts are refused', async () => {
  const files = await read(
    bodyOf(part('/etc/a', '1'), part('C:\\x\\b', '2'), part('ü/ö.txt', '3'), part('x/..', '4'), end),
  )
  assert.deepEqual(files, { a: '1', b: '2', 'ö.txt': '3', '..': '4' })
  const field = '--b\r\nContent-Disposition: form-data; name="x"\r\n\r\n\r\n'
  await assert.rejects(read(bodyOf(field.repeat(1002), end)), { code: 'too-large' })
})
