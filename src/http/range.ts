import type { Body } from '../base/body.ts'
import type { Range } from '../base/range.ts'
import { derive } from '../base/derive.ts'

/** More ranges than this in one request are served as the whole file: nobody needs them, and each may cost the storage a read. */
const maxRanges = 64
/** From here on ranges that touch or nearly touch are joined. */
const fewRanges = 8
/** A gap smaller than the head of a part costs less to send than another part. */
const smallGap = 80

/**
 * The parts of a file of `size` bytes that a Range header asks for (RFC 9110 section 14), in the order of the request:
 * undefined = no usable range, send the whole file; empty = none of them lies inside the file (416). Unknown units and
 * malformed sets are ignored, as are sets that ask for more bytes than the file has or for very many parts.
 */
export function selectRanges(header: string | undefined, size: number): readonly Range[] | undefined {
  if (header === undefined || size < 0) return undefined
  const set = /^\s*bytes\s*=(.*)$/is.exec(header)?.[1]
  if (set === undefined || set.length > 8192) return undefined
  const asked: Range[] = []
  let members = 0
  for (const member of set.split(',')) {
    if (member.trim() === '') continue
    members++
    const range = parseMember(member, size)
    if (range === 'malformed') return undefined
    if (range !== 'outside') asked.push(range)
  }
  if (members === 0) return undefined
  const ranges = asked.length > fewRanges ? joinNear(asked) : asked
  const total = ranges.reduce((sum, range) => sum + range.end - range.start, 0)
  if (ranges.length > maxRanges || (ranges.length > 1 && total > size)) return undefined
  // Only `bytes=-N` of an empty file is satisfiable with nothing to send; no Content-Range can say that.
  return ranges.some((range) => range.start === range.end) ? undefined : ranges
}

/**
 * The parts that GPAC's client asks for, `bytes=0-1,bytes=4-5`, which is no Range of RFC 9110: it wants them one behind the
 * other in one body (httpout.md 3.2). Undefined = it is another header, some part is not there, or there are more than a few.
 */
export function gpacRanges(header: string | undefined, size: number): readonly Range[] | undefined {
  const members = header?.match(/bytes=/gi)?.length ?? 0
  if (header === undefined || members < 2 || members > fewRanges) return undefined
  const ranges = selectRanges(header.replace(/,\s*bytes=/gi, ','), size)
  return ranges?.length === members ? ranges : undefined
}

/**
 * The numbers of a Range header that names one part, for those who cannot know the size of a file yet: `bytes=A-B`, `bytes=A-`,
 * `bytes=-N`. Undefined when it is another one.
 */
export function onePart(header: string | undefined): { readonly first?: number; readonly last?: number } | undefined {
  const [, first, last] = /^\s*bytes\s*=\s*(\d{0,16})-(\d{0,16})\s*$/i.exec(header ?? '') ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined
  return { ...(first === '' ? {} : { first: Number(first) }), ...(last === '' ? {} : { last: Number(last) }) }
}

const spec = /^\s*(\d*)\s*-\s*(\d*)\s*$/

function parseMember(member: string, size: number): Range | 'malformed' | 'outside' {
  const [, first, last] = spec.exec(member) ?? []
  if (first === undefined || last === undefined || (first === '' && last === '')) return 'malformed'
  if (first === '') {
    const suffix = Number(last)
    return suffix === 0 ? 'outside' : { start: Math.max(0, size - suffix), end: size }
  }
  // Positions of any length are compared as floats: beyond 2^53 they are outside of every file, whatever their last digits.
  const start = Number(first)
  if (last !== '' && BigInt(last) < BigInt(first)) return 'malformed'
  if (start >= size) return 'outside'
  return { start, end: last === '' ? size : Math.min(size, Number(last) + 1) }
}

function joinNear(ranges: readonly Range[]): Range[] {
  const joined: Range[] = []
  for (const range of ranges.toSorted((a, b) => a.start - b.start)) {
    const last = joined.at(-1)
    if (last && range.start <= last.end + smallGap)
      joined[joined.length - 1] = { start: last.start, end: Math.max(last.end, range.end) }
    else joined.push(range)
  }
  return joined
}

/** The value of Content-Range for one part, or for none (416). */
export function contentRange(range: Range | undefined, size: number): string {
  return range ? `bytes ${range.start}-${range.end - 1}/${size}` : `bytes */${size}`
}

/** What a multipart/byteranges answer is made of (RFC 9110 section 14.6). */
export interface Multipart {
  readonly contentType: string
  readonly length: number
  readonly body: Body
}

/**
 * A multipart/byteranges body of several parts of one file. `open` is called for one part after the other, `first` is the
 * body of the first one, opened before the answer began so that a file which is gone is still a 404.
 */
export function multipart(
  ranges: readonly Range[],
  file: {
    readonly size: number
    readonly contentType: string
    open(range: Range): Promise<Body>
    readonly first: Body
  },
  boundary: string,
): Multipart {
  const type = `Content-Type: ${file.contentType}`
  const heads = ranges.map((range, i) =>
    Buffer.from(
      `${i ? '\r\n' : ''}--${boundary}\r\n${type}\r\nContent-Range: ${contentRange(range, file.size)}\r\n\r\n`,
    ),
  )
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  let length = tail.length
  for (const [i, range] of ranges.entries()) length += (heads[i] as Buffer).length + range.end - range.start
  const body = derive(file.first, async function* parts(first) {
    for (const [i, range] of ranges.entries()) {
      yield heads[i] as Buffer
      yield* i === 0 ? first : await file.open(range)
    }
    yield tail
  })
  return { contentType: `multipart/byteranges; boundary=${boundary}`, length, body }
}
