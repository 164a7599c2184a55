/** `-v2001-02-03-040506-123` at the end of a name, before its extension: what `--s3-versions` adds to old versions. */
const suffix = /-v\d{4}-\d{2}-\d{2}-\d{6}-\d{3}$/

/** A name without its version, and the version; `''` when it has none. */
export function withoutVersion(name: string): { readonly name: string; readonly version: string } {
  const { base, extension } = parts(name)
  const version = suffix.exec(base)?.[0] ?? ''
  return { name: base.slice(0, base.length - version.length) + extension, version }
}

/** Puts a version back where it belongs. */
export function withVersion(name: string, version: string): string {
  const { base, extension } = parts(name)
  return base + version + extension
}

function parts(name: string): { readonly base: string; readonly extension: string } {
  const dot = name.lastIndexOf('.')
  return dot < 0 ? { base: name, extension: '' } : { base: name.slice(0, dot), extension: name.slice(dot) }
}
