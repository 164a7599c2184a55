import type { Entry, Listing } from './remote.ts'

/** The listing that storage makes which reads many entries at a time. */
export function inBatches(batches: () => AsyncIterable<readonly Entry[]>): Listing {
  return { batches, [Symbol.asyncIterator]: () => oneByOne(batches()) }
}

/** The entries of a listing as they are read: many at a time where the storage does so. */
export function batchesOf(listing: Listing): AsyncIterable<readonly Entry[]> {
  return listing.batches?.() ?? alone(listing)
}

async function* oneByOne(batches: AsyncIterable<readonly Entry[]>): AsyncGenerator<Entry> {
  for await (const batch of batches) yield* batch
}

async function* alone(entries: AsyncIterable<Entry>): AsyncGenerator<readonly Entry[]> {
  for await (const entry of entries) yield [entry]
}
