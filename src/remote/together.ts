import type { Remote, RemoteInfo, Trait, Usage } from './remote.ts'

/** What a remote over several others can promise: the hashes that all have, the coarsest times, the limits of each. */
export function togetherInfo(
  infos: readonly RemoteInfo[],
  own: Pick<RemoteInfo, 'name' | 'type' | 'root' | 'description'>,
): RemoteInfo {
  const every = (trait: Trait) => infos.every(({ traits }) => traits[trait])
  const some = (trait: Trait) => infos.some(({ traits }) => traits[trait])
  const precisions = infos.map(({ precision }) => precision)
  const manyNames = some('isLocal') || some('manyNames')
  const traits: Trait[] = [
    ...strengths.filter(every),
    ...limits.filter(some),
    ...(manyNames ? ['manyNames' as const] : []),
  ]
  return {
    ...own,
    hashes: infos[0]?.hashes.filter((kind) => infos.every(({ hashes }) => hashes.includes(kind))) ?? [],
    precision: precisions.includes(undefined) ? undefined : Math.max(...precisions.map((ns) => ns ?? 0)),
    traits: Object.fromEntries(traits.map((trait) => [trait, true])),
  }
}

/** A remote without those of its methods that need one of all those below, or of `some` of them, and lack it. */
export function withoutLacking(
  whole: Remote,
  below: readonly Remote[],
  { all, some = [] }: { readonly all: readonly (keyof Remote)[]; readonly some?: readonly (keyof Remote)[] },
): Remote {
  const lacking = [
    ...all.filter((method) => !below.every((remote) => remote[method])),
    ...some.filter((method) => !below.some((remote) => remote[method])),
  ]
  return Object.assign(whole, Object.fromEntries(lacking.map((method) => [method, undefined])))
}

const strengths = ['isLocal', 'readsAhead', 'emptyDirectories', 'partialUploads'] as const satisfies readonly Trait[]
const limits = [
  'bucketBased',
  'caseInsensitive',
  'duplicateFiles',
  'slowHash',
  'slowModTime',
] as const satisfies readonly Trait[]

/** The usage of several storages together: what one of them does not tell is not known. */
export function totalUsage(all: readonly Usage[]): Usage {
  const sum = (key: keyof Usage): number | undefined =>
    all.reduce<number | undefined>((total, usage) => {
      const value = usage[key]
      return total === undefined || value === undefined ? undefined : total + value
    }, 0)
  const keys = ['total', 'used', 'free', 'trashed', 'objects'] as const
  return Object.fromEntries(keys.map((key) => [key, sum(key)]).filter(([, value]) => value !== undefined))
}
