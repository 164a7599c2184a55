import { formatSize, parseSize } from '../base/size.ts'
import type { ValueType } from '../schema/value.ts'

/** Bytes per second in each direction, as seen from here: `tx` leaves, `rx` arrives. -1 = unlimited. */
export interface Limit {
  readonly tx: number
  readonly rx: number
}

/** A limit that begins at a minute of the week; Sunday 00:00 local time is minute 0. */
export interface Slot extends Limit {
  readonly minute: number
}

/** The limits of a week. Empty = unlimited; one slot = always this limit. */
export type Timetable = readonly Slot[]

const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday']
const DAY = 24 * 60

/**
 * `--bwlimit`: one limit `TX[:RX]`, or slots `[DAY-]HH:MM,TX[:RX]` separated by blanks or semicolons; a slot without a day
 * counts for each day. Rates are sizes per second, `off` or 0 is unlimited. JSON: the text, empty when there is no limit.
 */
export const bandwidth: ValueType<Timetable> = {
  name: 'BwTimetable',
  parse: parseTimetable,
  format: (table) => formatTimetable(table) || 'off',
  decode(json) {
    if (typeof json === 'string') return json === '' ? [] : parseTimetable(json)
    throw new Error(`expected a bandwidth such as "10M" or "1M:off", not ${JSON.stringify(json) ?? 'nothing'}`)
  },
  encode: formatTimetable,
}

function parseTimetable(text: string): Timetable {
  const words = text.split(/[ ;]+/).filter((word) => word !== '')
  const [first] = words
  if (first === undefined) throw new Error('empty string')
  if (words.length > 1 || first.includes(',')) return words.flatMap(parseSlot)
  const limit = parseLimit(first)
  return limit.tx < 0 && limit.rx < 0 ? [] : [{ minute: 0, ...limit }]
}

/** Reads `TX[:RX]`; one rate counts for both directions. Throws an Error that says what is wrong. */
export function parseLimit(text: string): Limit {
  const colon = text.indexOf(':')
  const rate = (part: string) => parseSize(part) || -1
  const tx = rate(colon < 0 ? text : text.slice(0, colon))
  return { tx, rx: colon < 0 ? tx : rate(text.slice(colon + 1)) }
}

/** Writes `1Mi`, `1Mi:2Mi`, `off`. */
export function formatLimit({ tx, rx }: Limit): string {
  return tx === rx ? formatSize(tx) : `${formatSize(tx)}:${formatSize(rx)}`
}

function parseSlot(word: string): Slot[] {
  const [when, rates, ...more] = word.split(',')
  if (when === undefined || rates === undefined || more.length > 0)
    throw new Error(`invalid time/bandwidth specification: ${JSON.stringify(word)}`)
  const [day, time, ...rest] = when.split('-')
  if (rest.length > 0) throw new Error(`invalid time specification: ${JSON.stringify(when)}`)
  const starts = time === undefined ? days.map((_, index) => index * DAY) : [parseDay(day ?? '') * DAY]
  const minute = parseTime(time ?? when)
  const limit = parseLimit(rates)
  return starts.map((start) => ({ minute: start + minute, ...limit }))
}

function parseDay(text: string): number {
  const lower = text.toLowerCase()
  const index = days.findIndex((day) => lower === day || lower === day.slice(0, 3))
  if (index < 0) throw new Error(`invalid weekday: ${JSON.stringify(lower)}`)
  return index
}

function parseTime(text: string): number {
  const [, hour, minute] = /^(\d\d):(\d\d)$/.exec(text) ?? []
  if (hour === undefined) throw new Error(`invalid time specification (hh:mm): ${JSON.stringify(text)}`)
  if (Number(hour) > 23) throw new Error(`invalid hour (must be between 00 and 23): ${hour}`)
  if (Number(minute) > 59) throw new Error(`invalid minute (must be between 00 and 59): ${minute}`)
  return Number(hour) * 60 + Number(minute)
}

function formatTimetable(table: Timetable): string {
  const [only] = table
  if (table.length === 1 && only?.minute === 0) return formatLimit(only)
  const two = (value: number) => String(value).padStart(2, '0')
  return table
    .map((slot) => {
      const day = days[Math.floor(slot.minute / DAY)] ?? ''
      const time = `${two(Math.floor((slot.minute % DAY) / 60))}:${two(slot.minute % 60)}`
      return `${day.charAt(0).toUpperCase()}${day.slice(1, 3)}-${time},${formatLimit(slot)}`
    })
    .join(' ')
}

/**
 * The limit in force at a moment (local time): that of the latest slot not after it within the week; before the first slot
 * of the week the last one of the list goes on.
 */
export function limitAt(table: Timetable, when: Date): Limit {
  const now = when.getDay() * DAY + when.getHours() * 60 + when.getMinutes()
  let active: Slot | undefined
  for (const slot of table) if (slot.minute <= now && slot.minute > (active?.minute ?? -1)) active = slot
  const { tx, rx } = active ?? table.at(-1) ?? unlimited
  return { tx, rx }
}

const unlimited: Limit = { tx: -1, rx: -1 }
