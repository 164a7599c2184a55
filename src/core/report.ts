import { formatSize } from '../base/size.ts'
import { formatDuration } from '../base/duration.ts'
import type { Json } from '../base/json.ts'

export interface ReportSettings {
  readonly oneLine: boolean
  readonly unit: 'bits' | 'bytes'
  /** Longest file name shown; 0 = unlimited. */
  readonly nameLength: number
}

type Stats = { [key: string]: Json }

/** The summary that `--stats` logs, from the JSON of `core/stats`: rclone's block, or one line. */
export function report(snapshot: Json, settings: ReportSettings): string {
  const stats = snapshot as Stats
  const head = `${amount(num(stats.bytes))} / ${amount(num(stats.totalBytes))}, ${percent(num(stats.bytes), num(stats.totalBytes))}, ${rate(num(stats.speed), settings)}, ETA ${eta(stats.eta)}`
  if (settings.oneLine) return head
  const lines = [`Transferred:   \t${head.padStart(head.length + 4)}`]
  if (num(stats.errors) > 0) lines.push(`Errors:        ${pad(stats.errors)}`)
  if (num(stats.totalChecks) > 0) lines.push(countLine('Checks:', num(stats.checks), num(stats.totalChecks)))
  if (num(stats.deletes) > 0) lines.push(`Deleted:       ${pad(stats.deletes)}`)
  if (num(stats.renames) > 0) lines.push(`Renamed:       ${pad(stats.renames)}`)
  lines.push(countLine('Transferred:', num(stats.transfers), num(stats.totalTransfers)))
  lines.push(`Elapsed time:  ${formatDuration(Math.round(num(stats.elapsedTime) * 10) * 100).padStart(10)}`)
  const active = (stats.transferring ?? []) as Stats[]
  if (active.length > 0) lines.push('Transferring:', ...active.map((transfer) => transferLine(transfer, settings)))
  return `\n${lines.join('\n')}\n`
}

function countLine(label: string, done: number, total: number): string {
  return `${label.padEnd(15)}${pad(done)} / ${total}, ${percent(done, total)}`
}

function transferLine(transfer: Stats, settings: ReportSettings): string {
  const name = shorten(typeof transfer.name === 'string' ? transfer.name : '', settings.nameLength)
  const size = num(transfer.size) < 0 ? 'unknown' : formatSize(num(transfer.size))
  return ` *${name.padStart(settings.nameLength + 1)}: ${num(transfer.percentage).toString().padStart(2)}% /${size}, ${rate(num(transfer.speedAvg), settings)}, ${eta(transfer.eta)}`
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
