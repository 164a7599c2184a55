import { formatTime } from '../../template/layout.ts'
import type { Nanoseconds } from '../../base/time.ts'
import { localTime } from '../../base/local-time.ts'
import { timeDigits } from '../../operations/time-digits.ts'
import type { RemoteInfo } from '../../remote/remote.ts'

/** Layouts of Go by their names. */
const layouts: Readonly<Record<string, string>> = {
  ANSIC: 'Mon Jan _2 15:04:05 2006',
  UnixDate: 'Mon Jan _2 15:04:05 MST 2006',
  RubyDate: 'Mon Jan 02 15:04:05 -0700 2006',
  RFC822: '02 Jan 06 15:04 MST',
  RFC822Z: '02 Jan 06 15:04 -0700',
  RFC850: 'Monday, 02-Jan-06 15:04:05 MST',
  RFC1123: 'Mon, 02 Jan 2006 15:04:05 MST',
  RFC1123Z: 'Mon, 02 Jan 2006 15:04:05 -0700',
  RFC3339: '2006-01-02T15:04:05Z07:00',
  RFC3339Nano: '2006-01-02T15:04:05.999999999Z07:00',
  Kitchen: '3:04PM',
  Stamp: 'Jan _2 15:04:05',
  StampMilli: 'Jan _2 15:04:05.000',
  StampMicro: 'Jan _2 15:04:05.000000',
  StampNano: 'Jan _2 15:04:05.000000000',
  DateTime: '2006-01-02 15:04:05',
  DateOnly: '2006-01-02',
  TimeOnly: '15:04:05',
}

/**
 * Writes times as `--time-format` says: a layout of Go (`2006-01-02`), the name of one (`RFC3339`), `unix` and `unixnano` since
 * 1970, `max` for all digits that the storage tells, `''` for `2006-01-02 15:04:05`.
 */
export function timeFormat(text: string, info: RemoteInfo): (time: Nanoseconds) => string {
  if (text === '') return (time) => localTime(time, 0)
  if (text === 'max') return (time) => localTime(time, timeDigits(info))
  if (text === 'unixnano') return (time) => String(time)
  if (text === 'unix') return (time) => String(time / 1_000_000_000n)
  const layout = layouts[text] ?? text
  return (time) => formatTime(time, 'Local', layout)
}
