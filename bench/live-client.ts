import { connect, type Socket } from 'node:net'
import { once } from 'node:events'

/**
 * A publisher and its listeners, in a process of their own: `PORT READING RESTING STALLED SECONDS`. Those that read take all
 * that comes; those that rest let the system take it; the stalled, who come first, are sent more than the system takes for them. The
 * last readers that join look at the time that each chunk carries. Says `ready`, measures for a while after a line on standard input, and prints what it saw.
 */
const [port = 0, reading = 0, resting = 0, stalled = 0, seconds = 5] = process.argv.slice(2).map(Number)
const EVERY_MS = 100
/** 128 kbit/s. */
const CHUNK = 1600
/** More than a system holds for a client that takes nothing, and less than a server lets it be behind. */
const FLOOD = 12 * 1024 * 1024
const MARK = 'QZ'
const WATCHING = 10

function now(): bigint {
  return process.hrtime.bigint() / 1000n
}

async function ask(text: string): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => {})
  socket.write(text)
  await once(socket, 'readable')
  return socket
}

const listening = 'GET /live.mp3 HTTP/1.1\r\nHost: localhost\r\n\r\n'
const login = Buffer.from('source:hackme').toString('base64')
const publisher = await ask(
  `PUT /live.mp3 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic ${login}\r\nContent-Type: audio/mpeg\r\nExpect: 100-continue\r\n\r\n`,
)
publisher.resume()
if (stalled > 0) await stall()
setInterval(() => publisher.write((MARK + String(now()).padStart(16, '0')).padEnd(CHUNK, 'x')), EVERY_MS)

/** Lets the stalled come, and the server send them what they do not take. */
async function stall(): Promise<void> {
  publisher.write(Buffer.alloc(CHUNK))
  await many(stalled, (socket) => socket.pause())
  const piece = Buffer.alloc(64 * 1024)
  for (let sent = 0; sent < FLOOD; sent += piece.length) if (!publisher.write(piece)) await once(publisher, 'drain')
  await new Promise((resolve) => setTimeout(resolve, 1000))
}

const delays: number[] = []
let measuring = false

function watch(chunk: Buffer): void {
  const at = chunk.lastIndexOf(MARK)
  if (!measuring || at < 0 || at + 18 > chunk.length) return
  delays.push(Number(now() - BigInt(chunk.toString('latin1', at + 2, at + 18))) / 1000)
}

/** Opens connections, few at a time: there are servers that cannot take more. */
async function many(count: number, each: (socket: Socket) => void): Promise<void> {
  for (let i = 0; i < count; i += 64)
    for (const socket of await Promise.all(Array.from({ length: Math.min(64, count - i) }, () => ask(listening))))
      each(socket)
}

// One byte that is not read keeps the rest in the system.
await many(resting, (socket) => socket.pause())
await many(Math.max(0, reading - WATCHING), (socket) => socket.resume())
await many(Math.min(WATCHING, reading), (socket) => socket.on('data', watch))
process.stdout.write('ready\n')
await once(process.stdin, 'data')
measuring = true
await new Promise((resolve) => setTimeout(resolve, seconds * 1000))
delays.sort((a, b) => a - b)
process.stdout.write(
  `${JSON.stringify({ p50: delays[delays.length >> 1], p99: delays[Math.floor(delays.length * 0.99)] })}\n`,
)
process.exit(0)
