import { essence } from '../base/mime.ts'
import { Flv } from './flv.ts'
import type { Frames } from './frames.ts'
import { Matroska } from './matroska.ts'
import { Mp4 } from './mp4.ts'
import { MpegAudio } from './mpeg-audio.ts'
import { MpegTs } from './mpeg-ts.ts'
import { Ogg } from './ogg.ts'

const formats: readonly (readonly [new () => Frames, ...string[]])[] = [
  [MpegAudio, 'audio/mpeg', 'audio/mp3', 'audio/mpeg3', 'audio/x-mpeg', 'audio/aac', 'audio/aacp', 'audio/x-aac'],
  [MpegTs, 'video/mp2t', 'video/mpegts'],
  [Ogg, 'application/ogg', 'audio/ogg', 'video/ogg', 'audio/opus', 'audio/vorbis'],
  [Matroska, 'video/webm', 'audio/webm', 'video/x-matroska', 'audio/x-matroska', 'video/matroska', 'audio/matroska'],
  [Mp4, 'video/mp4', 'audio/mp4', 'video/iso.segment'],
  [Flv, 'video/x-flv', 'video/flv'],
]

/** What knows where streams of a media type can be entered; undefined for a type whose inside is not known. */
export function framesOf(type: string): Frames | undefined {
  const bare = essence(type)
  const found = formats.find(([, ...types]) => types.includes(bare))
  return found ? new found[0]() : undefined
}

/** True for types whose players may be given titles between the bytes: the others would take them for damage. */
export function bearsTitles(type: string): boolean {
  return /^audio\/(?:mpeg|mp3|mpeg3|x-mpeg|aac|aacp|x-aac|flac|x-scpls)$/.test(essence(type))
}
