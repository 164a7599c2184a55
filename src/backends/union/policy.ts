import type { Context } from '../../core/context.ts'
import type { Entry } from '../../remote/remote.ts'
import type { Upstream } from './upstream.ts'

/** Which upstreams something is done with. With `ep` in front only those count, for new files, that have their folder already. */
export const policies = [
  'all',
  'epall',
  'epff',
  'eplfs',
  'eplus',
  'eplno',
  'epmfs',
  'eprand',
  'ff',
  'lfs',
  'lus',
  'lno',
  'mfs',
  'newest',
  'rand',
] as const

export type Policy = (typeof policies)[number]

/** An upstream, and what it has at the path in question. */
export interface Candidate {
  readonly upstream: Upstream
  readonly entry?: Entry | undefined
}

/** True when new files go only where their folder is there already. */
export function needsPath(policy: Policy): boolean {
  return policy.startsWith('ep') || policy === 'newest'
}

/** Those of the candidates that a policy means: all of them, or one. They keep their order. */
export async function picked<C extends Candidate>(
  ctx: Context,
  policy: Policy,
  candidates: readonly C[],
  random: () => number = Math.random,
): Promise<readonly C[]> {
  const kind = policy.replace(/^ep/, '')
  if (kind === 'all' || candidates.length < 2) return candidates
  if (kind === 'rand') return candidates.slice(Math.floor(random() * candidates.length)).slice(0, 1)
  const scores = await Promise.all(candidates.map((candidate) => score(ctx, kind, candidate)))
  const best = scores.indexOf(scores.reduce((a, b) => (b > a ? b : a)))
  return candidates.slice(best, best + 1)
}

/** How well a candidate fits: the highest counts, of equal ones the first. */
async function score(ctx: Context, kind: string, { upstream, entry }: Candidate): Promise<number> {
  if (kind === 'newest') return Number(entry?.modTime ?? 0n)
  if (kind === 'ff') return 0
  const { free, used, objects } = await upstream.usage(ctx)
  // What is not known counts as no limit.
  if (kind === 'mfs') return free ?? Infinity
  if (kind === 'lfs')
    return free !== undefined && free < upstream.minFreeSpace ? -Infinity : -(free ?? Number.MAX_VALUE)
  return -((kind === 'lus' ? used : objects) ?? 0)
}
