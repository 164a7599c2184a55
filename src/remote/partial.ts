import { randomBytes } from 'node:crypto'
import { fromMs, type Nanoseconds } from '../base/time.ts'

/**
 * Names that uploads have until they are whole, on storage that shows a file from its first byte on: `.sluice-`, sixteen hex
 * digits and the text of `--partial-suffix`. Listings leave them out.
 */
export function partialName(suffix: string): string {
  return `.sluice-${randomBytes(8).toString('hex')}${suffix}`
}

/** True for the name of an upload that is not whole, whatever suffix it was made with. */
export function isPartialName(name: string): boolean {
  return name.startsWith('.sluice-') && /^\.sluice-[0-9a-f]{16}[^/]{1,16}$/.test(name)
}

/** Uploads that were begun longer ago than this and never completed are given up by `cleanup`, in ms. */
export const GIVEN_UP_AFTER_MS = 24 * 3600_000

/** The end of the name that a file has while another one takes its place. */
export const ASIDE = '.replaced'

/** True for the file of an upload that was given up. What was moved aside is never that: it may be all there is of a file. */
export function isGivenUp(name: string, modTime: Nanoseconds): boolean {
  return isPartialName(name) && !name.endsWith(ASIDE) && modTime < fromMs(Date.now() - GIVEN_UP_AFTER_MS)
}
