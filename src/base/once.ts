/** A function that does its work on the first call only and gives the same promise to every caller; a failure is not kept. */
export interface Once<T> {
  (): Promise<T>
  /** The promise when the work was begun, else undefined. */
  readonly begun: Promise<T> | undefined
}

export function once<T>(work: () => Promise<T>): Once<T> {
  let begun: Promise<T> | undefined
  function run(): Promise<T> {
    begun ??= work().catch((error: unknown) => {
      begun = undefined
      throw error
    })
    return begun
  }
  return Object.defineProperty(run, 'begun', { get: () => begun }) as Once<T>
}
