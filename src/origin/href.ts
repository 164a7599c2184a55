const harmless = /^[\w.~-]+$/

/**
 * A name as one segment of a relative link, percent-encoded as Go encodes paths so that rclone's clients read it back. Not
 * escaped for HTML: `&` stays.
 */
export function encodeName(name: string): string {
  if (harmless.test(name)) return name
  return encodeURIComponent(name.toWellFormed())
    .replace(/%(?:24|26|2B|2C|3A|3B|3D|40)/g, decodeURIComponent)
    .replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`)
}

/** The relative link to an entry of the directory that the page is about: directories end in `/`, a colon is no scheme. */
export function hrefOf(name: string, directory: boolean): string {
  const encoded = encodeName(name)
  return `${encoded.includes(':') ? './' : ''}${encoded}${directory ? '/' : ''}`
}
