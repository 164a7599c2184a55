import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { type TestContext, test } from 'node:test'
import { chromium } from 'playwright-core'
import type { Range } from '../../src/base/range.ts'
import { Runs } from '../../src/base/runs.ts'
import { AppError } from '../../src/base/error.ts'
import { serve } from '../../src/index.ts'
import { defineBackend } from '../../src/remote/backend.ts'
import type { FileEntry, Remote } from '../../src/remote/remote.ts'
import { defineOptions } from '../../src/schema/option.ts'
import { find, missing } from '../peers.ts'
import { scratch } from '../program.ts'
import { web } from '../web.ts'

const PIECE = 16 * 1024

/** A minute of moving pictures, larger than what a browser reads ahead. */
function film(t: TestContext): Buffer {
  const path = join(scratch(t), 'film.mp4')
  const source = ['-f', 'lavfi', '-i', 'testsrc2=size=640x360:rate=10:duration=60,noise=alls=40:allf=t']
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-g', '20', '-b:v', '3M', '-movflags', '+faststart']
  execFileSync(find('ffmpeg') ?? '', ['-v', 'error', ...source, ...codec, path])
  return readFileSync(path)
}

/** A storage far away with one film: nothing of it comes at once, and what is pulled out of it is noted. */
function farAway(bytes: Buffer, pulled: Range[]) {
  const file: FileEntry = { kind: 'file', path: 'film.mp4', size: bytes.length, modTime: 10n ** 18n }
  async function* read({ start, end }: Range): AsyncGenerator<Uint8Array> {
    await sleep(50)
    for (let at = start; at < Math.min(end, bytes.length); at += PIECE) {
      const piece = bytes.subarray(at, Math.min(at + PIECE, end))
      pulled.push({ start: at, end: at + piece.length })
      yield piece
      await sleep(1)
    }
  }
  const refuse = () => Promise.reject(new AppError('unsupported', 'only to be read'))
  const remote: Remote = {
    info: { name: ':far', type: 'far', root: '', description: 'far away', hashes: [], precision: 1, traits: {} },
    async *list() {
      yield file
    },
    stat: async (_ctx, path) =>
      path === '' ? { kind: 'directory', path, modTime: 0n } : path === file.path ? file : undefined,
    open: async (_ctx, _file, range = { start: 0, end: Infinity }) => read(range),
    put: refuse,
    remove: refuse,
    mkdir: refuse,
    rmdir: refuse,
  }
  return defineBackend({
    name: 'far',
    description: 'far away',
    options: defineOptions('far', {}),
    open: async () => remote,
  })
}

test('a video that Chromium seeks in is fetched once', { skip: missing('chromium', 'ffmpeg') }, async (t) => {
  const bytes = film(t)
  const pulled: Range[] = []
  const server = await serve(':far:', {
    http: { addr: ['127.0.0.1:0'] },
    main: { cacheDir: scratch(t), bufferSize: 1024 * 1024 },
    vfs: { cacheMode: 'full' },
    backends: [farAway(bytes, pulled)],
  })
  const args = ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required', '--mute-audio']
  const browser = await chromium.launch({ executablePath: find('chromium') ?? '', args })
  t.after(() => browser.close())
  const page = await browser.newPage()
  const [url = ''] = server.urls
  // A page of another site: those of the server load nothing.
  await page.goto(
    await web(t, (_request, response) => response.setHeader('content-type', 'text/html').end('<video muted>')),
  )
  const seen = await page.evaluate(`(async () => {
    const video = document.querySelector('video')
    video.src = '${url}film.mp4'
    const at = []
    for (const time of [0.5, 40, 10, 55, 41, 20, 0, 50, 30]) {
      video.currentTime = time
      await new Promise((resolve, reject) => {
        video.onseeked = resolve
        video.onerror = () => reject(new Error(video.error.message))
      })
      await video.play()
      at.push(Math.round(video.currentTime))
      video.pause()
    }
    return at
  })()`)
  assert.deepEqual(seen, [1, 40, 10, 55, 41, 20, 0, 50, 30])
  const whole = await fetch(`${url}film.mp4`)
  assert.ok(Buffer.from(await whole.arrayBuffer()).equals(bytes))
  const runs = new Runs()
  for (const range of pulled) runs.add(range)
  assert.equal(runs.size, bytes.length)
  const total = pulled.reduce((sum, { start, end }) => sum + end - start, 0)
  // The last piece of a download may end behind the place where another one had begun.
  assert.ok(total - bytes.length < 12 * PIECE, `${total} bytes were fetched for ${bytes.length}`)
  await server.close()
})
