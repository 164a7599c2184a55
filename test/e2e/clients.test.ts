import assert from 'node:assert/strict'
import { readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { missing } from '../peers.ts'
import { files, run, scratch, serve } from '../program.ts'

test('curl resumes a download that broke off', { skip: missing('curl') }, async (t) => {
  const dir = scratch(t)
  const content = Buffer.alloc(3_000_000, 'sluice ')
  files(dir, { 'big.bin': content })
  const server = await serve(t, ['serve', 'http', dir])
  const target = join(scratch(t), 'big.bin')
  await run('curl', ['-s', '-o', target, `${server.url}big.bin`])
  truncateSync(target, 1_234_567)
  const { code } = await run('curl', ['-s', '-C', '-', '-o', target, `${server.url}big.bin`])
  assert.equal(code, 0)
  assert.ok(readFileSync(target).equals(content))
})

test(
  'ffmpeg seeks to the end of an mp4 without reading all of it',
  { skip: missing('ffmpeg', 'ffprobe') },
  async (t) => {
    const dir = scratch(t)
    const file = join(dir, 'v.mp4')
    const made = await run('ffmpeg', [
      '-v',
      'error',
      '-f',
      'lavfi',
      '-i',
      'testsrc2=d=20:s=320x240:r=10',
      '-c:v',
      'libx264',
      '-g',
      '10',
      '-b:v',
      '2M',
      '-minrate',
      '2M',
      '-bufsize',
      '1M',
      '-nal-hrd',
      'cbr',
      '-x264-params',
      'nal-hrd=cbr',
      file,
    ])
    assert.equal(made.code, 0, made.stderr)
    const server = await serve(t, ['serve', 'http', dir, '--access-log', '-', '--access-log-format', 'json'])
    const { code, stderr } = await run('ffmpeg', [
      '-v',
      'error',
      '-ss',
      '18',
      '-i',
      `${server.url}v.mp4`,
      '-frames:v',
      '1',
      '-f',
      'null',
      '-',
    ])
    assert.equal(code, 0, stderr)
    assert.ok(statSync(file).size > 1_000_000)
  },
)

test('wget mirrors a tree', { skip: missing('wget') }, async (t) => {
  const dir = scratch(t)
  const mirror = scratch(t)
  files(dir, { 'a.txt': 'a', 'sub/b c.txt': 'b' })
  const server = await serve(t, ['serve', 'http', dir])
  const { code, stderr } = await run('wget', ['-q', '-r', '-np', '-nH', '-e', 'robots=off', '-P', mirror, server.url])
  assert.equal(code, 0, stderr)
  assert.equal(readFileSync(join(mirror, 'sub', 'b c.txt'), 'utf8'), 'b')
})
