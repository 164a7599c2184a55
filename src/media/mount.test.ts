import assert from 'node:assert/strict'
import { test } from 'node:test'
import { defaultsOf } from '../schema/option.ts'
import { parseMount } from './mount.ts'
import { liveOptions, mountDefaults } from './options.ts'

const defaults = mountDefaults({ ...defaultsOf(liveOptions), ice: ['ice-Genre=Rock', 'bitrate=128'] })

test('a mount is a path, a source and words, and a comma that no word follows belongs to what is before it', () => {
  const plain = parseMount('/live.mp3', defaults)
  assert.deepEqual(
    [plain.path, plain.source, plain.hold, plain.station],
    ['live.mp3', '', false, { genre: 'Rock', br: '128' }],
  )
  const full = parseMount(
    '/a/b.mp3=exec:ffmpeg -af a=1,b=2 -,hold,loop=false,pace=128k,fallback=/c.mp3,max-listeners=10,name="My, radio",max-duration=2h,burst=1M',
    defaults,
  )
  assert.equal(full.source, 'exec:ffmpeg -af a=1,b=2 -')
  assert.deepEqual([full.hold, full.loop, full.pace, full.fallback], [true, false, 16_000, 'c.mp3'])
  assert.deepEqual([full.maxListeners, full.maxDuration, full.burst], [10, 7_200_000, 1 << 20])
  assert.deepEqual(full.station, { genre: 'Rock', br: '128', name: 'My, radio' })
  assert.equal(parseMount('/x="a,hold",open', defaults).source, 'a,hold')
  assert.equal(parseMount('/x="say ""hi""",pace', defaults).source, 'say "hi"')
})

test('what is no mount is refused with what would be one', () => {
  for (const text of [
    '',
    '/',
    '/a/../b',
    '/admin/x',
    '/x,hodl',
    '/x,hodl=1',
    '/x=y,pace=fast',
    '/x=y,hold=maybe',
    '/x=y,slow=wait',
  ])
    assert.throws(() => parseMount(text, defaults), { code: 'usage' }, text)
})
