import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** A proxy that knows CONNECT alone and whoever has this login (`user:password`), and what it was asked for. */
export async function connectProxy(t: TestContext, login = ''): Promise<{ port: number; asked: string[] }> {
  const asked: string[] = []
  const open = new Set<Socket>()
  const server = createServer()
  server.on('connect', ({ url = '', headers }, socket: Socket, head: Buffer) => {
    asked.push(url)
    const wanted = login === '' ? undefined : `Basic ${Buffer.from(login).toString('base64')}`
    if (headers['proxy-authorization'] !== wanted)
      return void socket.end('HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n')
    const there = connect(Number(url.split(':')[1]), url.split(':')[0])
    for (const end of [socket, there]) open.add(end.on('error', () => {}))
    there.once('connect', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      there.write(head)
      there.pipe(socket)
      socket.pipe(there)
    })
    return undefined
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of open) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, asked }
}
