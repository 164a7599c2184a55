import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Registry } from 'prom-client'
import { once } from '../base/once.ts'
import type { Groups } from '../core/groups.ts'
import type { ActiveLives } from '../media/active.ts'
import type { Page } from './handler.ts'
import { liveMetrics } from './live-metrics.ts'

/** Counters under rclone's names (rc.md 1.7): the key of `core/stats` and what it counts. */
const counters = [
  ['bytes_transferred', 'bytes', 'Total transferred bytes since the start of the program'],
  ['checked_files', 'checks', 'Number of checked files'],
  ['dirs_deleted', 'deletedDirs', 'Total number of directories deleted'],
  ['entries_listed', 'listed', 'Total number of entries listed'],
  ['errors', 'errors', 'Number of errors'],
  ['files_deleted', 'deletes', 'Total number of files deleted'],
  ['files_renamed', 'renames', 'Total number of files renamed'],
  ['files_transferred', 'transfers', 'Number of transferred files'],
] as const

const gauges = [
  ['fatal_error', 'fatalError', 'Whether a fatal error has occurred'],
  ['retry_error', 'retryError', 'Whether there has been an error that will be retried'],
  ['speed', 'speed', 'Average speed in bytes per second since the start of the program'],
] as const

type Stats = Readonly<Record<(typeof counters)[number][1] | (typeof gauges)[number][1], number | boolean>>

/** What Node publishes when an answer to a request of this process has ended. */
interface Answered {
  readonly request: { readonly method: string; readonly host: string }
  readonly response: { readonly statusCode?: number }
}

interface Exposed {
  readonly registry: Registry
  /** Sets all metrics to what is true now. */
  readonly update: (stats: Stats) => void
}

/** The metrics of one app, for Prometheus. */
export class Metrics {
  readonly #groups: Groups
  readonly #lives: ActiveLives
  /** Answers of remotes by code, host and method. */
  readonly #answers = new Map<string, number>()
  readonly #registry = once(() => this.#open())
  readonly #count = (message: unknown) => this.#answered(message as Answered)

  constructor(groups: Groups, lives: ActiveLives) {
    this.#groups = groups
    this.#lives = lives
    subscribe('http.client.response.finish', this.#count)
  }

  /** All metrics in the text format 0.0.4. */
  async text(): Promise<string> {
    const { registry, update } = await this.#registry()
    update(this.#groups.snapshot() as unknown as Stats)
    return (await registry.metrics()) + liveMetrics(this.#lives)
  }

  close(): void {
    unsubscribe('http.client.response.finish', this.#count)
    this.#registry.begun?.then(({ registry }) => registry.clear()).catch(() => {})
  }

  #answered({ request: { method, host }, response }: Answered): void {
    const labels = JSON.stringify({ code: String(response.statusCode ?? 0), host, method })
    this.#answers.set(labels, (this.#answers.get(labels) ?? 0) + 1)
  }

  async #open(): Promise<Exposed> {
    const { collectDefaultMetrics, Counter, Gauge, Registry } = await import('prom-client')
    const registry = new Registry()
    const registers = [registry]
    const counted = counters.map(([name, key, help]) => {
      const counter = new Counter({ name: `rclone_${name}_total`, help, registers })
      let last = 0
      return (stats: Stats) => {
        const now = Number(stats[key])
        // Groups may be reset and forgotten; a counter never goes back.
        counter.inc(Math.max(0, now - last))
        last = now
      }
    })
    const measured = gauges.map(([name, key, help]) => {
      const gauge = new Gauge({ name: `rclone_${name}`, help, registers })
      return (stats: Stats) => gauge.set(Number(stats[key]))
    })
    const codes = new Counter({
      name: 'rclone_http_status_code',
      help: 'Answers of remotes by HTTP status',
      labelNames: ['code', 'host', 'method'],
      registers,
    })
    collectDefaultMetrics({ register: registry })
    return {
      registry,
      update: (stats) => {
        for (const set of [...counted, ...measured]) set(stats)
        codes.reset()
        for (const [labels, n] of this.#answers) codes.inc(JSON.parse(labels) as Record<string, string>, n)
      },
    }
  }
}

/** `GET /metrics`. */
export function metricsPage(metrics: Metrics): Page {
  return async (_ctx, { path }) => {
    if (path !== 'metrics') return undefined
    return {
      status: 200,
      headers: ['content-type', 'text/plain; version=0.0.4; charset=utf-8', 'cache-control', 'no-store'],
      body: await metrics.text(),
    }
  }
}
