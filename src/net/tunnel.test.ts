import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { test, type TestContext } from 'node:test'
import { text } from 'node:stream/consumers'
import { connectProxy } from '../../test/connect-proxy.ts'
import { type Tunnel, tunnelled } from './tunnel.ts'

async function portOf(t: TestContext, server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  return (server.address() as AddressInfo).port
}

/** A server that greets first, as SSH does, says what it is told, and ends. */
async function greeter(t: TestContext): Promise<number> {
  const server = createServer((socket) => {
    socket.write('hello ')
    socket.on('data', (chunk) => socket.end(chunk)).on('error', () => {})
  })
  return await portOf(t, server)
}

/** A SOCKS proxy that answers with these bytes, whatever it is asked; then it speaks as the host. */
async function socksProxy(
  t: TestContext,
  answers: readonly (readonly number[])[],
): Promise<{ port: number; asked: Buffer[] }> {
  const asked: Buffer[] = []
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (chunk: Buffer) => {
        asked.push(chunk)
        const answer = answers[asked.length - 1]
        if (answer) socket.write(Buffer.from(answer))
        else socket.end(chunk)
      })
  })
  return { port: await portOf(t, server), asked }
}

function tunnel(change: Partial<Tunnel>): Tunnel {
  return {
    host: '127.0.0.1',
    port: 1,
    socksProxy: '',
    httpProxy: '',
    localAddress: '',
    connectTimeout: 20_000,
    ...change,
  }
}

test('an HTTP proxy is asked to connect, with the login of its URL, and nothing that follows is lost', async (t) => {
  const port = await greeter(t)
  const proxy = await connectProxy(t, 'ann:p@ss')
  const at = `127.0.0.1:${proxy.port}`
  const socket = await tunnelled(tunnel({ port, httpProxy: `http://ann:p%40ss@${at}` }))
  socket.write('you')
  assert.equal(await text(socket), 'hello you')
  assert.deepEqual(proxy.asked, [`127.0.0.1:${port}`])
  await assert.rejects(tunnelled(tunnel({ port, httpProxy: `http://${at}` })), {
    code: 'denied',
    message: /answered 407/,
  })
  await assert.rejects(tunnelled(tunnel({ httpProxy: 'https://proxy' })), { code: 'invalid' })
})

test('a SOCKS proxy gets the login and the name of the host, and nothing that follows is lost', async (t) => {
  const ipv4 = [5, 0, 0, 1, 1, 2, 3, 4, 0, 80]
  const proxy = await socksProxy(t, [
    [5, 2],
    [1, 0],
    [...ipv4, ...Buffer.from('hello ')],
  ])
  const socket = await tunnelled(
    tunnel({ host: 'files.example', port: 258, socksProxy: `ann:pw@127.0.0.1:${proxy.port}` }),
  )
  socket.write('you')
  assert.equal(await text(socket), 'hello you')
  assert.deepEqual(
    proxy.asked.map((bytes) => bytes.toString('latin1')),
    ['\x05\x02\x00\x02', '\x01\x03ann\x02pw', '\x05\x01\x00\x03\x0dfiles.example\x01\x02', 'you'],
  )
})

test('what a SOCKS proxy says is told, and one that ends or says nothing is an error', async (t) => {
  const through = async (...answers: readonly (readonly number[])[]) => {
    const { port } = await socksProxy(t, answers)
    return await tunnelled(tunnel({ socksProxy: `127.0.0.1:${port}`, connectTimeout: 2000 }))
  }
  await assert.rejects(through([5, 0], [5, 5, 0, 1, 0, 0, 0, 0, 0, 0]), /the connection was refused/)
  await assert.rejects(through([5, 0], [5, 2, 0, 1, 0, 0, 0, 0, 0, 0]), { code: 'denied' })
  await assert.rejects(through([5, 255]), { code: 'denied' })
  await assert.rejects(through([4, 0]), /no SOCKS 5 proxy/)
  const ended = `127.0.0.1:${await portOf(
    t,
    createServer((socket) => void socket.end()),
  )}`
  await assert.rejects(tunnelled(tunnel({ socksProxy: ended })), { code: 'io', message: /ended the connection/ })
  const silent = createServer(() => {})
  const socksProxyAt = `127.0.0.1:${await portOf(t, silent)}`
  await assert.rejects(tunnelled(tunnel({ socksProxy: socksProxyAt, connectTimeout: 50 })), /in time/)
  const httpProxy = `http://${socksProxyAt}`
  await assert.rejects(tunnelled(tunnel({ httpProxy, connectTimeout: 50 })), { code: 'io', message: /in time/ })
  await assert.rejects(tunnelled(tunnel({ socksProxy: 'user@' })), { code: 'invalid' })
})
