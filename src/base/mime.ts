import { Mime } from 'mime/lite'
import { lazy } from './lazy.ts'
import otherTypes from 'mime/types/other.js'
import standardTypes from 'mime/types/standard.js'

/** The type of bytes of which nothing is known. */
export const octetStream = 'application/octet-stream'

/** Names that players, browsers and rclone's clients expect, where the library says otherwise or nothing. */
const overrides = {
  'application/x-subrip': ['srt'],
  'application/vnd.apple.mpegurl': ['m3u8'],
  'application/dash+xml': ['mpd'],
  'audio/flac': ['flac'],
  'audio/mp4': ['cmfa', 'm4a', 'mp4a'],
  'audio/mpeg': ['mpga', 'mpega', 'mp2', 'mp3', 'm2a', 'm3a'],
  'audio/ogg': ['oga', 'ogg', 'opus', 'spx'],
  'audio/x-wav': ['wav'],
  'audio/aac': ['aac', 'adts'],
  'audio/ac3': ['ac3'],
  'image/x-icon': ['ico'],
  'text/javascript': ['js', 'mjs', 'cjs'],
  'text/markdown': ['md', 'markdown'],
  'text/vtt': ['vtt'],
  'video/dv': ['dif', 'dv'],
  'video/fli': ['fli'],
  'video/mp2t': ['ts', 'mts', 'm2ts'],
  'video/mp4': ['mp4', 'mp4v', 'mpg4', 'm4s', 'cmfv', 'cmft', 'm4v'],
  'video/mpeg': ['mpeg', 'mpg', 'mpe', 'm1v', 'm2v'],
  'video/x-matroska': ['mkv', 'mpv'],
}
/** Sources and notes that people like to read in the browser instead of downloading. */
const readable =
  'bash bat bib c cc cfg cmake conf cpp cs cue d dart diff env erl ex fish ' +
  'gitignore go gradle graphql groovy h hpp hs ini java jl kt lock log lua mk nfo nix patch php pl pls pod ' +
  'profile properties proto ps1 py r rb rs rst scala service sh sql swift tcl tex tf toml tsx txt vb vue zig zsh'

const types = lazy(() =>
  new Mime(standardTypes, otherTypes).define(overrides, true).define({ 'text/plain': readable.split(' ') }, true),
)

/**
 * The media type that belongs to a file name's extension, with `charset=utf-8` for text; undefined when the name has no
 * extension or an unknown one. `name` is the last segment of a path.
 */
export function typeByName(name: string): string | undefined {
  const dot = name.lastIndexOf('.')
  if (dot < 0) return undefined
  const type = types().getType(name.slice(dot))
  return type === null ? undefined : withCharset(type)
}

/** True when the name says nothing about its type at all (`README`, `.profile`): then the content may be looked at. */
export function lacksExtension(name: string): boolean {
  return name.lastIndexOf('.') <= 0
}

function withCharset(type: string): string {
  return type.startsWith('text/') ? `${type}; charset=utf-8` : type
}

/** The essence of a Content-Type: lower case, without parameters. */
export function essence(type: string): string {
  const semicolon = type.indexOf(';')
  return (semicolon < 0 ? type : type.slice(0, semicolon)).trim().toLowerCase()
}

const textual = new Set([
  'application/atom+xml',
  'application/dash+xml',
  'application/javascript',
  'application/json',
  'application/rss+xml',
  'application/vnd.apple.mpegurl',
  'application/wasm',
  'application/x-javascript',
  'application/x-subrip',
  'application/xml',
  'image/svg+xml',
  'image/bmp',
  'font/ttf',
  'font/otf',
])

/** True for types whose bytes get much smaller when compressed. An event stream is left alone: each event must leave at once. */
export function isCompressible(contentType: string): boolean {
  const type = essence(contentType)
  if (type.startsWith('text/')) return type !== 'text/event-stream'
  return textual.has(type) || type.endsWith('+json') || type.endsWith('+xml')
}

/** A type that a storage reported, when it may stand in a header and says more than "bytes"; else undefined. */
export function usefulType(type: string | undefined): string | undefined {
  if (type === undefined || !/^[\w!#$&^.+-]+\/[\w!#$&^.+-]+(?:\s*;[\x20-\x7e]*)?$/.test(type)) return undefined
  const bare = essence(type)
  return bare === octetStream || bare === 'binary/octet-stream' ? undefined : type
}

/** Lists of what there is, which are of use only whole: readers keep the version before until the next one is complete. */
const manifest = /\.(?:mpd|m3u8|m3u|ism|ismc|isml|json|xml)$/i

/** True for a file whose readers are never shown a part of the next version. */
export function isManifest(path: string): boolean {
  return manifest.test(path)
}

/** True for the playlists and manifests that live packagers send again and again. */
export function isPlaylist(path: string): boolean {
  return /\.(?:mpd|m3u8|m3u)$/i.test(path)
}
