import assert from 'node:assert/strict'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { systemSendfile } from './sendfile.ts'

const send = systemSendfile()
const skip = send === undefined && 'this Node cannot call sendfile'

/** Both ends of a connection, and the descriptor of the second one. */
async function connection(t: TestContext): Promise<{ near: Socket; far: Socket; descriptor: number }> {
  const server = createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const near = connect((server.address() as { port: number }).port, '127.0.0.1')
  const [far] = (await once(server, 'connection')) as [Socket]
  t.after(() => {
    near.destroy()
    far.destroy()
    server.close()
  })
  return { near, far, descriptor: (far as unknown as { _handle: { fd: number } })._handle.fd }
}

function file(t: TestContext, content: Uint8Array): number {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-sendfile-'))
  writeFileSync(join(dir, 'file'), content)
  const fd = openSync(join(dir, 'file'), 'r')
  t.after(() => {
    closeSync(fd)
    rmSync(dir, { recursive: true })
  })
  return fd
}

test('the bytes that are asked for arrive, and no others', { skip }, async (t) => {
  const { near, far, descriptor } = await connection(t)
  const fd = file(t, Buffer.from('0123456789'))
  assert.equal(send?.(descriptor, fd, 3, 4), 4)
  assert.equal(send?.(descriptor, fd, 0, 1), 1)
  far.end()
  assert.equal(Buffer.concat(await near.toArray()).toString(), '34560')
})

test(
  'a socket that is full takes 0, and so it is at the end of the file and for what is no file',
  { skip },
  async (t) => {
    const { descriptor } = await connection(t)
    const fd = file(t, Buffer.alloc(1 << 20))
    let taken = 0
    for (let count = 1; count > 0; taken += count) {
      count = send?.(descriptor, fd, 0, 1 << 20) ?? 0
      assert.ok(taken < 1 << 30, 'it took more than a socket holds')
    }
    assert.ok(taken > 0)
    assert.equal(send?.(descriptor, fd, 1 << 20, 10), 0)
    assert.equal(send?.(descriptor, 999_999, 0, 10), 0)
    assert.equal(send?.(999_999, fd, 0, 10), 0)
  },
)

test('looking for it warns of nothing and leaves the warnings of others alone', () => {
  const before = Object.getOwnPropertyDescriptor(process, 'emitWarning')
  systemSendfile()
  assert.deepEqual(Object.getOwnPropertyDescriptor(process, 'emitWarning'), before)
})
