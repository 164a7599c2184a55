import { isEntryName } from '../../base/path.ts'
import { lengthOf, opaqueTag, timeOf } from '../../remote/download.ts'
import type { Entry } from '../../remote/remote.ts'
import { childOf, textOf, type XmlElement } from '../../net/xml.ts'

/** What is asked for of each entry. */
export const propfind = `<?xml version="1.0" encoding="utf-8"?>
<propfind xmlns="DAV:" xmlns:oc="http://owncloud.org/ns" xmlns:me="http://messagingengine.com/ns/"><prop>
<resourcetype/><getcontentlength/><getlastmodified/><getetag/><getcontenttype/>
<oc:checksums/><oc:permissions/><me:sha1hex/>
</prop></propfind>`

export const quota = `<?xml version="1.0" encoding="utf-8"?>
<propfind xmlns="DAV:"><prop><quota-available-bytes/><quota-used-bytes/></prop></propfind>`

/** Sets the time of a file, as ownCloud and those after it take it; whole seconds. */
export function proppatch(seconds: bigint): string {
  return `<?xml version="1.0" encoding="utf-8"?>
<propertyupdate xmlns="DAV:"><set><prop><lastmodified>${seconds}</lastmodified></prop></set></propertyupdate>`
}

/** The properties of an answer that the server has: those within a `propstat` of status 200. */
export function propertiesOf(response: XmlElement): XmlElement | undefined {
  const found = response.children.filter(({ name }) => name === 'propstat')
  return childOf(
    found.find((propstat) => isFine(textOf(propstat, 'status'))),
    'prop',
  )
}

/** The status of an answer that nothing came of; undefined when at least some properties are fine. */
export function failureOf(response: XmlElement): number | undefined {
  const propstats = response.children.filter(({ name }) => name === 'propstat')
  const all = [response, ...propstats].map((each) => textOf(each, 'status'))
  const failed = all.find((status) => !isFine(status))
  const whole = !isFine(all[0]) || !all.slice(1).some(isFine)
  return failed !== undefined && whole ? Number(/ (\d{3})/.exec(failed)?.[1] ?? 500) : undefined
}

/** RFC 4918 section 14.28: a whole status line. Some servers leave it out where all is well. */
function isFine(status: string | undefined): boolean {
  return status === undefined || / 2\d\d\b/.test(status)
}

/**
 * The names that the `href` of an answer has below the directory at `base`, decoded: none for the directory itself. An href is
 * a URL or an absolute path (RFC 4918 section 8.3); which host it names does not matter, for behind a proxy it is often another. Undefined
 * for what lies elsewhere or has names that no entry can have.
 */
export function namesBelow(href: string, base: URL): readonly string[] | undefined {
  const path = /^(?:[a-z][a-z0-9+.-]*:)?(?:\/\/[^/?#]*)?(\/[^?#]*)/i.exec(href.trim())?.[1]
  const names = path === undefined ? undefined : segments(path)
  const above = segments(base.pathname)
  if (!names || !above || above.some((name, i) => names[i] !== name)) return undefined
  const below = names.slice(above.length)
  return below.every(isEntryName) ? below : undefined
}

function segments(path: string): string[] | undefined {
  try {
    const parts = path.slice(1).split('/').map(decodeURIComponent)
    if (parts.at(-1) === '') parts.pop()
    return parts
  } catch {
    return undefined
  }
}

/** The entry that an answer is about. */
export function entryOf(path: string, properties: XmlElement | undefined): Entry {
  const text = (name: string) => textOf(properties, name)
  const modTime = timeOf(text('getlastmodified')) ?? 0n
  if (childOf(properties, 'resourcetype', 'collection')) return { kind: 'directory', path, modTime }
  const hashes = hashesOf(properties)
  const [contentType, version] = [text('getcontenttype'), opaqueTag(text('getetag'))]
  return {
    kind: 'file',
    path,
    size: lengthOf(text('getcontentlength')),
    modTime,
    ...(contentType ? { contentType } : {}),
    ...(version === undefined ? {} : { version }),
    ...(Object.keys(hashes).length === 0 ? {} : { hashes }),
  }
}

/** `SHA1:… MD5:… ADLER32:…` of ownCloud, and the SHA-1 of Fastmail. */
function hashesOf(properties: XmlElement | undefined): Record<string, string> {
  const fastmail = textOf(properties, 'sha1hex')
  const owncloud = childOf(properties, 'checksums')?.children.map(({ text }) => text) ?? []
  const pairs = owncloud
    .flatMap((text) => text.trim().split(/\s+/))
    .map((pair) => pair.split(':'))
    .map(([kind = '', value = '']) => [kind.toLowerCase(), value.toLowerCase()] as const)
    .filter(([kind, value]) => (kind === 'sha1' || kind === 'md5') && value !== '')
  return { ...(fastmail ? { sha1: fastmail.toLowerCase() } : {}), ...Object.fromEntries(pairs) }
}

/** The permission letters of ownCloud: `S` is shared by somebody, `M` is mounted. */
export function permissionsOf(properties: XmlElement | undefined): string {
  return textOf(properties, 'permissions') ?? ''
}
