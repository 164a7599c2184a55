import { nameOf } from '../base/path.ts'
import { type Manifest, pathOf, type Representation, segmentReader } from './manifest.ts'
import { Rendition, type Targets } from './rendition.ts'
import type { Track, Tracks } from './tracks.ts'

export interface PresentationParts {
  readonly tracks: Tracks
  /** Gives a playlist its next text. */
  readonly publish: (path: string, text: string) => void
  /** Takes a playlist away. */
  readonly retract: (path: string) => void
}

/**
 * Low-latency HLS made of one DASH presentation that is pushed as chunked CMAF: `/live/a.mpd` gives `/live/a.m3u8` and a
 * playlist for each representation, `/live/a.stream0.m3u8`. The media files are the same; nothing is packaged again.
 */
export class Presentation {
  readonly #path: string
  readonly #parts: PresentationParts
  readonly #renditions = new Map<string, Rendition>()
  readonly #targets: Targets = { segment: 1, part: 0 }

  /** `path` is that of the manifest. */
  constructor(path: string, parts: PresentationParts) {
    this.#path = path
    this.#parts = parts
  }

  /** The next version of the manifest. */
  update(manifest: Manifest): void {
    for (const representation of manifest.representations) {
      const { id } = representation
      const known = this.#renditions.get(id)
      if (!segmentReader(representation) || !hasSoundOrPicture(representation)) continue
      if (known) known.update(manifest, representation)
      else {
        const rendition = new Rendition(this.#name(id), this.#targets, manifest, representation)
        this.#renditions.set(id, rendition)
        for (const track of this.#parts.tracks.all()) rendition.take(track)
      }
    }
    for (const rendition of this.#renditions.values()) this.#publish(rendition)
    this.#publishAll()
  }

  /** News of a media file. */
  changed(track: Track): void {
    for (const rendition of this.#renditions.values()) if (rendition.take(track)) this.#publish(rendition)
    // What begins a rendition may come behind its manifest.
    if (track.init && track.pieces.length === 0)
      for (const rendition of this.#renditions.values()) {
        if (initOf(rendition) !== track.path) continue
        rendition.restart()
        this.#publish(rendition)
      }
  }

  /** A media file was removed. */
  dropped(path: string): void {
    for (const rendition of this.#renditions.values()) if (rendition.drop(path)) this.#publish(rendition)
  }

  /** The manifest was removed. */
  close(): void {
    this.#parts.retract(this.#stem('.m3u8'))
    for (const rendition of this.#renditions.values()) this.#parts.retract(rendition.path)
  }

  #stem(ending: string): string {
    return this.#path.replace(/\.mpd$/i, ending)
  }

  /** Names are in URLs, so that unusual identifiers are counted instead. */
  #name(id: string): string {
    const safe = /^[\w-]{1,64}$/.test(id) ? id : String(this.#renditions.size)
    return this.#stem(`.stream${safe}.m3u8`)
  }

  #publish(rendition: Rendition): void {
    const init = this.#init(rendition)
    if (!init) return
    const others = [...this.#renditions.values()].filter((other) => other !== rendition)
    const reports = others.flatMap((other) => {
      const track = this.#init(other)
      return (track && other.report(track)) ?? []
    })
    const text = rendition.text(init, reports)
    if (text !== undefined) this.#parts.publish(rendition.path, text)
  }

  #init(rendition: Rendition) {
    const path = initOf(rendition)
    return path === undefined ? undefined : this.#parts.tracks.get(path)?.init
  }

  /** The multivariant playlist: each video with the group of sounds. */
  #publishAll(): void {
    const renditions = [...this.#renditions.values()]
    const sounds = renditions.filter(({ representation }) => kindOf(representation) === 'audio')
    const pictures = renditions.filter(({ representation }) => kindOf(representation) === 'video')
    if (renditions.length === 0) return
    const variants = pictures.length > 0 ? pictures : sounds
    const group = pictures.length > 0 && sounds.length > 0
    const lines = ['#EXTM3U', '#EXT-X-VERSION:9', '#EXT-X-INDEPENDENT-SEGMENTS']
    if (group) for (const [i, sound] of sounds.entries()) lines.push(soundTag(sound, i))
    const loudest = group ? Math.max(...sounds.map(({ bandwidth }) => bandwidth)) : 0
    const codecs = group ? (sounds[0]?.representation.codecs ?? '') : ''
    for (const variant of variants) lines.push(variantTag(variant, { extra: loudest, codecs, group }), uriOf(variant))
    this.#parts.publish(this.#stem('.m3u8'), `${lines.join('\n')}\n`)
  }
}

function initOf({ representation }: Rendition): string | undefined {
  const { initialization } = representation
  return initialization === undefined ? undefined : pathOf(representation, initialization)
}

function uriOf({ path }: Rendition): string {
  return encodeURIComponent(nameOf(path))
}

function kindOf({ content, width, codecs }: Representation): string {
  if (content === 'video' || content === 'audio') return content
  if (width !== undefined) return 'video'
  return /^(?:mp4a|opus|ac-3|ec-3|fLaC)/.test(codecs ?? '') ? 'audio' : content
}

function hasSoundOrPicture(representation: Representation): boolean {
  return ['video', 'audio'].includes(kindOf(representation))
}

function soundTag(rendition: Rendition, index: number): string {
  const { language, channels, id } = rendition.representation
  const list = [
    'TYPE=AUDIO',
    'GROUP-ID="audio"',
    `NAME=${quoted(language ?? (id === '' ? String(index) : id))}`,
    ...(language === undefined ? [] : [`LANGUAGE=${quoted(language)}`]),
    `DEFAULT=${index === 0 ? 'YES' : 'NO'}`,
    'AUTOSELECT=YES',
    ...(channels === undefined ? [] : [`CHANNELS=${quoted(channels)}`]),
    `URI="${uriOf(rendition)}"`,
  ]
  return `#EXT-X-MEDIA:${list.join(',')}`
}

function variantTag(rendition: Rendition, sound: { extra: number; codecs: string; group: boolean }): string {
  const { codecs, width, height, frameRate } = rendition.representation
  const all = [codecs ?? '', sound.codecs].filter((codec) => codec !== '')
  const [frames = 0, base = 1] = (frameRate ?? '').split('/').map(Number)
  const list = [
    `BANDWIDTH=${rendition.bandwidth + sound.extra}`,
    // Half a list would be taken for all of it.
    ...(codecs !== undefined && (!sound.group || sound.codecs !== '') ? [`CODECS=${quoted(all.join(','))}`] : []),
    ...(width !== undefined && height !== undefined ? [`RESOLUTION=${width}x${height}`] : []),
    ...(frames > 0 && base > 0 ? [`FRAME-RATE=${(frames / base).toFixed(3)}`] : []),
    ...(sound.group ? ['AUDIO="audio"'] : []),
  ]
  return `#EXT-X-STREAM-INF:${list.join(',')}`
}

/** A value between quotes; what may not stand there is left out. */
function quoted(text: string): string {
  return `"${text.replace(/["\r\n]/g, '')}"`
}
