import { Native } from './value.ts'
import type { Method, Value } from './value.ts'
import { formatTime, zoneOf } from './layout.ts'
import type { Zone } from './layout.ts'

const second = 1_000_000_000n
/** Nanoseconds from 1970 back to the year 1, where Go's zero time stands. */
const zero = -62_135_596_800n * second

const months = 'January February March April May June July August September October November December'.split(' ')
const weekdays = 'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' ')

/** A point in time with the methods of Go's time.Time that make sense in a page. */
export class Time extends Native {
  readonly type = 'time.Time'
  readonly nanoseconds: bigint
  readonly zone: Zone

  constructor(nanoseconds: bigint, zone: Zone = 'UTC') {
    super()
    this.nanoseconds = nanoseconds
    this.zone = zone
  }

  get methods() {
    return timeMethods
  }

  /** The time that stands for "not known". */
  static readonly zero = new Time(zero)

  toString(): string {
    return formatTime(this.nanoseconds, this.zone, '2006-01-02 15:04:05.999999999 -0700 MST')
  }

  toJSON(): string {
    return formatTime(this.nanoseconds, this.zone, '2006-01-02T15:04:05.999999999Z07:00')
  }
}

/** A span of time in nanoseconds, as `.Sub` gives it. */
export class Duration extends Native {
  readonly type = 'time.Duration'
  readonly nanoseconds: bigint

  constructor(nanoseconds: bigint) {
    super()
    this.nanoseconds = nanoseconds
  }

  get methods() {
    return durationMethods
  }

  override integer(): bigint {
    return this.nanoseconds
  }

  /** `1h2m3.5s`, `1.5ms`, `0s` */
  toString(): string {
    const total = this.nanoseconds < 0n ? -this.nanoseconds : this.nanoseconds
    const sign = this.nanoseconds < 0n ? '-' : ''
    if (total === 0n) return '0s'
    if (total < 1000n) return `${sign}${total}ns`
    if (total < 1_000_000n) return `${sign}${fraction(total, 3)}µs`
    if (total < second) return `${sign}${fraction(total, 6)}ms`
    const hours = total / (3600n * second)
    const minutes = (total / (60n * second)) % 60n
    const seconds = `${fraction(total % (60n * second), 9)}s`
    return `${sign}${hours > 0n ? `${hours}h` : ''}${total >= 60n * second ? `${minutes}m` : ''}${seconds}`
  }

  toJSON(): number {
    return Number(this.nanoseconds)
  }
}

/** `value / 10^digits` in decimal without trailing zeros. */
function fraction(value: bigint, digits: number): string {
  const text = value.toString().padStart(digits + 1, '0')
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`.replace(/\.?0+$/, '')
}

/** A month or a weekday: an integer with a name. */
class Named extends Native {
  readonly type: string
  readonly #value: bigint
  readonly #name: string

  constructor(type: string, value: number, name: string) {
    super()
    this.type = type
    this.#value = BigInt(value)
    this.#name = name
  }

  get methods() {
    return namedMethods
  }

  override integer(): bigint {
    return this.#value
  }

  toString(): string {
    return this.#name
  }

  toJSON(): number {
    return Number(this.#value)
  }
}

function method(call: (self: never, ...args: never[]) => Value, ...parameters: Method['parameters'][number][]): Method {
  return { parameters, call }
}
const namedMethods = { String: method((self: Named) => String(self)) }

/** A part of the calendar date in the zone of the time. */
function part(pick: (date: Date, self: Time) => number): Method {
  return method((self: Time) => BigInt(pick(zoneOf(self.nanoseconds, self.zone).date, self)))
}
function floor(value: bigint, unit: bigint): bigint {
  const rest = value % unit
  return (value - (rest < 0n ? rest + unit : rest)) / unit
}
/** Cuts off, towards the zero time as Go does for points in time. */
function truncate(value: bigint, unit: bigint): bigint {
  return unit <= 0n ? value : floor(value, unit) * unit
}
function round(value: bigint, unit: bigint): bigint {
  return unit <= 0n ? value : truncate(value + unit / 2n, unit)
}
function dayOfYear(date: Date): number {
  return (date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000
}

const timeMethods: Readonly<Record<string, Method>> = {
  Format: method((self: Time, layout: string) => formatTime(self.nanoseconds, self.zone, layout), 'string'),
  String: method((self: Time) => String(self)),
  Unix: method((self: Time) => floor(self.nanoseconds, second)),
  UnixMilli: method((self: Time) => floor(self.nanoseconds, 1_000_000n)),
  UnixMicro: method((self: Time) => floor(self.nanoseconds, 1000n)),
  UnixNano: method((self: Time) => self.nanoseconds),
  IsZero: method((self: Time) => self.nanoseconds === zero),
  UTC: method((self: Time) => new Time(self.nanoseconds)),
  Local: method((self: Time) => new Time(self.nanoseconds, 'Local')),
  Year: part((date) => date.getUTCFullYear()),
  Month: method((self: Time) => {
    const month = zoneOf(self.nanoseconds, self.zone).date.getUTCMonth()
    return new Named('time.Month', month + 1, months[month] as string)
  }),
  Weekday: method((self: Time) => {
    const day = zoneOf(self.nanoseconds, self.zone).date.getUTCDay()
    return new Named('time.Weekday', day, weekdays[day] as string)
  }),
  Day: part((date) => date.getUTCDate()),
  Hour: part((date) => date.getUTCHours()),
  Minute: part((date) => date.getUTCMinutes()),
  Second: part((date) => date.getUTCSeconds()),
  Nanosecond: part((_, self) => Number(self.nanoseconds - truncate(self.nanoseconds, second))),
  YearDay: part((date) => Math.floor(dayOfYear(date)) + 1),
  After: method((self: Time, other: Time) => self.nanoseconds > other.nanoseconds, 'same'),
  Before: method((self: Time, other: Time) => self.nanoseconds < other.nanoseconds, 'same'),
  Equal: method((self: Time, other: Time) => self.nanoseconds === other.nanoseconds, 'same'),
  Sub: method((self: Time, other: Time) => new Duration(self.nanoseconds - other.nanoseconds), 'same'),
  Add: method((self: Time, span: bigint) => new Time(self.nanoseconds + span, self.zone), 'integer'),
  Truncate: method(
    (self: Time, unit: bigint) => new Time(truncate(self.nanoseconds - zero, unit) + zero, self.zone),
    'integer',
  ),
  Round: method(
    (self: Time, unit: bigint) => new Time(round(self.nanoseconds - zero, unit) + zero, self.zone),
    'integer',
  ),
}

const durationMethods: Readonly<Record<string, Method>> = {
  String: method((self: Duration) => String(self)),
  Hours: method((self: Duration) => Number(self.nanoseconds) / 3.6e12),
  Minutes: method((self: Duration) => Number(self.nanoseconds) / 6e10),
  Seconds: method((self: Duration) => Number(self.nanoseconds) / 1e9),
  Milliseconds: method((self: Duration) => self.nanoseconds / 1_000_000n),
  Microseconds: method((self: Duration) => self.nanoseconds / 1000n),
  Nanoseconds: method((self: Duration) => self.nanoseconds),
  Abs: method((self: Duration) => new Duration(self.nanoseconds < 0n ? -self.nanoseconds : self.nanoseconds)),
  Round: method((self: Duration, unit: bigint) => new Duration(round(self.nanoseconds, unit)), 'integer'),
  Truncate: method(
    (self: Duration, unit: bigint) => new Duration(unit <= 0n ? self.nanoseconds : (self.nanoseconds / unit) * unit),
    'integer',
  ),
}
