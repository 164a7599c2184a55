import type { HeapProfiler, NodeTracing, Profiler, Runtime } from 'node:inspector'
import type { Session } from 'node:inspector/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Frame, Profile } from './profile.ts'

/** What looks at this process while it works. All of it slows the process down a little, for as long as it looks. */

/** Which functions the processor was in, sampled for some ms. */
export async function profileCpu(ms: number, signal: AbortSignal): Promise<Profile> {
  const intervalUs = 10_000
  return await inspecting(async (session) => {
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: intervalUs })
    await session.post('Profiler.start')
    await sleep(ms, undefined, { signal })
    const { profile } = await session.post('Profiler.stop')
    return cpuProfile(profile, ms, intervalUs)
  })
}

function cpuProfile(profile: Profiler.Profile, durationMs: number, intervalUs: number): Profile {
  const parents = new Map<number, number>()
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node.id)
  const seen = new Map<number, { count: number; us: number }>()
  for (const [index, id] of (profile.samples ?? []).entries()) {
    const held = seen.get(id) ?? { count: 0, us: 0 }
    seen.set(id, { count: held.count + 1, us: held.us + Math.max(0, profile.timeDeltas?.[index] ?? 0) })
  }
  function stackOf(id: number | undefined): Frame[] {
    const node = id === undefined ? undefined : nodes.get(id)
    if (!node || node.callFrame.functionName === '(root)') return []
    return [frameOf(node.callFrame), ...stackOf(parents.get(node.id))]
  }
  return {
    kinds: [
      ['samples', 'count'],
      ['cpu', 'nanoseconds'],
    ],
    samples: [...seen]
      .map(([id, { count, us }]) => ({ stack: stackOf(id), values: [count, us * 1000] }))
      .filter(({ stack }) => stack.length > 0 && stack[0]?.name !== '(idle)'),
    durationMs,
    period: intervalUs * 1000,
  }
}

/** What was put on the heap within some ms: what is still there, or all of it. */
export async function profileHeap(ms: number, kind: 'inuse' | 'alloc', signal: AbortSignal): Promise<Profile> {
  const samplingInterval = 32 * 1024
  return await inspecting(async (session) => {
    await session.post('HeapProfiler.startSampling', {
      samplingInterval,
      includeObjectsCollectedByMajorGC: kind === 'alloc',
      includeObjectsCollectedByMinorGC: kind === 'alloc',
    })
    await sleep(ms, undefined, { signal })
    const { profile } = await session.post('HeapProfiler.stopSampling')
    return {
      kinds: [
        [`${kind}_objects`, 'count'],
        [`${kind}_space`, 'bytes'],
      ],
      samples: heapSamples(profile as HeapProfile & typeof profile),
      durationMs: ms,
      period: samplingInterval,
    }
  })
}

/** The types of Node leave out what tells how many objects there are. */
interface HeapNode extends HeapProfiler.SamplingHeapProfileNode {
  readonly id: number
  readonly children: HeapNode[]
}
interface HeapProfile {
  readonly head: HeapNode
  readonly samples: readonly { readonly nodeId: number }[]
}

function heapSamples(profile: HeapProfile): Profile['samples'] {
  const counts = new Map<number, number>()
  for (const { nodeId } of profile.samples) counts.set(nodeId, (counts.get(nodeId) ?? 0) + 1)
  const samples: Profile['samples'][number][] = []
  function walk(node: HeapNode, above: readonly Frame[]): void {
    const stack = node.callFrame.functionName === '(root)' ? above : [frameOf(node.callFrame), ...above]
    if (node.selfSize > 0 && stack.length > 0)
      samples.push({ stack, values: [counts.get(node.id) ?? 1, node.selfSize] })
    for (const child of node.children) walk(child, stack)
  }
  walk(profile.head, [])
  return samples
}

/** What the process waits for: timers, sockets, requests of files. The nearest thing to goroutines. */
export function activeResources(): Profile {
  const counts = new Map<string, number>()
  for (const name of process.getActiveResourcesInfo()) counts.set(name, (counts.get(name) ?? 0) + 1)
  return counted('goroutine', [...counts])
}

/** A profile of names that were counted; none for what Node does not know. */
export function counted(kind: string, counts: readonly (readonly [name: string, count: number])[]): Profile {
  return {
    kinds: [[kind, 'count']],
    samples: counts.map(([name, count]) => ({ stack: [{ name, file: 'node', line: 0 }], values: [count] })),
    durationMs: 0,
    period: 1,
  }
}

/** Events of the engine for some ms, as JSON in the Trace Event Format that chrome://tracing and Perfetto show. */
export async function trace(ms: number, signal: AbortSignal): Promise<string> {
  return await inspecting(async (session) => {
    const events: object[] = []
    session.on('NodeTracing.dataCollected', ({ params }: { params: NodeTracing.DataCollectedEventDataType }) => {
      events.push(...params.value)
    })
    const complete = Promise.withResolvers<void>()
    session.once('NodeTracing.tracingComplete', () => complete.resolve())
    const includedCategories = ['v8', 'node', 'node.async_hooks', 'node.fs', 'node.http', 'node.net']
    await session.post('NodeTracing.start', { traceConfig: { includedCategories } })
    await sleep(ms, undefined, { signal })
    await session.post('NodeTracing.stop')
    await complete.promise
    return JSON.stringify({ traceEvents: events })
  })
}

function frameOf({ functionName, url, lineNumber }: Runtime.CallFrame): Frame {
  return { name: functionName || '(anonymous)', file: url.replace(/^file:\/\//, ''), line: lineNumber + 1 }
}

async function inspecting<T>(work: (session: Session) => Promise<T>): Promise<T> {
  const inspector = await import('node:inspector/promises')
  const session = new inspector.Session()
  session.connect()
  try {
    return await work(session)
  } finally {
    // Ends what it has begun as well.
    session.disconnect()
  }
}
