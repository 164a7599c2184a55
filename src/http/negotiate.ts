/** One member of an Accept-* list: its value in lower case without parameters, and its weight from 0 to 1. */
export interface Preference {
  readonly value: string
  readonly q: number
}

/** More members than this are not looked at. */
const maxMembers = 64

/** Reads a list with weights (RFC 9110 section 12.4.2). A weight that cannot be read counts as 0: it was meant to say less. */
export function parsePreferences(header: string): Preference[] {
  const preferences: Preference[] = []
  for (const member of header.split(',', maxMembers)) {
    const [value = '', ...parameters] = member.split(';')
    const name = value.trim().toLowerCase()
    if (name === '') continue
    let q = 1
    for (const parameter of parameters) {
      const weight = /^\s*q\s*=(.*)$/i.exec(parameter)?.[1]?.trim()
      if (weight !== undefined) q = /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(weight) ? Number(weight) : 0
    }
    preferences.push({ value: name, q })
  }
  return preferences
}

/**
 * The content coding to send, of those `available` in our own order of preference; undefined = none, send the bytes as
 * they are (RFC 9110 section 12.5.3). A coding must be named by the client or covered by `*`.
 */
export function preferredEncoding<T extends string>(
  header: string | undefined,
  available: readonly T[],
): T | undefined {
  if (header === undefined) return undefined
  const preferences = parsePreferences(header)
  const weight = (coding: string) => preferences.find((p) => p.value === coding)?.q
  const any = weight('*') ?? 0
  let best: T | undefined
  let bestWeight = 0
  for (const coding of available) {
    const q = weight(coding) ?? (coding === 'gzip' ? weight('x-gzip') : undefined) ?? any
    if (q > bestWeight) [best, bestWeight] = [coding, q]
  }
  // Identity is acceptable unless ruled out; a client that prefers it gets it.
  return (weight('identity') ?? 0) > bestWeight ? undefined : best
}

/**
 * The media type to send, of those `available` in our own order (RFC 9110 section 12.5.1). The most specific range decides
 * the weight of a type; among equal weights the more specifically asked for wins, then our order. The first one when the
 * client takes none of them, or says nothing.
 */
export function preferredType<T extends string>(header: string | undefined, available: readonly [T, ...T[]]): T {
  let best = available[0]
  if (header === undefined) return best
  const preferences = parsePreferences(header)
  let bestScore = 0
  for (const type of available) {
    const ranges = [type, `${type.slice(0, type.indexOf('/'))}/*`, '*/*']
    const specific = ranges.findIndex((range) => preferences.some((p) => p.value === range))
    const q = preferences.find((p) => p.value === ranges[specific])?.q ?? 0
    const score = q === 0 ? 0 : q * 1000 + (2 - specific) / 10
    if (score > bestScore) [best, bestScore] = [type, score]
  }
  return best
}
