import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a connection suffers. Bytes are those that the server has sent over it. */
export interface Fault {
  /** Ends the connection for both sides after so many bytes: `cut` as if it had ended, `reset` with an RST. */
  readonly cut?: number
  readonly reset?: number
  /** Passes nothing on any more after so many bytes, and keeps the connection. */
  readonly stall?: number
  /** Passes on so many bytes a second. */
  readonly rate?: number
  /** Keeps each piece for so long before it goes on, in ms. */
  readonly delay?: number
  /** Changes one bit of the byte at this offset. */
  readonly flip?: number
}

export interface FaultProxy {
  readonly port: number
  /** Connections that came so far. */
  readonly connections: number
  /** Bytes that servers have sent through it so far. */
  readonly bytes: number
  /** What connections suffer from now on: each new one asks, and gets its number, from 0. None is a plain proxy. */
  faults(of: (connection: number) => Fault | undefined): void
  /** Breaks all connections there are. */
  breakAll(): void
  /** Takes no connection until it is called with `false`. */
  refuse(on: boolean): void
}

/** A TCP proxy on loopback in front of `port`, whose connections break in the ways that networks have. Ends with the test. */
export async function faultProxy(t: TestContext, port: number): Promise<FaultProxy> {
  const sockets = new Set<Socket>()
  let faultOf: (connection: number) => Fault | undefined = () => undefined
  let refusing = false
  let connections = 0
  let bytes = 0

  const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => {
    if (refusing) {
      client.resetAndDestroy()
      return
    }
    const fault = faultOf(connections++) ?? {}
    const target = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    for (const socket of [client, target]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.on('close', () => {
        sockets.delete(socket)
        client.destroy()
        target.destroy()
      })
    }
    client.pipe(target)
    client.resume()
    void pass(target, client, fault, (more) => (bytes += more)).catch(() => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const breakAll = () => {
    for (const socket of sockets) socket.resetAndDestroy()
  }
  t.after(async () => {
    breakAll()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections
    },
    get bytes() {
      return bytes
    },
    faults: (of) => (faultOf = of),
    breakAll,
    refuse: (on) => (refusing = on),
  }
}

/** Passes on what a server sends, as the fault lets it. */
async function pass(from: Socket, to: Socket, fault: Fault, count: (bytes: number) => void): Promise<void> {
  const end = Math.min(fault.cut ?? Infinity, fault.reset ?? Infinity, fault.stall ?? Infinity)
  let at = 0
  for await (const chunk of from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    const part = flipped(chunk.subarray(0, Math.max(0, end - at)), fault.flip, at)
    count(chunk.length)
    at += chunk.length
    if (fault.delay !== undefined) await sleep(fault.delay)
    if (fault.rate !== undefined) await sleep((part.length / fault.rate) * 1000)
    if (part.length > 0 && !to.write(part)) await Promise.race([once(to, 'drain'), once(to, 'close')])
    if (at >= end) return stop(from, to, fault)
  }
  to.end()
}

function stop(from: Socket, to: Socket, fault: Fault): void {
  if (fault.stall !== undefined) {
    from.pause()
    return
  }
  if (fault.reset === undefined) to.end(() => to.destroy())
  else to.resetAndDestroy()
}

function flipped(part: Buffer, offset: number | undefined, at: number): Buffer {
  if (offset === undefined || offset < at || offset >= at + part.length) return part
  const copy = Buffer.from(part)
  copy[offset - at] = (copy[offset - at] as number) ^ 1
  return copy
}
