import { join, nameOf, parentOf } from '../base/path.ts'

/** A name with a number in it that counts up. */
export interface Numbered {
  /** The path with the number taken out: what all of one sequence have in common. */
  readonly pattern: string
  readonly number: number
  /** The path of another number of the sequence, written as this one is. */
  at(number: number): string
}

/**
 * The number of a file in its sequence: `chunk-stream0-00012.m4s`, `seg3.ts`, and the `4` of the part `seg3.m4s.4`. The last
 * number before the extension counts, for extensions have numbers too. Undefined for a name without one.
 */
export function numbered(path: string): Numbered | undefined {
  const name = nameOf(path)
  const [, extension = ''] = /^.+?(\.[^.]*[^.\d][^.]*)$/.exec(name) ?? []
  const stem = name.slice(0, name.length - extension.length)
  const [, before, digits, rest] = /^(.*?)(\d{1,15})(\D*)$/.exec(stem) ?? []
  if (before === undefined || digits === undefined) return undefined
  const after = `${rest}${extension}`
  const dir = parentOf(path)
  const width = digits.startsWith('0') ? digits.length : 0
  return {
    pattern: join(dir, `${before}#${after}`),
    number: Number(digits),
    at: (number) => join(dir, `${before}${String(number).padStart(width, '0')}${after}`),
  }
}

const media =
  /\.(?:m4s|mp4|m4v|m4a|m4f|mp4v|mp4a|cmf[vatm]|ts|m2ts|aac|ac3|ec3|mp3|mp2|ogg|opus|webm|mkv|vtt|ttml|dash)$/i

/** True for the names of media segments and what begins them, by their extension; parts have a number behind it. */
export function isMediaName(path: string): boolean {
  return media.test(path.replace(/\.\d{1,15}$/, ''))
}
