import type { Context } from '../../core/context.ts'
import type { Remote, Usage } from '../../remote/remote.ts'

/** What may be done with an upstream, as its text ends in: `remote:path:ro`. */
export type Mode = 'ro' | 'nc' | 'writeback'

export interface UpstreamSpec {
  readonly spec: string
  /** `ro`: nothing is changed there; `nc`: nothing new is made there; `writeback`: what is read elsewhere is copied there. */
  readonly mode: Mode | undefined
}

/** Reads `remote:path`, `remote:path:ro`, `remote:path:nc` or `remote:path:writeback`. */
export function parseUpstream(text: string): UpstreamSpec {
  const [, spec = text, mode] = /^(.+):(ro|nc|writeback)$/s.exec(text) ?? []
  return { spec, mode: mode as Mode | undefined }
}

/** One of the remotes that a union shows. */
export class Upstream {
  readonly remote: Remote
  /** Bytes below which a space policy leaves it alone. */
  readonly minFreeSpace: number
  readonly #mode: Mode | undefined
  readonly #cacheMs: number
  #usage: { readonly at: number; readonly value: Promise<Usage> } | undefined

  constructor(remote: Remote, mode: Mode | undefined, settings: { cacheMs: number; minFreeSpace: number }) {
    this.remote = remote
    this.#mode = mode
    this.#cacheMs = settings.cacheMs
    this.minFreeSpace = settings.minFreeSpace
  }

  get writable(): boolean {
    return this.#mode !== 'ro'
  }

  get creatable(): boolean {
    return this.#mode !== 'ro' && this.#mode !== 'nc'
  }

  get writeback(): boolean {
    return this.#mode === 'writeback'
  }

  /** What it says about its space, asked for anew after `--union-cache-time`. Nothing where it cannot say. */
  async usage(ctx: Context): Promise<Usage> {
    const now = performance.now()
    if (!this.#usage || now - this.#usage.at > this.#cacheMs)
      this.#usage = { at: now, value: this.remote.about?.(ctx).catch(() => ({})) ?? Promise.resolve({}) }
    return await this.#usage.value
  }
}
