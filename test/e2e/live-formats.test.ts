import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { Stream } from '../../src/media/stream.ts'
import { missing } from '../peers.ts'

/** What ffmpeg writes to its standard output. */
async function ffmpeg(args: readonly string[], input?: Uint8Array): Promise<{ out: Buffer; errors: string }> {
  const child = spawn('ffmpeg', ['-hide_banner', '-loglevel', 'error', ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const out: Buffer[] = []
  let errors = ''
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
  await once(child, 'close')
  return { out: Buffer.concat(out), errors }
}

const sound = ['-f', 'lavfi', '-i', 'sine=440:d=6']
const picture = ['-f', 'lavfi', '-i', 'testsrc=size=160x120:rate=25:d=6', ...sound, '-g', '25']
const x264 = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-c:a', 'aac']

/** A type, how ffmpeg makes it, and the seconds that are left for somebody who joins at the end with 64 KiB of burst, at least. */
const formats: readonly (readonly [name: string, type: string, format: string, ...args: string[]])[] = [
  ['MP3', 'audio/mpeg', 'mp3', ...sound, '-c:a', 'libmp3lame', '-b:a', '192k'],
  ['MP3 of 24 kHz', 'audio/mpeg', 'mp3', ...sound, '-c:a', 'libmp3lame', '-ar', '24000', '-b:a', '160k'],
  ['MP2', 'audio/mpeg', 'mp2', ...sound, '-c:a', 'mp2', '-b:a', '256k'],
  ['AAC', 'audio/aac', 'adts', ...sound, '-c:a', 'aac', '-b:a', '192k'],
  ['MPEG-TS', 'video/mp2t', 'mpegts', ...picture, ...x264],
  ['Ogg Vorbis', 'audio/ogg', 'ogg', ...sound, '-c:a', 'libvorbis', '-q', '9', '-page_duration', '200000'],
  ['Ogg Opus', 'audio/ogg', 'ogg', ...sound, '-c:a', 'libopus', '-b:a', '200k', '-page_duration', '200000'],
  [
    'WebM',
    'video/webm',
    'webm',
    ...picture,
    '-c:v',
    'libvpx',
    '-deadline',
    'realtime',
    '-c:a',
    'libopus',
    '-live',
    '1',
  ],
  [
    'fragmented MP4',
    'video/mp4',
    'mp4',
    ...picture,
    ...x264,
    '-movflags',
    '+empty_moov+default_base_moof+frag_keyframe',
  ],
  [
    'CMAF',
    'video/mp4',
    'mp4',
    ...picture,
    ...x264,
    '-movflags',
    '+cmaf+empty_moov+default_base_moof',
    '-frag_duration',
    '200000',
  ],
  ['FLV', 'video/x-flv', 'flv', ...picture, ...x264],
]

for (const [name, type, format, ...args] of formats)
  test(
    `a player can begin in the middle of ${name}, wherever the chunks are cut`,
    { skip: missing('ffmpeg') },
    async () => {
      const { out } = await ffmpeg([...args, '-flush_packets', '1', '-f', format, 'pipe:1'])
      assert.ok(out.length > 20_000, `${name} was made`)
      const stream = new Stream({ type, station: {}, window: 512 * 1024, aligned: false, now: 0 })
      const half = Math.floor(out.length * 0.6)
      for (let at = 0; at < half; at += 997) stream.write(out.subarray(at, Math.min(half, at + 997)))
      const start = stream.start(Math.floor(out.length / 8))
      assert.ok(start && start.at > 0, 'there is a place to begin with')
      // What it reads has other names for some of them.
      const demuxer = { mp2: 'mp3', adts: 'aac' }[format] ?? format
      const heard = Buffer.concat([start.init ?? Buffer.alloc(0), out.subarray(start.at)])
      const { out: pcm, errors } = await ffmpeg(
        ['-f', demuxer, '-i', 'pipe:0', '-map', '0:a', '-f', 's16le', '-ac', '1', '-ar', '8000', 'pipe:1'],
        heard,
      )
      assert.equal(
        errors.replace(/.*(?:Could not update timestamps|invalid dropping|Packet corrupt|corrupt).*\n?/gi, ''),
        '',
      )
      assert.ok(pcm.length / 16_000 > 2, `${pcm.length / 16_000} s are heard`)
      if (!args.includes('-c:v')) return
      const { out: frames } = await ffmpeg(
        ['-f', demuxer, '-i', 'pipe:0', '-map', '0:v', '-f', 'rawvideo', '-pix_fmt', 'gray', 'pipe:1'],
        heard,
      )
      assert.ok(frames.length / (160 * 120) >= 50, `${frames.length / (160 * 120)} pictures are seen`)
    },
  )

test('how long frames play is known, so that a file can be read as it plays', { skip: missing('ffmpeg') }, async () => {
  for (const [name, type, format, ...args] of formats.filter(([name]) => /MP3|AAC|TS|Ogg|FLV/.test(name))) {
    const { out } = await ffmpeg([...args, '-f', format, 'pipe:1'])
    const stream = new Stream({ type, station: {}, window: 512 * 1024, aligned: false, now: 0 })
    for (let at = 0; at < out.length; at += 997) stream.write(out.subarray(at, at + 997))
    assert.ok(Math.abs((stream.time ?? 0) - 6000) < 400, `${name}: ${stream.time} ms`)
  }
})

test('a stream whose inside is not known begins at its chunks, and with rubbish in a known one nothing breaks', () => {
  for (const type of [
    'application/octet-stream',
    'audio/mpeg',
    'video/mp2t',
    'audio/ogg',
    'video/webm',
    'video/mp4',
    'video/x-flv',
  ]) {
    const stream = new Stream({ type, station: {}, window: 1000, aligned: false, now: 0 })
    for (let i = 0; i < 50; i++)
      stream.write(Buffer.from(Array.from({ length: 97 }, (_, n) => (n * 31 * (i + 1)) % 251)))
    const start = stream.start(300)
    if (start) assert.ok(start.at >= stream.oldest && start.at <= stream.end, type)
  }
})
