import { formatSize } from '../base/size.ts'
import { formatDuration } from '../base/duration.ts'
import type { Json } from '../base/json.ts'

export interface ReportSettings {
  readonly oneLine: boolean
  readonly unit: 'bits' | 'bytes'
  /** Longest file name shown; 0 = unlimited. */
  readonly nameLength: number
  /** Draws a bar for each transfer. */
  readonly bars?: boolean
}

type Stats = { [key: string]: Json }

/**
 * The summary that `--stats` logs, from the JSON of `core/stats`: the lines of rclone's block, or one line. Names in it are as
 * they are in storage: whoever writes the lines escapes them.
 */
export function report(snapshot: Json, settings: ReportSettings): string[] {
  const stats = snapshot as Stats
  const [done, total] = [num(stats.bytes), num(stats.totalBytes)]
  const head = `${amount(done).padStart(13)} / ${amount(total)}, ${percent(done, total)}, ${rate(num(stats.speed), settings)}, ETA ${eta(stats.eta)}`
  if (settings.oneLine) return [head + queueNote(stats)]
  const lines = [`Transferred:   \t${head}`]
  if (num(stats.errors) > 0) lines.push(`Errors:        ${pad(stats.errors)}${errorNote(stats)}`)
  if (num(stats.totalChecks) > 0) lines.push(countLine('Checks:', num(stats.checks), num(stats.totalChecks)))
  if (num(stats.deletes) + num(stats.deletedDirs) > 0)
    lines.push(`Deleted:       ${pad(stats.deletes)} (files), ${num(stats.deletedDirs)} (dirs)`)
  if (num(stats.renames) > 0) lines.push(`Renamed:       ${pad(stats.renames)}`)
  if (num(stats.totalTransfers) > 0)
    lines.push(countLine('Transferred:', num(stats.transfers), num(stats.totalTransfers)))
  lines.push(`Elapsed time:  ${elapsed(num(stats.elapsedTime)).padStart(11)}`)
  const checking = (stats.checking ?? []) as string[]
  if (checking.length > 0)
    lines.push('Checking:', ...checking.map((name) => ` *${fitted(name, settings.nameLength)}: checking`))
  const active = (stats.transferring ?? []) as Stats[]
  if (active.length > 0) lines.push('Transferring:', ...active.map((transfer) => transferLine(transfer, settings)))
  return lines
}

/** ` (xfr#1/6)` while files wait for their turn. */
function queueNote(stats: Stats): string {
  const [done, total, active] = [
    num(stats.transfers),
    num(stats.totalTransfers),
    stats.transferring as Json[] | undefined,
  ]
  return total - done > (active?.length ?? 0) ? ` (xfr#${done}/${total})` : ''
}

function errorNote(stats: Stats): string {
  if (stats.fatalError === true) return ' (fatal error encountered)'
  return stats.retryError === true ? ' (retrying may help)' : ' (no need to retry)'
}

/** `1m2.5s`, with one decimal always. */
function elapsed(seconds: number): string {
  const tenths = Math.floor(seconds * 10)
  const minutes = Math.floor(tenths / 600)
  const rest = `${((tenths % 600) / 10).toFixed(1)}s`
  if (minutes === 0) return rest
  return minutes < 60 ? `${minutes}m${rest}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${rest}`
}

function fitted(name: string, length: number): string {
  return shorten(name, length).padStart(length + 1)
}

function countLine(label: string, done: number, total: number): string {
  return `${label.padEnd(15)}${pad(done)} / ${total}, ${percent(done, total)}`
}

function transferLine(transfer: Stats, settings: ReportSettings): string {
  const name = fitted(typeof transfer.name === 'string' ? transfer.name : '', settings.nameLength)
  const size = num(transfer.size) < 0 ? 'unknown' : formatSize(num(transfer.size))
  const bar = settings.bars && num(transfer.size) > 0 ? ` ${barOf(num(transfer.percentage))}` : ''
  return ` *${name}:${bar} ${num(transfer.percentage).toString().padStart(2)}% /${size}, ${rate(num(transfer.speedAvg), settings)}, ${eta(transfer.eta)}`
}

const BAR = 20

/** `[######--------------]` */
function barOf(percentage: number): string {
  const done = Math.min(BAR, Math.round((percentage * BAR) / 100))
  return `[${'#'.repeat(done)}${'-'.repeat(BAR - done)}]`
}

function shorten(name: string, length: number): string {
  if (length <= 0 || name.length <= length) return name
  const half = Math.floor((length - 1) / 2)
  return `${name.slice(0, length - 1 - half)}…${name.slice(name.length - half)}`
}

/** `1.500 MiB`. */
export function amount(bytes: number): string {
  const text = formatSize(Math.round(bytes))
  return /[KMGTPE]i$/.test(text) ? `${text.slice(0, -2)} ${text.slice(-2)}B` : `${text} B`
}

function rate(bytesPerSecond: number, settings: ReportSettings): string {
  if (settings.unit === 'bytes') return `${amount(bytesPerSecond)}/s`
  const text = formatSize(Math.round(bytesPerSecond * 8))
  return text.endsWith('i') ? `${text.slice(0, -2)} ${text.slice(-2)}bit/s` : `${text} bit/s`
}

function percent(part: number, whole: number): string {
  return whole > 0 ? `${Math.floor((100 * part) / whole)}%` : '-'
}

function eta(seconds: Json | undefined): string {
  return typeof seconds === 'number' ? formatDuration(seconds * 1000) : '-'
}

function num(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0
}

function pad(value: Json | undefined): string {
  return String(num(value)).padStart(10)
}
