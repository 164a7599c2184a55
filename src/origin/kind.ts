/** What a file is, as far as its icon is concerned: one letter each, also the class of its row. */
export type Kind = 'f' | 'i' | 'v' | 'a' | 'z' | 't' | 'c'

const extensions: Readonly<Record<Exclude<Kind, 'f'>, string>> = {
  i: 'avif bmp gif heic ico jpeg jpg jxl png psd raw svg tif tiff webp',
  v: 'avi flv m2ts m3u8 m4s m4v mkv mov mp4 mpd mpeg mpg mts ogv ts webm wmv',
  a: 'aac aif aiff alac flac m3u m4a mid mp3 oga ogg opus wav wma',
  z: '7z apk bz2 cab deb dmg gz iso jar lz4 lzma rar rpm tar tgz tzst xz zip zst',
  t: 'doc docx epub log md odp ods odt pdf ppt pptx rst rtf srt tex txt vtt xls xlsx',
  c: 'bash c cc cfg conf cpp cs css csv dart diff ex go h hpp hs htm html ini java jl js json jsx kt lua m4 mjs php pl py r rb rs scala sh sql swift toml tsx vb vue wasm xml yaml yml zig',
}
const kinds = new Map<string, Kind>(
  (Object.entries(extensions) as [Kind, string][]).flatMap(([kind, list]) =>
    list.split(' ').map((ext): [string, Kind] => [ext, kind]),
  ),
)

/** The kind that a file name's extension tells. */
export function kindOf(name: string): Kind {
  const dot = name.lastIndexOf('.')
  return (dot > 0 && kinds.get(name.slice(dot + 1).toLowerCase())) || 'f'
}
