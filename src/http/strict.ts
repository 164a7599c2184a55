/** Why a request head is refused. */
export interface Refusal {
  readonly status: number
  readonly message: string
}

/** Most header lines that one request may have. */
export const MAX_HEADERS = 100

const badRequest: Refusal = { status: 400, message: '400 Bad Request' }
const version: Refusal = { status: 505, message: 'HTTP Version Not Supported' }
const tooManyHeaders: Refusal = { status: 431, message: '431 Request Header Fields Too Large' }
const method: Refusal = { status: 405, message: 'Method Not Allowed' }
const tooLarge: Refusal = { status: 413, message: 'Content Too Large' }
const coding: Refusal = { status: 501, message: 'Transfer-Encoding must be chunked' }

/** Fields of which a second one would make the request ambiguous. `''` marks the end of the seen ones of this length. */
const single: readonly string[] = [
  'host',
  'range',
  'if-match',
  'if-range',
  'content-type',
  'if-none-match',
  'authorization',
  'content-range',
  'content-length',
  'if-modified-since',
  'transfer-encoding',
  'if-unmodified-since',
]
/** By length, the fields to look for, each with its bit: most names are ruled out by their length or first letter alone. */
const byLength: readonly (readonly { name: string; first: number; bit: number }[] | undefined)[] = (() => {
  const table: { name: string; first: number; bit: number }[][] = []
  for (const [i, name] of single.entries()) {
    const entry = { name, first: name.charCodeAt(0), bit: 1 << i }
    ;(table[name.length] ??= []).push(entry)
  }
  return Array.from(table)
})()
const HOST = 1
const CONTENT_LENGTH = 1 << single.indexOf('content-length')
const TRANSFER_ENCODING = 1 << single.indexOf('transfer-encoding')

/** The head of an HTTP/1 request as Node's parser gives it. */
export interface Head {
  readonly method?: string | undefined
  readonly httpVersionMajor: number
  readonly httpVersionMinor: number
  readonly rawHeaders: readonly string[]
}

/**
 * The checks of an HTTP/1 head that Node's parser leaves to us: version, count of headers, fields that may come only once,
 * Host present and well-formed, transfer coding, a length that a number can hold, methods that are never served. Gives the
 * refusal, or undefined. Allocates nothing for a good request.
 */
export function checkHead(head: Head, knownHost?: string): Refusal | undefined {
  const { rawHeaders, httpVersionMinor } = head
  if (head.httpVersionMajor !== 1 || httpVersionMinor > 1) return version
  if (rawHeaders.length > 2 * MAX_HEADERS) return tooManyHeaders
  let seen = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const bit = singleField(rawHeaders[i] as string)
    if (bit === 0) continue
    if (seen & bit) return badRequest
    seen |= bit
    const refusal = checkField(bit, rawHeaders[i + 1] as string, knownHost)
    if (refusal) return refusal
  }
  if (!(seen & HOST) && httpVersionMinor === 1) return badRequest
  if (seen & TRANSFER_ENCODING && (seen & CONTENT_LENGTH || httpVersionMinor === 0)) return badRequest
  return checkMethod(head.method)
}

function checkField(bit: number, value: string, knownHost: string | undefined): Refusal | undefined {
  if (bit === HOST) return value === knownHost || isHost(value) ? undefined : badRequest
  if (bit === TRANSFER_ENCODING) return value.toLowerCase() === 'chunked' ? undefined : coding
  if (bit === CONTENT_LENGTH) return Number(value) <= Number.MAX_SAFE_INTEGER ? undefined : tooLarge
  return undefined
}

function checkMethod(name: string | undefined): Refusal | undefined {
  return name === 'TRACE' || name === 'CONNECT' ? method : undefined
}

/** The head of an HTTP/2 request; `host` is its authority, or else what the Host header says. */
export interface Head2 {
  readonly method: string
  readonly scheme: string | undefined
  readonly host: string
  readonly rawHeaders: readonly string[]
}

/**
 * The same for an HTTP/2 head, whose framing the protocol library has checked: count and repetition of headers, methods,
 * a scheme that is ours, and an authority that the Host header agrees with.
 */
export function checkHead2({ method: name, scheme, host, rawHeaders }: Head2): Refusal | undefined {
  if (rawHeaders.length > 2 * MAX_HEADERS) return tooManyHeaders
  let seen = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const bit = singleField(rawHeaders[i] as string)
    if (bit === 0) continue
    if (seen & bit || (bit === HOST && rawHeaders[i + 1] !== host)) return badRequest
    seen |= bit
    const refusal = checkField(bit, rawHeaders[i + 1] as string, host)
    if (refusal) return refusal
  }
  if (host === '' || !isHost(host)) return badRequest
  return checkMethod(name) ?? (scheme === 'http' || scheme === 'https' ? undefined : badRequest)
}

function singleField(name: string): number {
  const candidates = byLength[name.length]
  if (candidates === undefined) return 0
  const first = name.charCodeAt(0) | 0x20
  for (const candidate of candidates)
    if (candidate.first === first && (name === candidate.name || name.toLowerCase() === candidate.name))
      return candidate.bit
  return 0
}

/** True for the value of a Host header: a name, IPv4 address or bracketed IPv6 address, with or without a port; or nothing. */
export function isHost(value: string): boolean {
  return /^(?:(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*|\[[0-9A-Fa-f:.]+(?:%25[A-Za-z0-9._~-]+)?\])(?::\d{0,5})?$/.test(
    value,
  )
}

/**
 * True when the host of a request is one of `allowed` (names without port, in lower case): what keeps a web page from
 * reaching a local server under a name of its own (DNS rebinding).
 */
export function isAllowedHost(host: string, allowed: ReadonlySet<string>): boolean {
  return allowed.has(hostName(host))
}

/** True for a name without a dot, `nas`: it is known in a local network alone, and nobody outside can make it mean this machine. */
export function isLocalName(host: string): boolean {
  return /^[a-z0-9_-]+$/i.test(hostName(host))
}

/** The names that a server on these bound addresses answers to when it is to be reached from this machine only. */
export function localHosts(bound: readonly string[], more: readonly string[] = []): ReadonlySet<string> {
  return new Set(['localhost', '127.0.0.1', '::1', ...bound, ...more].map((name) => hostName(name.toLowerCase())))
}

function hostName(host: string): string {
  const name = /^\[([^\]]*)\](?::\d*)?$/.exec(host)?.[1] ?? (isBareV6(host) ? host : host.replace(/:\d*$/, ''))
  return name.toLowerCase()
}

function isBareV6(host: string): boolean {
  return host.indexOf(':') !== host.lastIndexOf(':')
}
