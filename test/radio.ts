import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Raw } from '../src/http/testing-sockets.ts'
import { run, scratch, serve, type Server } from './program.ts'

/** A server with live mounts, over an empty folder. */
export function radio(t: TestContext, ...args: readonly string[]): Promise<Server> {
  return serve(t, ['serve', 'http', scratch(t), ...args])
}

/** A publisher that speaks byte by byte; `data` sends a chunk. */
export async function publish(server: Server, path: string, ...headers: readonly string[]) {
  const raw = new Raw(server.port)
  raw.send([`PUT ${path} HTTP/1.1`, 'Host: x', 'Transfer-Encoding: chunked', ...headers, '', ''].join('\r\n'))
  await raw.until((text) => text.includes('100 Continue'))
  return {
    raw,
    data: (text: string) => raw.send(`${text.length.toString(16)}\r\n${text}\r\n`),
    end: () => raw.send('0\r\n\r\n').until((text) => / 200 OK/.test(text)),
  }
}

/** A listener; `until` waits for what it has heard to fit. */
export async function listen(server: Server, path: string, ...headers: readonly string[]) {
  const raw = new Raw(server.port).send([`GET ${path} HTTP/1.1`, 'Host: x', ...headers, '', ''].join('\r\n'))
  await raw.until((text) => text.includes('\r\n\r\n'))
  const body = () => unchunked(raw.text.slice(raw.text.indexOf('\r\n\r\n') + 4))
  return {
    raw,
    head: raw.text.slice(0, raw.text.indexOf('\r\n\r\n')).toLowerCase(),
    body: () => body().text,
    heard: (text: string) => raw.until(() => body().text.includes(text)),
    /** True when the body had its end. */
    ended: async () => {
      await raw.end()
      return body().complete
    },
  }
}

function unchunked(coded: string): { text: string; complete: boolean } {
  let text = ''
  for (let at = 0; ;) {
    const line = coded.indexOf('\r\n', at)
    if (line < 0) return { text, complete: false }
    const size = Number.parseInt(coded.slice(at, line), 16)
    if (size === 0) return { text, complete: true }
    text += coded.slice(line + 2, line + 2 + size)
    at = line + 4 + size
  }
}

/** A sound of some seconds, by ffmpeg. */
export async function sound(t: TestContext, name: string, ...args: readonly string[]): Promise<string> {
  const file = join(scratch(t), name)
  const generator = ['-hide_banner', '-loglevel', 'error', '-f', 'lavfi', '-i', 'sine=440:d=4']
  const { code, stderr } = await run('ffmpeg', [...generator, ...args, file])
  assert.equal(code, 0, stderr)
  return file
}

/** MP3 of 320 kbit/s and nothing but frames. */
export async function frames(t: TestContext): Promise<Buffer> {
  return readFileSync(await sound(t, 'x.mp3', '-b:a', '320k', '-write_xing', '0', '-id3v2_version', '0'))
}

/** How many of them do not begin where the one before ends: each is 1044 or 1045 bytes long. */
export function brokenFrames(body: Buffer): number {
  let odd = 0
  for (let at = 0; at + 4 < body.length;) {
    if (body[at] !== 0xff || ((body[at + 1] as number) & 0xe0) !== 0xe0) odd++
    at += Math.floor((144 * 320_000) / 44_100) + (((body[at + 2] as number) >> 1) & 1)
  }
  return odd
}

/** Publishes a sound again and again in real time, by ffmpeg, until the test ends; `to` says how and where. */
export function looped(t: TestContext, file: string, to: readonly string[]): ChildProcess {
  const quietly = ['-loglevel', 'quiet', '-re', '-stream_loop', '-1', '-i', file, '-c', 'copy', '-f', 'mp3']
  const ffmpeg = spawn('ffmpeg', [...quietly, ...to])
  t.after(() => ffmpeg.kill('SIGKILL'))
  return ffmpeg
}
