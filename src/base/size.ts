/** Bytes of an unlimited size: `off`. */
export const sizeOff = -1

const KI = 1024
const letters = 'kmgtpe'

/**
 * Reads a size as rclone writes it: a number (fractions allowed) with `B`, `K`, `M`, `G`, `T`, `P` or `E`, the letters may be
 * followed by `i` or `iB`; all of them count in powers of 1024. A number without a suffix counts KiB. `off` is -1.
 * Gives whole bytes, rounded down. Throws an Error that says what is wrong.
 */
export function parseSize(text: string): number {
  if (text === '') throw new Error('empty string')
  if (text.toLowerCase() === 'off') return sizeOff
  const [length, unit] = suffixOf(text)
  const digits = text.slice(0, text.length - length)
  if (!/^[+-]?(\d+(?:\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(digits))
    throw new Error(`bad number "${digits}" in size "${text}": write it like 100, 1.5G or 10MiB`)
  const value = Number(digits)
  if (value < 0) throw new Error(`size can't be negative "${digits}"`)
  const bytes = Math.trunc(value * unit)
  // What follows 8Ei does not fit the 64 bits that other programs give a size.
  if (!(bytes < 2 ** 63)) throw new Error(`size "${text}" is too large: use off for no limit`)
  return bytes
}

/** How many characters at the end are the unit, and what it multiplies by. */
function suffixOf(text: string): [length: number, unit: number] {
  const last = text.at(-1) ?? ''
  if (/[\d.]/.test(last)) return [0, KI]
  if (/(^|[^i])[bB]$/.test(text)) return [1, 1]
  const long = /(.)(i[bB]|[iI])$/.exec(text)
  const letter = long?.[1] ?? last
  const power = letters.indexOf(letter.toLowerCase())
  if (power < 0) throw new Error(`bad suffix '${letter}'`)
  return [1 + (long?.[2]?.length ?? 0), KI ** (power + 1)]
}

/** Writes bytes as rclone does: `1Ki`, `1.500Gi`, plain digits below 1024, `off` below 0. */
export function formatSize(bytes: number): string {
  if (bytes < 0) return 'off'
  if (bytes < KI) return String(bytes)
  let power = 1
  while (power < letters.length && bytes >= KI ** (power + 1)) power++
  const value = bytes / KI ** power
  const letter = (letters[power - 1] ?? '').toUpperCase()
  return `${Number.isInteger(value) ? value : threeDigits(value)}${letter}i`
}

/** What lies in the middle goes to the even digit, as in Go. */
function threeDigits(value: number): string {
  const thousandths = value * 1000
  return ((thousandths % 1 === 0.5 ? 2 * Math.round(thousandths / 2) : thousandths) / 1000).toFixed(3)
}
