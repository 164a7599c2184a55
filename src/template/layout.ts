import { toMs } from '../base/time.ts'

/** The zones that a page can show: UTC, or the one of the server. */
export type Zone = 'UTC' | 'Local'

const longMonths = 'January February March April May June July August September October November December'.split(' ')
const longDays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** The wall clock of a zone as the UTC fields of a Date, and the zone's offset from UTC in minutes. */
export function zoneOf(nanoseconds: bigint, zone: Zone): { date: Date; offset: number } {
  const ms = toMs(nanoseconds)
  const offset = zone === 'UTC' ? 0 : -new Date(ms).getTimezoneOffset()
  return { date: new Date(ms + offset * 60_000), offset }
}

/** The elements of a layout, longest first where one begins another. */
const element =
  /January|Jan|Monday|Mon|MST|2006|__2|_2006|_2|002|-07:00:00|-070000|-07:00|-0700|-07|Z07:00:00|Z070000|Z07:00|Z0700|Z07|[.,]0+(?!\d)|[.,]9+(?!\d)|01|02|03|04|05|06|15|PM|pm|1|2|3|4|5/g

interface Clock {
  readonly date: Date
  readonly offset: number
  /** The fraction of the second, nine digits. */
  readonly fraction: string
}

/** Formats a point in time by a layout of Go: the reference time `Mon Jan 2 15:04:05 MST 2006` written as wanted. */
export function formatTime(nanoseconds: bigint, zone: Zone, layout: string): string {
  const { date, offset } = zoneOf(nanoseconds, zone)
  const rest = nanoseconds % 1_000_000_000n
  const fraction = String(rest < 0n ? rest + 1_000_000_000n : rest).padStart(9, '0')
  const clock: Clock = { date, offset, fraction }
  return layout.replace(element, (text, at: number) => {
    // "Jan" within "Janet" and "Mon" within "Monk" are words, not elements.
    if ((text === 'Jan' || text === 'Mon') && /[a-z]/.test(layout[at + 3] ?? '')) return text
    return text === '_2006' ? `_${formatElement('2006', clock)}` : formatElement(text, clock)
  })
}

function pad(value: number, width = 2, fill = '0'): string {
  return String(value).padStart(width, fill)
}
function hour12({ date }: Clock): number {
  return date.getUTCHours() % 12 || 12
}
function yearDay({ date }: Clock): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000) + 1
}
function monthName({ date }: Clock): string {
  return longMonths[date.getUTCMonth()] as string
}
function dayName({ date }: Clock): string {
  return longDays[date.getUTCDay()] as string
}

const elements: Readonly<Record<string, (clock: Clock) => string>> = {
  January: monthName,
  Jan: (clock) => monthName(clock).slice(0, 3),
  Monday: dayName,
  Mon: (clock) => dayName(clock).slice(0, 3),
  MST: abbreviation,
  '2006': ({ date }) => pad(date.getUTCFullYear(), 4),
  '06': ({ date }) => pad(date.getUTCFullYear() % 100),
  '01': ({ date }) => pad(date.getUTCMonth() + 1),
  '1': ({ date }) => String(date.getUTCMonth() + 1),
  '02': ({ date }) => pad(date.getUTCDate()),
  _2: ({ date }) => pad(date.getUTCDate(), 2, ' '),
  '2': ({ date }) => String(date.getUTCDate()),
  '002': (clock) => pad(yearDay(clock), 3),
  __2: (clock) => pad(yearDay(clock), 3, ' '),
  '15': ({ date }) => pad(date.getUTCHours()),
  '03': (clock) => pad(hour12(clock)),
  '3': (clock) => String(hour12(clock)),
  '04': ({ date }) => pad(date.getUTCMinutes()),
  '4': ({ date }) => String(date.getUTCMinutes()),
  '05': ({ date }) => pad(date.getUTCSeconds()),
  '5': ({ date }) => String(date.getUTCSeconds()),
  PM: ({ date }) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  pm: ({ date }) => (date.getUTCHours() < 12 ? 'am' : 'pm'),
}

function formatElement(text: string, clock: Clock): string {
  const make = elements[text]
  if (make) return make(clock)
  if (text[0] === '.' || text[0] === ',') return fraction(text, clock)
  return text[0] === 'Z' && clock.offset === 0 ? 'Z' : offset(text.slice(1), clock)
}

/** `.000` keeps all its digits, `.999` drops trailing zeros. */
function fraction(text: string, clock: Clock): string {
  const digits = clock.fraction.slice(0, text.length - 1)
  const kept = text[1] === '9' ? digits.replace(/0+$/, '') : digits
  return kept === '' ? '' : `${text[0]}${kept}`
}

function offset(form: string, { offset }: Clock): string {
  const total = Math.abs(offset)
  const hours = String(Math.floor(total / 60)).padStart(2, '0')
  const minutes = String(total % 60).padStart(2, '0')
  const separator = form.includes(':') ? ':' : ''
  const seconds = form.replaceAll(':', '').length === 6 ? `${separator}00` : ''
  return `${offset < 0 ? '-' : '+'}${hours}${form.length > 2 ? `${separator}${minutes}${seconds}` : ''}`
}

/** JavaScript does not know the letters of most zones; they show as Go shows a zone without letters: `+02`. */
function abbreviation(clock: Clock): string {
  if (clock.offset === 0) return 'UTC'
  return offset(clock.offset % 60 === 0 ? '07' : '0700', clock)
}
