/** What a mount says of itself: names without prefix (`name`, `genre`, `audio-info`) and their texts. */
export type Station = Readonly<Record<string, string>>

/** Names that listeners are told under `icy-`, as the first servers of this kind did; all others under `ice-`. */
const icy = new Set([
  'name',
  'genre',
  'url',
  'description',
  'br',
  'pub',
  'logo',
  'country-code',
  'language-codes',
  'index-metadata',
])
/** What publishers call it, and what listeners do. */
const renamed: Readonly<Record<string, string>> = { bitrate: 'br', public: 'pub' }

/** What the headers of a publisher tell (`Ice-Name`, `icy-br` ...). */
export function stationOf(header: (name: string) => string | undefined): Station {
  const found: Record<string, string> = {}
  for (const name of [...icy, 'bitrate', 'public', 'audio-info', 'video-info', 'samplerate', 'channels', 'quality']) {
    const value = header(`ice-${name}`) ?? header(`icy-${name}`) ?? header(`x-audiocast-${name}`)
    if (value !== undefined && value !== '') found[renamed[name] ?? name] ??= clean(utf8(value))
  }
  return found
}

/** The same as headers for listeners. */
export function stationHeaders(station: Station): string[] {
  return Object.entries(station).flatMap(([name, value]) => [`${icy.has(name) ? 'icy' : 'ice'}-${name}`, latin1(value)])
}

/** `Genre=Rock` or `ice-Genre=Rock`, as options give it. Undefined when there is no `=`. */
export function stationEntry(text: string): readonly [name: string, value: string] | undefined {
  const [, given = '', value = ''] = /^([\w-]+)=(.*)$/s.exec(text) ?? []
  if (given === '') return undefined
  const name = given.toLowerCase().replace(/^ic[ey]-/, '')
  return [renamed[name] ?? name, clean(value)]
}

/** Headers come as one character for each byte; what is UTF-8 is read as that. */
function utf8(value: string): string {
  const decoded = Buffer.from(value, 'latin1').toString('utf8')
  return decoded.includes('\ufffd') ? value : decoded
}

function clean(value: string): string {
  return value.replace(/[\u0000-\u001f\u007f]/g, ' ').trim()
}

/** Headers carry one byte for each character: other text goes out as the bytes of its UTF-8, as radio servers do. */
export function latin1(text: string): string {
  return /^[\u0020-\u007e]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}
