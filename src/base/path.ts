import { AppError } from './error.ts'

declare const canonical: unique symbol
/**
 * A path inside a remote that has been through `canonicalPath`: segments joined by `/`, no leading or trailing slash, no
 * empty, `.` or `..` segment, no NUL. The root is `''`. Auth rules, filters and storage all get this one value.
 */
export type CanonicalPath = string & { readonly [canonical]: true }

export const root = '' as CanonicalPath

/** Joins two slash paths; either may be empty. */
export function join(parent: string, name: string): string {
  return parent === '' ? name : name === '' ? parent : `${parent}/${name}`
}

/** The path of the parent directory, `''` at the top. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash < 0 ? '' : path.slice(0, slash)
}

/** The last segment. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** True when `path` is `dir` itself or lies below it. */
export function isInside(path: string, dir: string): boolean {
  return dir === '' || path === dir || (path.startsWith(dir) && path[dir.length] === '/')
}

/** True for a name that a backend may list: not empty, not `.` or `..`, without `/` or NUL. */
export function isEntryName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !name.includes('/') && !name.includes('\0')
}

/** Brands a path that is already in canonical form (from a listing, from configuration); throws `invalid` otherwise. */
export function asCanonical(path: string): CanonicalPath {
  if (path !== '')
    for (const segment of path.split('/'))
      if (!isEntryName(segment)) throw new AppError('invalid', 'not a canonical path')
  return path as CanonicalPath
}
