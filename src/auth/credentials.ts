/** A user name and password as a client sent them. */
export interface Credentials {
  readonly user: string
  readonly pass: string
}

/** Longest user name or password that is looked at, in bytes: hashing must not be a way to burn time. */
const LONGEST = 1024

/**
 * The credentials of an `Authorization: Basic` header (RFC 7617), or undefined when it is none, is broken, or has a control
 * character or more than 1024 bytes in either part. The scheme may be written in any case.
 */
export function parseBasic(header: string | undefined): Credentials | undefined {
  const encoded = header && /^basic +([A-Za-z0-9+/_-]+={0,2}) *$/i.exec(header)?.[1]
  if (!encoded) return undefined
  const bytes = Buffer.from(encoded, 'base64')
  const text = decode(bytes)
  const colon = text?.indexOf(':') ?? -1
  if (text === undefined || colon < 0 || /[\u0000-\u001f\u007f]/.test(text)) return undefined
  const [user, pass] = [text.slice(0, colon), text.slice(colon + 1)]
  return user.length > LONGEST || pass.length > LONGEST ? undefined : { user, pass }
}

/** UTF-8, or Latin-1 as old browsers send it. */
function decode(bytes: Buffer): string | undefined {
  if (bytes.length > 2 * LONGEST + 1) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return bytes.toString('latin1')
  }
}
