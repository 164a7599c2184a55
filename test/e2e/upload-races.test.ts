import assert from 'node:assert/strict'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openUpload } from '../open-upload.ts'
import { files, scratch, serve, type Server } from '../program.ts'

async function readWrite(t: TestContext, tree: Record<string, string> = {}) {
  const dir = scratch(t)
  files(dir, tree)
  return { dir, server: await serve(t, ['serve', 'http', dir, '--write', dir]) }
}

/** Waits until a file can be followed: what is stored has an ETag. */
async function isComing(server: Server, name: string): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end;) {
    const { status, headers } = await fetch(server.url + name, { method: 'HEAD' })
    if (status === 200 && !headers.has('etag')) return
  }
  assert.fail(`${name} never came`)
}

test('who asks for an upload that then comes to nothing gets the file that was there before', async (t) => {
  const { server } = await readWrite(t, { 'a.bin': 'before' })
  const upload = await openUpload(server, 'a.bin')
  await isComing(server, 'a.bin')
  const readers = [fetch(`${server.url}a.bin`), fetch(`${server.url}a.bin`, { headers: { range: 'bytes=2-' } })]
  // By the time this is answered they wait for the first byte.
  await fetch(`${server.url}a.bin`, { method: 'HEAD' })
  upload.req.destroy()
  const [whole, part] = await Promise.all(readers)
  assert.deepEqual([whole?.status, await whole?.text()], [200, 'before'])
  assert.deepEqual([part?.status, await part?.text()], [206, 'fore'])
})

test('who follows an upload that is refused at its end never takes it for whole', async (t) => {
  const { server } = await readWrite(t)
  const headers = { 'content-length': 8, 'content-digest': 'sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:' }
  const req = httpRequest(`${server.url}a.bin`, { method: 'PUT', agent: false, headers })
  const answered = once(req, 'response') as Promise<[{ statusCode: number }]>
  req.write('seven b')
  await isComing(server, 'a.bin')
  const following = await fetch(`${server.url}a.bin`)
  const broken = assert.rejects(following.text())
  req.end('.')
  assert.equal((await answered)[0].statusCode, 400)
  await broken
})

test('a part that is sent behind the removal of its file makes a new one', async (t) => {
  const { dir, server } = await readWrite(t)
  const upload = await openUpload(server, 'a.bin')
  await upload.write('0123456789')
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname)
  t.after(() => socket.destroy())
  const part =
    'PATCH /a.bin HTTP/1.1\r\nHost: x\r\nContent-Range: bytes 0-2/*\r\nContent-Length: 3\r\nConnection: close\r\n\r\nnew'
  socket.write(`HEAD / HTTP/1.1\r\nHost: x\r\n\r\nDELETE /a.bin HTTP/1.1\r\nHost: x\r\n\r\n${part}`)
  // The answer to the first means that the others are there.
  let text = String((await once(socket, 'data'))[0])
  socket.on('data', (chunk) => (text += String(chunk)))
  assert.equal(await upload.end(), 201)
  await once(socket, 'end')
  assert.deepEqual(text.match(/(?<=^HTTP\/1.1 )\d+/gm), ['200', '204', '201'])
  assert.equal(readFileSync(join(dir, 'a.bin'), 'utf8'), 'new')
})
