import { randomBytes } from 'node:crypto'

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
