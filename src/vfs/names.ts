import { AppError } from '../base/error.ts'
import { nameOf } from '../base/path.ts'
import type { Entry } from '../remote/remote.ts'
import type { Listing } from './directory.ts'

/** How names may differ from what is asked and still be meant. */
export interface NamePolicy {
  readonly ignoreCase: boolean
  readonly normalize: boolean
}

/** The form in which names are compared: Unicode NFC, and lower case where case does not count. */
export function fold(name: string, policy: NamePolicy): string {
  const form = policy.normalize ? name.normalize('NFC') : name
  return policy.ignoreCase ? form.toLowerCase() : form
}

/**
 * The entry of that name; else the only one whose name means the same. Throws `busy` when two would do: serving either could
 * be serving the wrong file.
 */
export function findName(listing: Listing, name: string, policy: NamePolicy): Entry | undefined {
  const exact = listing.byName.get(name)
  if (exact || (!policy.ignoreCase && !policy.normalize)) return exact
  const wanted = fold(name, policy)
  let found: Entry | undefined
  for (const [candidate, entry] of listing.byName) {
    if (fold(candidate, policy) !== wanted) continue
    if (found)
      throw new AppError(
        'busy',
        `duplicate filename ${JSON.stringify(candidate)} and ${JSON.stringify(nameOf(found.path))} detected with case/unicode normalization settings`,
      )
    found = entry
  }
  return found
}

/** The entries without those whose name means the same as one before; `hidden` is told of each. */
export function withoutTwins(entries: readonly Entry[], policy: NamePolicy, hidden: (entry: Entry) => void): Entry[] {
  const seen = new Set<string>()
  return entries.filter((entry) => {
    const name = fold(nameOf(entry.path), policy)
    if (!seen.has(name)) return seen.add(name)
    hidden(entry)
    return false
  })
}
