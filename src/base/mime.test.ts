import { test } from 'node:test'
import assert from 'node:assert/strict'
import { essence, isCompressible, lacksExtension, octetStream, typeByName, usefulType } from './mime.ts'
import { sniff } from './sniff.ts'

test('types follow the extension, text carries its charset', () => {
  const expected: Record<string, string | undefined> = {
    'a.txt': 'text/plain; charset=utf-8',
    'A.HTML': 'text/html; charset=utf-8',
    'a.json': 'application/json',
    'a.tar.gz': 'application/gzip',
    'x.m3u8': 'application/vnd.apple.mpegurl',
    'x.mpd': 'application/dash+xml',
    'x.m4s': 'video/mp4',
    'x.cmfv': 'video/mp4',
    'x.cmfa': 'audio/mp4',
    'x.ts': 'video/mp2t',
    'x.flac': 'audio/flac',
    'x.mp3': 'audio/mpeg',
    'x.opus': 'audio/ogg',
    'x.wav': 'audio/x-wav',
    'x.dv': 'video/dv',
    'x.fli': 'video/fli',
    'x.mkv': 'video/x-matroska',
    'x.srt': 'application/x-subrip',
    'x.go': 'text/plain; charset=utf-8',
    'x.svg': 'image/svg+xml',
    'we<ird>&"name#1?.txt': 'text/plain; charset=utf-8',
    'x.unheard-of': undefined,
    noext: undefined,
    '': undefined,
  }
  for (const [name, type] of Object.entries(expected)) assert.equal(typeByName(name), type, name)
})

test('only a name without any extension is sniffed', () => {
  assert.deepEqual(['README', '.profile', 'a.bin', 'a.'].map(lacksExtension), [true, true, false, false])
})

test('text, JSON and XML are worth compressing, event streams and pictures are not', () => {
  for (const type of [
    'text/plain; charset=utf-8',
    'Application/JSON',
    'image/svg+xml',
    'application/ld+json',
    'application/dash+xml',
  ])
    assert.ok(isCompressible(type), type)
  for (const type of ['image/png', 'text/event-stream', 'video/mp4', octetStream])
    assert.ok(!isCompressible(type), type)
})

test('a type from the storage is used when it is well formed and says something', () => {
  assert.equal(usefulType('text/html; charset=latin1'), 'text/html; charset=latin1')
  for (const type of [undefined, '', 'binary/octet-stream', octetStream, 'a/b\r\nX: y', 'nonsense'])
    assert.equal(usefulType(type), undefined)
  assert.equal(essence('Text/HTML ; charset=x'), 'text/html')
})

test('the first bytes tell well-known formats from text and from bytes', () => {
  const expected: [string, string][] = [
    ['noext content', 'text/plain; charset=utf-8'],
    ['', 'text/plain; charset=utf-8'],
    ['  <!DOCTYPE HTML><p>', 'text/html; charset=utf-8'],
    ['<html>', 'text/html; charset=utf-8'],
    ['<htmlx', 'text/plain; charset=utf-8'],
    ['\n<?xml version="1.0"?>', 'text/xml; charset=utf-8'],
    ['%PDF-1.7', 'application/pdf'],
    ['\x89PNG\r\n\x1a\n....', 'image/png'],
    ['GIF89a', 'image/gif'],
    ['RIFFxxxxWEBPVP8 ', 'image/webp'],
    ['RIFFxxxxWAVEfmt ', 'audio/wave'],
    ['\0\0\0\x18ftypmp42', 'video/mp4'],
    ['\x1f\x8b\x08', 'application/gzip'],
    ['PK\x03\x04', 'application/zip'],
    ['a\0b', octetStream],
    ['\x01', octetStream],
  ]
  for (const [head, type] of expected) assert.equal(sniff(Buffer.from(head, 'latin1')), type, JSON.stringify(head))
  assert.equal(sniff(Buffer.from('ünïcode ✓')), 'text/plain; charset=utf-8')
})
