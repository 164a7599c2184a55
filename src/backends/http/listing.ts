import { Parser } from 'htmlparser2'
import type { Body } from '../../base/body.ts'
import { isEntryName } from '../../base/path.ts'

/** A child that an index page links to. */
export interface Link {
  readonly name: string
  /** The link ended in `/`. */
  readonly directory: boolean
}

/**
 * The children that an index page links to, each once, as they come. A link counts when it leads to something right below the
 * page: same host, no query, no fragment, one more name. Sort links, parents and foreign links fall through that sieve.
 */
export async function* links(body: Body, page: URL): AsyncGenerator<Link> {
  const found: Link[] = []
  const seen = new Set<string>()
  let base = page
  const parser = new Parser({
    onopentag(tag, { href }) {
      if (href === undefined) return
      if (tag === 'base') base = URL.parse(href, page) ?? page
      if (tag !== 'a') return
      const link = childOf(href, base, page)
      if (!link || seen.has(link.name)) return
      seen.add(link.name)
      found.push(link)
    },
  })
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    parser.write(decoder.decode(chunk, { stream: true }))
    yield* found.splice(0)
  }
  parser.end(decoder.decode())
  yield* found
}

/** The child of `page` that a link on it leads to. */
function childOf(href: string, base: URL, page: URL): Link | undefined {
  if (href.includes('?') || href.includes('#')) return undefined
  const url = URL.parse(href, base)
  if (url?.origin !== page.origin) return undefined
  const path = segments(url)
  const parent = segments(page)
  if (!path || !parent || parent.at(-1) !== '') return undefined
  const directory = path.at(-1) === ''
  if (directory) path.pop()
  parent.pop()
  const name = path.pop()
  if (name === undefined || path.length !== parent.length || path.some((part, i) => part !== parent[i]))
    return undefined
  return isEntryName(name) ? { name, directory } : undefined
}

/** The decoded segments of a URL's path; undefined when one is not UTF-8. */
function segments(url: URL): string[] | undefined {
  try {
    return url.pathname.split('/').map((segment) => decodeURIComponent(segment))
  } catch {
    return undefined
  }
}
