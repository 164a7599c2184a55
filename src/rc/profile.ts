import { promisify } from 'node:util'
import { gzip } from 'node:zlib'

/** A place in the program: what a stack is made of. */
export interface Frame {
  readonly name: string
  readonly file: string
  /** Counted from 1; 0 = not known. */
  readonly line: number
}

/** What was seen: stacks, each with one value for each kind. */
export interface Profile {
  /** Kind and unit of the values: `['cpu', 'nanoseconds']`. */
  readonly kinds: readonly (readonly [kind: string, unit: string])[]
  /** The innermost frame first. */
  readonly samples: readonly { readonly stack: readonly Frame[]; readonly values: readonly number[] }[]
  /** For how long was looked, ms. */
  readonly durationMs: number
  /** How much lies between two samples, in the unit of the last kind. */
  readonly period: number
}

/** A profile as `go tool pprof` reads it: profile.proto, gzipped. */
export async function encodeProfile(profile: Profile): Promise<Uint8Array> {
  const format = await import('pprof-format')
  const texts = new format.StringTable()
  const text = (value: string) => texts.dedup(value)
  const functions = new Map<string, InstanceType<typeof format.Function>>()
  const locations = new Map<string, InstanceType<typeof format.Location>>()
  function locationOf({ name, file, line }: Frame): number {
    const key = `${name}\n${file}`
    let found = functions.get(key)
    if (!found) {
      const id = functions.size + 1
      found = new format.Function({
        id,
        name: text(name),
        systemName: text(name),
        filename: text(file),
        startLine: line,
      })
      functions.set(key, found)
    }
    const at = `${String(found.id)}:${line}`
    let location = locations.get(at)
    if (!location) {
      const id = locations.size + 1
      location = new format.Location({ id, mappingId: 1, line: [new format.Line({ functionId: found.id, line })] })
      locations.set(at, location)
    }
    return Number(location.id)
  }
  const kinds = profile.kinds.map(([kind, unit]) => new format.ValueType({ type: text(kind), unit: text(unit) }))
  const sample = profile.samples.map(
    ({ stack, values }) => new format.Sample({ locationId: stack.map(locationOf), value: values.map(Math.round) }),
  )
  const periodType = kinds.at(-1)
  const encoded = new format.Profile({
    sampleType: kinds,
    sample,
    mapping: [
      new format.Mapping({ id: 1, filename: text(process.execPath), hasFunctions: true, hasLineNumbers: true }),
    ],
    location: [...locations.values()],
    function: [...functions.values()],
    stringTable: texts,
    timeNanos: BigInt(Date.now()) * 1_000_000n,
    durationNanos: Math.round(profile.durationMs * 1e6),
    ...(periodType ? { periodType } : {}),
    period: profile.period,
  }).encode()
  return await promisify(gzip)(encoded)
}

/** A profile for people: the places with the most of the last kind, summed over all stacks that end there. */
export function profileText(name: string, profile: Profile): string {
  const last = profile.kinds.length - 1
  const sums = new Map<string, number>()
  for (const { stack, values } of profile.samples) {
    const [place] = stack
    const where = place ? `${place.name} ${place.file}${place.line > 0 ? `:${place.line}` : ''}` : '(unknown)'
    sums.set(where, (sums.get(where) ?? 0) + (values[last] ?? 0))
  }
  const total = [...sums.values()].reduce((sum, value) => sum + value, 0)
  const rows = [...sums].toSorted(([, a], [, b]) => b - a).map(([where, value]) => `${Math.round(value)} @ ${where}\n`)
  const unit = profile.kinds[last]?.[1] ?? 'count'
  return `${name} profile: total ${Math.round(total)}${unit === 'count' ? '' : ` ${unit}`}\n${rows.join('')}`
}
