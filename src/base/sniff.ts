import { octetStream } from './mime.ts'

/** How many leading bytes `sniff` looks at. */
export const sniffLength = 512

const magic: readonly (readonly [type: string, prefix: string, at?: number])[] = [
  ['application/pdf', '%PDF-'],
  ['application/postscript', '%!PS-Adobe-'],
  ['text/plain; charset=utf-16be', '\xfe\xff'],
  ['text/plain; charset=utf-16le', '\xff\xfe'],
  ['text/plain; charset=utf-8', '\xef\xbb\xbf'],
  ['image/x-icon', '\0\0\x01\0'],
  ['image/bmp', 'BM'],
  ['image/gif', 'GIF87a'],
  ['image/gif', 'GIF89a'],
  ['image/webp', 'WEBPVP', 8],
  ['image/png', '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', '\xff\xd8\xff'],
  ['audio/aiff', 'AIFF', 8],
  ['audio/mpeg', 'ID3'],
  ['application/ogg', 'OggS\0'],
  ['audio/midi', 'MThd\0\0\0\x06'],
  ['video/avi', 'AVI ', 8],
  ['audio/wave', 'WAVE', 8],
  ['audio/flac', 'fLaC'],
  ['video/webm', '\x1a\x45\xdf\xa3'],
  ['font/ttf', '\0\x01\0\0'],
  ['font/otf', 'OTTO'],
  ['font/collection', 'ttcf'],
  ['font/woff', 'wOFF'],
  ['font/woff2', 'wOF2'],
  ['application/gzip', '\x1f\x8b\x08'],
  ['application/zip', 'PK\x03\x04'],
  ['application/x-rar-compressed', 'Rar!\x1a\x07'],
  ['application/zstd', '\x28\xb5\x2f\xfd'],
  ['application/x-xz', '\xfd7zXZ\0'],
  ['application/x-7z-compressed', '7z\xbc\xaf\x27\x1c'],
  ['application/x-bzip2', 'BZh'],
  ['application/wasm', '\0asm'],
  ['application/vnd.sqlite3', 'SQLite format 3\0'],
]
const tags =
  '<!doctype html|<html|<head|<script|<iframe|<h1|<div|<font|<table|<a|<style|<title|<b|<body|<br|<p|<!--'.split('|')

/**
 * The media type that the first bytes of a file suggest (WHATWG MIME sniffing, without the scriptable guesses it makes for
 * feeds): markup, well-known signatures, else text when no byte is binary, else `application/octet-stream`.
 */
export function sniff(bytes: Uint8Array): string {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, sniffLength)).toString('latin1')
  const text = head.trimStart().toLowerCase()
  if (tags.some((tag) => startsWithTag(text, tag))) return 'text/html; charset=utf-8'
  if (text.startsWith('<?xml')) return 'text/xml; charset=utf-8'
  for (const [type, prefix, at = 0] of magic)
    if (head.startsWith(prefix, at) && (at === 0 || isContainer(head))) return type
  if (head.startsWith('ftyp', 4)) return 'video/mp4'
  return isText(bytes.subarray(0, sniffLength)) ? 'text/plain; charset=utf-8' : octetStream
}

function startsWithTag(text: string, tag: string): boolean {
  if (!text.startsWith(tag)) return false
  const next = text[tag.length]
  return tag === '<!--' || next === ' ' || next === '>'
}

function isContainer(head: string): boolean {
  return head.startsWith('RIFF') || head.startsWith('FORM')
}

/** No control byte other than tab, line feed, form feed, carriage return and escape. */
function isText(bytes: Uint8Array): boolean {
  return bytes.every((b) => b >= 0x20 || b === 0x09 || b === 0x0a || b === 0x0c || b === 0x0d || b === 0x1b)
}
