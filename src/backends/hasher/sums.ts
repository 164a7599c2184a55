import { join } from '../../base/path.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { ANY_VERSION, type Sums, type SumStore } from './store.ts'

interface SumsParts {
  readonly inner: Remote
  readonly store: SumStore
  readonly root: string
  /** The checksums that are kept. */
  readonly kinds: readonly string[]
  /** For how long, in ms. */
  readonly maxAge: number
}

/** The checksums that are known of files, as long as these are the same. */
export class KeptSums {
  readonly #parts: SumsParts

  constructor(parts: SumsParts) {
    this.#parts = parts
  }

  get kinds(): readonly string[] {
    return this.#parts.kinds
  }

  of(file: FileEntry): Sums {
    const { store, root, maxAge } = this.#parts
    if (this.kinds.length === 0) return {}
    const kept = store.get(join(root, file.path))
    if (!kept || kept.at + maxAge < Date.now()) return {}
    return kept.fingerprint === ANY_VERSION || kept.fingerprint === this.#fingerprint(file) ? kept.sums : {}
  }

  keep(file: FileEntry, sums: Sums): void {
    const { store, root } = this.#parts
    const fingerprint = this.#fingerprint(file)
    if (this.kinds.length === 0 || fingerprint === undefined || Object.keys(sums).length === 0) return
    store.set({ path: join(root, file.path), fingerprint, at: Date.now(), sums: { ...this.of(file), ...sums } })
  }

  /** What tells one version of a file from another; undefined when nothing does. */
  #fingerprint({ size, modTime, version }: FileEntry): string | undefined {
    if (this.#parts.inner.info.precision !== undefined) return `${size},${modTime}`
    return version === undefined ? undefined : `${size},${version}`
  }
}
