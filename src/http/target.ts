import { root, type CanonicalPath } from '../base/path.ts'
import { textResponse } from './error.ts'
import type { HttpResponse } from './message.ts'

/** What a request target names. The fields are those of `HttpRequest`. */
export interface Target {
  readonly rawPath: string
  readonly path: CanonicalPath
  readonly directory: boolean
  readonly query: string
  readonly base: string
}

/** What is known of the target of a request that is refused for another reason. */
export function unreadTarget(url: string): Target {
  const [rawPath = '', ...query] = url.split('?')
  return { rawPath, path: root, directory: true, query: query.join('?'), base: '' }
}

const SLASH = 47
const DOT = 46
const QUESTION = 63

/** Bytes that stand for themselves in a path and need no second look: 1. All others take the careful way. */
const plain = new Uint8Array(128)
for (const c of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_~!$&'()*+,;=:@.")
  plain[c.charCodeAt(0)] = 1

/**
 * Reads a request target (RFC 9112 section 3.2): origin form, absolute form for the host asked, or `*` of OPTIONS, which is
 * the root with rawPath `*`. Percent signs are decoded once, as strict UTF-8; `%2F` is a slash, slashes in a row count as
 * one, a backslash is an ordinary character, `./` before the name of a file with a colon is as if it were not there. Raw control characters and NUL, bad escapes and `.` or `..` segments are refused (400), so
 * that no target leads out of the root. `base` is taken off; outside of it is 404, and the base itself without its slash is
 * 308 to the one with it. Gives the target, or the answer that refuses it.
 *
 * `base` comes from `normalBase`; `host` is the checked Host header.
 */
export function parseTarget(url: string, method: string, host: string, base: string): Target | HttpResponse {
  if (url === '*' && method === 'OPTIONS') return { rawPath: '*', path: root, directory: true, query: '', base }
  const origin = url.charCodeAt(0) === SLASH ? url : originForm(url, host)
  const target = plainTarget(origin) ?? carefulTarget(origin)
  if (target === undefined) return textResponse(400)
  return base === '' ? target : below(target, base)
}

/** The path and query of an absolute-form target for `host`; `''`, which is no target, for any other. */
function originForm(url: string, host: string): string {
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url)
  if (absolute?.[1]?.toLowerCase() !== host.toLowerCase()) return ''
  const rest = absolute[2] ?? ''
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** The target when its path has nothing to decode or to refuse, which is nearly always. */
function plainTarget(url: string): Target | undefined {
  if (url.charCodeAt(0) !== SLASH) return undefined
  let end = url.length
  let afterSlash = true
  for (let i = 1; i < url.length; i++) {
    const c = url.charCodeAt(i)
    if (c === SLASH) {
      if (afterSlash) return undefined
      afterSlash = true
    } else if (c === QUESTION) {
      end = i
      break
    } else {
      if (plain[c] !== 1 || (afterSlash && c === DOT)) return undefined
      afterSlash = false
    }
  }
  return {
    rawPath: end === url.length ? url : url.slice(0, end),
    path: url.slice(1, afterSlash && end > 1 ? end - 1 : end) as CanonicalPath,
    directory: afterSlash,
    query: url.slice(end + 1),
    base: '',
  }
}

function carefulTarget(url: string): Target | undefined {
  if (url.charCodeAt(0) !== SLASH) return undefined
  const question = url.indexOf('?')
  const rawPath = question < 0 ? url : url.slice(0, question)
  const query = question < 0 ? '' : url.slice(question + 1)
  const decoded = decodePath(rawPath)
  if (decoded === undefined) return undefined
  // rclone up to 1.60 writes `./` before a name with a colon, so that it is no scheme, and forgets to take it off again. It
  // would take such a directory for an empty one, so that this is for files alone.
  const segments = decoded
    .split('/')
    .filter(
      (segment, i, all) => segment !== '' && !(segment === '.' && i === all.length - 2 && all[i + 1]?.includes(':')),
    )
  if (segments.includes('.') || segments.includes('..')) return undefined
  return { rawPath, path: segments.join('/') as CanonicalPath, directory: decoded.endsWith('/'), query, base: '' }
}

function below(target: Target, base: string): Target | HttpResponse {
  const { path, directory, query } = target
  const prefix = base.slice(1)
  if (path === prefix && !directory) return redirect(`${encodePath(base)}/`, query)
  if (path !== prefix && !path.startsWith(`${prefix}/`)) return textResponse(404, '404 page not found')
  return { ...target, path: path.slice(prefix.length + 1) as CanonicalPath, base }
}

/** Decodes the percent signs of a raw path once; undefined when an escape is broken, the bytes are not UTF-8, or they hold a NUL. */
export function decodePath(rawPath: string): string | undefined {
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f]/.test(rawPath)) return undefined
  // Bytes above 127 arrive as one character each: as escapes they are held to UTF-8 like all others.
  const ascii = rawPath.replace(/[\x80-\xff]/g, (c) => `%${c.charCodeAt(0).toString(16)}`)
  try {
    const decoded = decodeURIComponent(ascii)
    // Names on a disk may hold any other control character, a line break too: escaped it is a name like all others.
    return decoded.includes('\0') ? undefined : decoded
  } catch {
    return undefined
  }
}

function redirect(location: string, query: string): HttpResponse {
  return textResponse(308, undefined, ['location', query === '' ? location : `${location}?${query}`])
}

/** The form of `--baseurl` that `parseTarget` takes: `''`, or a slash and the decoded path without one at its end. */
export function normalBase(text: string): string {
  const path = text.split('/').filter((segment) => segment !== '')
  return path.length === 0 ? '' : `/${path.join('/')}`
}

/** Percent-encodes a path for a `Location` header or a link; slashes stay. */
export function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}
