import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { openUpload } from '../open-upload.ts'
import { missing } from '../peers.ts'
import { run, scratch, serve, type Server } from '../program.ts'

const skip = missing('ffmpeg', 'ffprobe')
const picture = ['-f', 'lavfi', '-i', 'testsrc2=size=160x90:rate=25']
const tone = ['-f', 'lavfi', '-i', 'sine=frequency=440']
const coding = '-c:v libx264 -preset ultrafast -g 50 -keyint_min 50 -sc_threshold 0 -c:a aac -t 5'.split(' ')

async function ffmpeg(...args: readonly string[]): Promise<void> {
  const { code, stderr } = await run('ffmpeg', ['-v', 'error', ...args])
  assert.equal(code, 0, stderr)
}

/** A stream of CMAF with one track: its header, and its fragments of 0.4 seconds. */
async function cmaf(t: TestContext): Promise<{ head: Buffer; fragments: readonly Buffer[] }> {
  const file = join(scratch(t), 'v.mp4')
  const flags = '+cmaf+empty_moov+default_base_moof+skip_trailer'
  await ffmpeg(...picture, ...coding, '-f', 'mp4', '-movflags', flags, '-frag_duration', '400000', file)
  const pieces = readFileSync(file, 'latin1').split(/(?=[^]{4}moof)/)
  const [head = Buffer.alloc(0), ...fragments] = pieces.map((piece) => Buffer.from(piece, 'latin1'))
  return { head, fragments }
}

/** How many packets of each kind ffprobe reads from a URL. */
async function packets(url: string): Promise<Record<string, number>> {
  const args = '-v error -count_packets -show_entries stream=codec_type,nb_read_packets -of csv=p=0'.split(' ')
  const { stdout } = await run('ffprobe', [...args, url])
  return Object.fromEntries(
    [...stdout.matchAll(/(video|audio),(\d+)/g)].map(([, kind, count]) => [kind, Number(count)]),
  )
}

const text = async (server: Server, name: string) => await (await fetch(server.url + name)).text()

async function there(server: Server, name: string): Promise<void> {
  for (const end = performance.now() + 20_000; performance.now() < end;)
    if ((await fetch(server.url + name, { method: 'HEAD' })).ok) return
  assert.fail(`${name} never came`)
}

test('one long request of Smooth Streaming becomes segments, a manifest and playlists', { skip }, async (t) => {
  const dir = scratch(t)
  const server = await serve(t, ['serve', 'http', dir, '--write', dir])
  await ffmpeg(...picture, ...tone, ...coding, '-ac', '6', '-f', 'ismv', `${server.url}one/Streams(all)`)
  const live = ['-f', 'mp4', '-movflags', 'isml+frag_keyframe']
  await ffmpeg(...picture, ...tone, ...coding, ...live, `${server.url}two/Switching(v)/Streams(all.isml)`)
  // The sample entries say two channels of all.
  for (const [name, channels] of [
    ['one', 6],
    ['two', 1],
  ]) {
    assert.match(await text(server, `${name}/index.mpd`), new RegExp(`configuration:2011" value="${channels}"`))
    assert.match(await text(server, `${name}/index.m3u8`), new RegExp(`CHANNELS="${channels}"`))
    assert.match(await text(server, `${name}/index.mpd`), /type="static"[^]*codecs="avc1\.[^]*codecs="mp4a\.40\.2"/)
    for (const kind of ['mpd', 'm3u8']) {
      const { video = 0, audio = 0 } = await packets(`${server.url}${name}/index.${kind}`)
      // The header of the second kind has the first pictures in it.
      assert.ok(video >= 75 && audio >= 120, `${name} ${kind}: ${video} ${audio}`)
    }
  }
})

test(
  'CMAF that is sent without an end can be followed, and goes on when its encoder begins again',
  { skip },
  async (t) => {
    const { head, fragments } = await cmaf(t)
    const server = await serve(t, ['serve', 'http', '--live-dir', '/live=memory'])
    const one = await openUpload(server, 'live/ch1/Streams(video.cmfv)')
    const two = await openUpload(server, 'live/ch1/Streams(video.cmfv)')
    for (const sender of [one, two]) await sender.write(head)
    for (const fragment of fragments.slice(0, 8)) await one.write(fragment)
    await there(server, 'live/ch1/index.streamvideo.m3u8')
    const list = await text(server, 'live/ch1/index.streamvideo.m3u8?_HLS_msn=2&_HLS_part=2')
    const parts = list.match(/^#EXT-X-PART:.*URI="video\/2\.m4s".*/gm)
    assert.deepEqual([parts?.length, parts?.[0]?.includes('INDEPENDENT=YES')], [3, true])
    assert.equal((await fetch(`${server.url}live/ch1/video/2.m4s`)).headers.get('content-length'), null)
    // What another encoder sends once more is not taken again, and what it alone sends is.
    for (const fragment of fragments.slice(0, 11)) await two.write(fragment)
    assert.deepEqual([await one.end(), await two.end()], [200, 200])
    const lengths = async () =>
      [...(await text(server, 'live/ch1/index.mpd')).matchAll(/ d="(\d+)"/g)].map(([, d]) => Number(d) / 12800)
    assert.deepEqual(await lengths(), [2, 2, 0.4])
    const again = await openUpload(server, 'live/ch1/Streams(video.cmfv)')
    for (const piece of [head, ...fragments.slice(0, 6)]) await again.write(piece)
    assert.equal(await again.end(), 200)
    assert.deepEqual(await lengths(), [2, 2, 0.4, 2, 0.4])
    assert.match(await text(server, 'live/ch1/index.mpd'), /type="dynamic"/)
  },
)

test('an encoder is told when its stream cannot be taken', { skip }, async (t) => {
  const { head, fragments } = await cmaf(t)
  const server = await serve(t, ['serve', 'http', '--live-dir', '/live=memory'])
  const post = async (body: Buffer, path = 'live/a/Streams(v)') =>
    (await fetch(server.url + path, { method: 'POST', body: new Uint8Array(body) })).status
  assert.equal(await post(Buffer.alloc(0)), 200)
  assert.equal(await post(fragments[0] ?? head), 412)
  assert.equal(await post(Buffer.from('no box of anything')), 415)
  assert.equal(await post(Buffer.concat([head, ...fragments]), 'elsewhere/Streams(v)'), 405)
  assert.equal((await fetch(`${server.url}live/a/index.mpd`)).status, 404)
})
