/** The duration that never ends: `off`. */
const durationOff = Infinity

const MS = 1_000_000n
/** Go counts durations in 64-bit nanoseconds; the largest one stands for `off`. */
export const maxNanoseconds = 9_223_372_036_854_775_807n

const goUnits: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  μs: 1_000n,
  ms: MS,
  s: 1_000n * MS,
  m: 60_000n * MS,
  h: 3_600_000n * MS,
}

const DAY = 86_400_000
/** Milliseconds of the units that stand alone, largest first. A number without a unit counts seconds. */
const longUnits: readonly (readonly [unit: string, ms: number])[] = [
  ['y', 365 * DAY],
  ['M', 30 * DAY],
  ['w', 7 * DAY],
  ['d', DAY],
]

/**
 * Reads a duration as rclone writes it and gives milliseconds: Go form (`1h30m`, `100ms`), or one decimal number with `d`, `w`,
 * `M` (30 days), `y` (365 days) or nothing (seconds), or a point in time (RFC 3339, or without zone = local time), which
 * means the time from then until `now`. `off` is Infinity. Case matters. Throws an Error that says what is wrong.
 */
export function parseDuration(text: string, now: number = Date.now()): number {
  if (text === 'off') return durationOff
  const ms = fromGo(text) ?? fromNumber(text) ?? fromDate(text, now)
  if (ms === undefined)
    throw new Error(`bad duration "${text}": use a number with ms, s, m, h, d, w, M or y (1h30m, 1.5d), a date, or off`)
  if (!(Math.abs(ms) < Number(maxNanoseconds / MS)))
    throw new Error(`duration "${text}" is too long: use off for no limit`)
  return ms
}

/** `[+-]` then numbers with units, without blanks: `1h30m`, `-1.5h`, `.5s`. */
function fromGo(text: string): number | undefined {
  if (!/^[+-]?(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(text)) return undefined
  let total = 0n
  for (const [, whole = '', fraction = '', unit = ''] of text.matchAll(/(\d*)\.?(\d*)([a-zµμ]+)/g)) {
    const scale = goUnits[unit] ?? 0n
    total += BigInt(whole || 0) * scale
    if (fraction !== '') total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length)
  }
  return fromNanoseconds(text.startsWith('-') ? -total : total)
}

function fromNumber(text: string): number | undefined {
  const parts = /^([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)([dwMy]?)$/i.exec(text)
  if (!parts) return undefined
  const [, digits = '', unit = ''] = parts
  const scale = unit === '' ? 1_000 : longUnits.find(([name]) => name === unit)?.[1]
  if (scale === undefined) return undefined
  const ms = Number(digits) * scale
  return Number.isFinite(ms) ? Math.round(ms * 1e6) / 1e6 : ms
}

const datePattern = /^(\d{4})-(\d\d)-(\d\d)(?:([T ])(\d\d):(\d\d):(\d\d(?:[.,]\d+)?)(Z|[+-]\d\d:\d\d)?)?$/

function fromDate(text: string, now: number): number | undefined {
  const parts = datePattern.exec(text)
  if (!parts) return undefined
  const [, year, month, day, letter, hour = '00', minute = '00', second = '0', zone] = parts
  if (zone !== undefined && letter !== 'T') return undefined
  const seconds = Number(second.replace(',', '.'))
  const fields = [Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute)] as const
  const utc = new Date(Date.UTC(...fields))
  // Days and years that there are not are taken for others: 30 February, the years 0 to 99.
  if (!utc.toISOString().startsWith(`${year}-${month}-${day}T${hour}:${minute}:`) || seconds >= 60) return undefined
  const minuteStart = zone === undefined ? new Date(...fields).getTime() : utc.getTime() - zoneOffset(zone)
  return now - minuteStart - seconds * 1000
}

/** Milliseconds east of UTC for `Z`, `+02:00`. */
function zoneOffset(zone: string): number {
  if (zone === 'Z') return 0
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000
}

/** Writes milliseconds as rclone does: `off`, `1.5d`, `1h0m0s`, `100ms`, `0s`. */
export function formatDuration(ms: number): string {
  if (ms === durationOff) return 'off'
  for (const [unit, scale] of longUnits) if (Math.abs(ms) >= scale) return `${ms / scale}${unit}`
  return goDuration(toNanoseconds(ms))
}

/** Go's own form: hours, minutes and seconds from a second up, else the largest unit that fits. */
function goDuration(ns: bigint): string {
  if (ns < 0n) return `-${goDuration(-ns)}`
  if (ns === 0n) return '0s'
  if (ns < 1_000n) return `${ns}ns`
  if (ns < MS) return `${decimal(ns, 3)}µs`
  if (ns < 1_000n * MS) return `${decimal(ns, 6)}ms`
  const minutes = ns / 60_000_000_000n
  const seconds = `${decimal(ns % 60_000_000_000n, 9)}s`
  if (minutes === 0n) return seconds
  return minutes < 60n ? `${minutes}m${seconds}` : `${minutes / 60n}h${minutes % 60n}m${seconds}`
}

/** `value / 10^places` without zeros at the end. */
function decimal(value: bigint, places: number): string {
  const scale = 10n ** BigInt(places)
  const rest = (value % scale).toString().padStart(places, '0').replace(/0+$/, '')
  return rest === '' ? `${value / scale}` : `${value / scale}.${rest}`
}

/** Milliseconds → whole nanoseconds; Infinity is the largest 64-bit number, as in Go. */
export function toNanoseconds(ms: number): bigint {
  if (ms === Infinity) return maxNanoseconds
  const whole = Math.trunc(ms)
  return BigInt(whole) * MS + BigInt(Math.round((ms - whole) * 1e6))
}

/** Nanoseconds → milliseconds; the largest 64-bit number is Infinity. */
export function fromNanoseconds(ns: bigint): number {
  return ns >= maxNanoseconds ? Infinity : Number(ns / MS) + Number(ns % MS) / 1e6
}
