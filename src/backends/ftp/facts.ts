import type { FileInfo } from 'basic-ftp'
import { fromMs, type Nanoseconds } from '../../base/time.ts'

/** What a server tells of a name. */
export interface Facts {
  readonly type: 'file' | 'directory' | 'link' | 'other'
  /** Bytes. */
  readonly size: number
  /** Undefined when it was not told to the second. */
  readonly modTime: Nanoseconds | undefined
}

/** The facts in the answer to MLST (RFC 3659 section 7.2): `250-…`, a line of facts and the name, `250 …`. */
export function factsIn(answer: string): Facts | undefined {
  const line = answer.split(/\r?\n/).find((text) => /^\s*[^\s=]+=/.test(text))
  if (line === undefined) return undefined
  const facts = new Map(
    line
      .trimStart()
      .split(' ', 1)[0]
      ?.split(';')
      .map((fact) => [fact.split('=', 1)[0]?.toLowerCase() ?? '', fact.slice(fact.indexOf('=') + 1)]),
  )
  const type = facts.get('type')?.toLowerCase() ?? ''
  return {
    type: /^(dir|cdir|pdir)$/.test(type)
      ? 'directory'
      : /link/.test(type)
        ? 'link'
        : type === 'file'
          ? 'file'
          : 'other',
    size: Number(facts.get('size') ?? -1),
    modTime: timeIn(facts.get('modify') ?? ''),
  }
}

/** The facts of a name in a listing. */
export function factsOf(info: FileInfo): Facts {
  return {
    type: info.isDirectory ? 'directory' : info.isSymbolicLink ? 'link' : info.isFile ? 'file' : 'other',
    size: info.size,
    modTime: info.modifiedAt ? fromMs(info.modifiedAt) : undefined,
  }
}

/** A point in time as `20260102030405.678` or without the fraction, UTC (section 2.3); undefined for anything else. */
export function timeIn(text: string): Nanoseconds | undefined {
  const [, year, month, day, hour, minute, second, fraction = ''] =
    /(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(?:\.(\d{1,9}))?/.exec(text) ?? []
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(ms) ? undefined : fromMs(ms) + BigInt(fraction.padEnd(9, '0'))
}

/** The same the other way round, in whole seconds. */
export function timeText(time: Nanoseconds): string {
  return new Date(Number(time / 1_000_000n)).toISOString().replaceAll(/[-:T]|\..*/g, '')
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']

/**
 * The time in a line of LIST, which has no seconds and often no year: `Jan 2 03:04`, `Jan 2 2026`, `01-02-26 03:04AM`. It is
 * taken for UTC; 0 when it can't be read.
 */
export function listedTime(text: string, now: Date): Nanoseconds {
  const [, name, day, hour, minute, year] = /^(\w{3})\s+(\d{1,2})\s+(?:(\d\d):(\d\d)|(\d{4}))$/.exec(text.trim()) ?? []
  const month = months.indexOf(name?.toLowerCase() ?? '')
  if (month >= 0) {
    const at = (of: number) => Date.UTC(of, month, Number(day), Number(hour ?? 0), Number(minute ?? 0))
    const thisYear = now.getUTCFullYear()
    // Without a year it is of the last months; clocks may differ by a day.
    const past = at(thisYear) > now.getTime() + 86_400_000 ? thisYear - 1 : thisYear
    return fromMs(at(year === undefined ? past : Number(year)))
  }
  const dos = /^(\d\d)-(\d\d)-(\d{2,4})\s+(\d\d):(\d\d)\s*([AP]M)?$/i.exec(text.trim())
  if (!dos) return 0n
  const [m, d, y, h, min] = dos.slice(1, 6).map(Number) as [number, number, number, number, number]
  const half = dos[6]?.toUpperCase()
  const hours = half === undefined ? h : (h % 12) + (half === 'PM' ? 12 : 0)
  return fromMs(Date.UTC(y < 70 ? y + 2000 : y < 100 ? y + 1900 : y, m - 1, d, hours, min))
}
