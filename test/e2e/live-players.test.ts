import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { chromium, type Page } from 'playwright-core'
import { find, missing } from '../peers.ts'
import { serve, type Server } from '../program.ts'
import { ffmpeg, ldash, type Publisher } from '../publisher.ts'
import { web } from '../web.ts'

const skip = missing('chromium', 'ffmpeg')
const modules = join(import.meta.dirname, '..', '..', 'node_modules')
const players: Readonly<Record<string, string>> = {
  '/hls.js': join(modules, 'hls.js', 'dist', 'hls.min.js'),
  '/dash.js': join(modules, 'dashjs', 'dist', 'modern', 'umd', 'dash.all.min.js'),
}

/** A page of another site that plays what the server has. */
async function player(t: TestContext, script: string): Promise<Page> {
  const site = await web(t, (request, response) => {
    const file = players[request.url ?? '']
    const type = file ? 'text/javascript' : 'text/html'
    const page = `<!doctype html><title>player</title><script src="${script}"></script><video muted></video>`
    response.writeHead(200, { 'content-type': type }).end(file ? readFileSync(file) : page)
  })
  const args = ['--no-sandbox', '--disable-gpu', '--autoplay-policy=no-user-gesture-required', '--mute-audio']
  const browser = await chromium.launch({ executablePath: find('chromium') ?? '', args })
  t.after(() => browser.close())
  const page = await browser.newPage()
  await page.goto(site)
  return page
}

/** What a player had to say after some seconds. */
interface Seen {
  /** Seconds behind the encoder, once in each second. */
  readonly latency: readonly number[]
  readonly stalls: number
  readonly errors: readonly string[]
  readonly played: number
}

/** Watches the video of a page for `seconds`, from when it plays; `latency` is what the player says. */
const watching = `async function watch(video, seconds, latency) {
  const seen = { latency: [], stalls: 0, errors: window.failures ?? [], played: 0 }
  await new Promise((resolve, reject) => {
    video.addEventListener('timeupdate', () => video.currentTime > 0 && !video.paused && resolve(), { once: false })
    setTimeout(() => reject(new Error('does not play: ' + JSON.stringify(window.failures))), 15000)
  })
  const from = video.currentTime
  video.addEventListener('waiting', () => seen.stalls++)
  for (let i = 0; i < seconds; i++) {
    await new Promise((resolve) => setTimeout(resolve, 1000))
    seen.latency.push(latency())
  }
  seen.played = video.currentTime - from
  return seen
}`

/** Seconds of one segment. A player that knows nothing of parts stays three of them behind. */
const segment = 2

async function origin(t: TestContext): Promise<{ server: Server; push: Publisher }> {
  const server = await serve(t, [
    'serve',
    'http',
    '--live-dir',
    '/live=memory',
    '--max-cache-segs',
    '0',
    '--cors',
    'auto',
  ])
  const push = ffmpeg(t, 40, ldash(`${server.url}live/a.mpd`, `${server.url}.utc`, segment))
  // Two segments are enough to begin with.
  for (const end = performance.now() + 20_000; performance.now() < end;)
    if ((await fetch(`${server.url}live/chunk-stream0-00002.m4s`)).ok) return { server, push }
  return assert.fail('ffmpeg sends nothing')
}

/** The bounds tell low latency from segments that are waited for; how near it comes is for the bench, on a quiet machine. */
function judge(t: TestContext, { latency, stalls, errors, played }: Seen): void {
  t.diagnostic(
    `behind by ${latency.map((s) => s.toFixed(2)).join(' ')} s, ${stalls} stalls, ${played.toFixed(1)} s played`,
  )
  assert.deepEqual(errors, [])
  assert.ok(played > 7, `played ${played}`)
  assert.ok(stalls <= 3, `${stalls} stalls`)
  const settled = latency.slice(-4)
  assert.ok(Math.min(...settled) < 2.5 * segment, `behind by ${settled.join(' ')}`)
}

test('hls.js plays the HLS that is made of a DASH push, close behind the encoder', { skip }, async (t) => {
  const { server } = await origin(t)
  const page = await player(t, '/hls.js')
  const seen = await page.evaluate<Seen>(`(async () => {
    ${watching}
    const video = document.querySelector('video')
    const hls = new Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.5, liveSyncOnStallIncrease: 0 })
    window.failures = []
    hls.on(Hls.Events.ERROR, (_, data) => window.failures.push(data.details))
    hls.loadSource('${server.url}live/a.m3u8')
    hls.attachMedia(video)
    video.play()
    return await watch(video, 10, () => hls.latency)
  })()`)
  judge(t, seen)
})

test('dash.js plays a low-latency DASH push, close behind the encoder', { skip }, async (t) => {
  const { server } = await origin(t)
  const page = await player(t, '/dash.js')
  const seen = await page.evaluate<Seen>(`(async () => {
    ${watching}
    const video = document.querySelector('video')
    const player = dashjs.MediaPlayer().create()
    window.failures = []
    player.on('error', ({ error }) => window.failures.push(error.code + ' ' + error.message))
    player.updateSettings({ streaming: { delay: { liveDelay: 1.5 }, liveCatchup: { enabled: true } } })
    player.initialize(video, '${server.url}live/a.mpd', true)
    return await watch(video, 10, () => player.getCurrentLiveLatency())
  })()`)
  judge(t, seen)
})

test('hls.js goes on when the encoder begins again', { skip }, async (t) => {
  const { server, push } = await origin(t)
  const page = await player(t, '/hls.js')
  const before = await page.evaluate<Seen>(`(async () => {
    ${watching}
    const video = document.querySelector('video')
    const hls = (window.hls = new Hls({ lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.5, liveSyncOnStallIncrease: 0 }))
    window.failures = []
    hls.on(Hls.Events.ERROR, (_, data) => data.fatal && window.failures.push(data.details))
    hls.loadSource('${server.url}live/a.m3u8')
    hls.attachMedia(video)
    video.play()
    return await watch(video, 3, () => hls.latency)
  })()`)
  assert.ok(before.played > 2)
  await push.stop('SIGKILL')
  ffmpeg(t, 30, ldash(`${server.url}live/a.mpd`, `${server.url}.utc`, segment))
  const after = await page.evaluate<{ from: number; to: number; failures: string[]; latency: number }>(`(async () => {
    const video = document.querySelector('video')
    const from = video.currentTime
    await new Promise((resolve) => setTimeout(resolve, 10000))
    return { from, to: video.currentTime, failures: window.failures, latency: window.hls.latency }
  })()`)
  t.diagnostic(`${(after.to - after.from).toFixed(1)} s played in 10 s, behind by ${after.latency.toFixed(1)} s`)
  assert.deepEqual(after.failures, [])
  assert.ok(after.to - after.from > 4)
})
