import { decodePath, encodePath } from '../http/target.ts'

/** A host of no meaning: what leads to another one is not ours. */
const HERE = 'http://here.invalid/'

/**
 * The path in the tree that a manifest means by a reference, relative to where it lies itself (RFC 3986 section 5); undefined
 * when that is on another server, or no path.
 */
export function referenced(from: string, reference: string): string | undefined {
  const url = URL.parse(reference.trim(), `${HERE}${encodePath(from)}`)
  if (!url || `${url.origin}/` !== HERE) return undefined
  const path = decodePath(url.pathname)
  if (path === undefined) return undefined
  const segments = path.split('/').filter((segment) => segment !== '' && segment !== '.')
  return segments.includes('..') || segments.length === 0 ? undefined : segments.join('/')
}
