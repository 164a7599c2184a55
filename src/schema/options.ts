import { defaultsOf, type OptionBlock, type Values } from './option.ts'

/** Where a value came from, weakest first. */
export type Source = 'default' | 'config' | 'env' | 'flag' | 'rc'

const strength: Readonly<Record<Source, number>> = { default: 0, config: 1, env: 2, flag: 3, rc: 4 }

interface Held {
  readonly values: Map<string, { value: unknown; source: Source }>
  /** What `get` gives, until something changes. */
  frozen: object | undefined
}

/** The values of a block as they are whenever they are looked at, as far as its options are `live`; the others stay as they are now. */
export function liveValues<B extends OptionBlock>(block: B, get: (block: B) => Values<B>): Values<B> {
  const values = { ...get(block) }
  for (const [key, option] of Object.entries(block.options))
    if (option.live)
      Object.defineProperty(values, key, { enumerable: true, get: () => get(block)[key as keyof Values<B>] })
  return values
}

/** The values of all options of one app. A stronger source wins over a weaker one, whatever the order of the calls. */
export class OptionSet {
  readonly blocks: readonly OptionBlock[]
  readonly #held = new Map<OptionBlock, Held>()
  readonly #listeners = new Set<(block: OptionBlock, key: string) => void>()

  constructor(blocks: readonly OptionBlock[]) {
    this.blocks = blocks
  }

  /** The values of a block as one frozen object, the same object until an option of the block changes. */
  get<B extends OptionBlock>(block: B): Values<B> {
    const held = this.#of(block)
    held.frozen ??= Object.freeze({
      ...defaultsOf(block),
      ...Object.fromEntries([...held.values].map(([key, { value }]) => [key, value])),
    })
    return held.frozen as Values<B>
  }

  /** Sets one value, unless a stronger source has set it already. */
  set(block: OptionBlock, key: string, value: unknown, source: Source): void {
    const held = this.#of(block)
    if (strength[this.source(block, key)] > strength[source]) return
    held.values.set(key, { value, source })
    held.frozen = undefined
    for (const listener of this.#listeners) listener(block, key)
  }

  source(block: OptionBlock, key: string): Source {
    return this.#of(block).values.get(key)?.source ?? 'default'
  }

  /** Only the values that somebody set. */
  explicit(block: OptionBlock): Readonly<Record<string, { value: unknown; source: Source }>> {
    return Object.fromEntries(this.#of(block).values)
  }

  /** Calls `listener` after each change; gives the way to stop. */
  onChange(listener: (block: OptionBlock, key: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #of(block: OptionBlock): Held {
    let held = this.#held.get(block)
    if (!held) this.#held.set(block, (held = { values: new Map(), frozen: undefined }))
    return held
  }
}
