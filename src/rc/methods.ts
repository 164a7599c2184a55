import { AppError } from '../base/error.ts'
import type { Method } from './method.ts'

/** The methods of an app by path. */
export class Methods {
  readonly #byPath: ReadonlyMap<string, Method>

  constructor(methods: readonly Method[]) {
    this.#byPath = new Map(methods.map((one) => [one.path, one]))
  }

  get(path: string): Method | undefined {
    return this.#byPath.get(path)
  }

  /** The method at a path. Throws `not-found` as clients know it. */
  find(path: string): Method {
    const found = this.#byPath.get(path)
    if (!found) throw new AppError('not-found', `couldn't find method ${JSON.stringify(path)}`)
    return found
  }

  /** All methods, in order of their paths. */
  get all(): readonly Method[] {
    return [...this.#byPath.values()].toSorted((a, b) => (a.path < b.path ? -1 : 1))
  }
}
