import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { find } from '../test/peers.ts'
import type { Figure } from './report.ts'
import { type Contender, contenders, cpuTime, rss, type Running, start } from './servers.ts'

export interface LiveBench {
  readonly root: string
  readonly scratch: string
  readonly rounds: number
  readonly seconds: number
  median(list: readonly number[]): number
}

/** Listeners of the large mount. */
const MANY = 3000

/** How far somebody may fall behind before a server leaves it, bytes: so far that nobody is left here. */
const LAG = 32 * 1024 * 1024

const sluice: Contender = {
  name: 'sluice',
  command: (root, port, scratch) => [
    ...(contenders.sluice.command(root, port, scratch) ?? []),
    '--live',
    `/live.mp3,max-client-lag=${LAG}B`,
  ],
}

const icecast: Contender = {
  name: 'icecast2',
  command(_root, port, scratch) {
    const program = find('icecast2')
    if (!program) return undefined
    const file = join(scratch, `icecast-${port}.xml`)
    writeFileSync(
      file,
      `<icecast><limits><clients>10000</clients><sources>4</sources><queue-size>${LAG}</queue-size></limits>
       <authentication><source-password>hackme</source-password><admin-user>admin</admin-user><admin-password>hackme</admin-password></authentication>
       <hostname>localhost</hostname><listen-socket><port>${port}</port><bind-address>127.0.0.1</bind-address></listen-socket>
       <paths><basedir>/usr/share/icecast2</basedir><webroot>/usr/share/icecast2/web</webroot><adminroot>/usr/share/icecast2/admin</adminroot></paths>
       <logging><accesslog>-</accesslog><errorlog>-</errorlog><loglevel>1</loglevel></logging>
       <security><changeowner><user>nobody</user><group>nogroup</group></changeowner></security></icecast>`,
    )
    return [program, '-c', file]
  },
}

interface Load {
  readonly reading: number
  readonly resting?: number
  readonly stalled?: number
}

interface Seen {
  /** Milliseconds from the publisher's write to the listener's read. */
  readonly p99: number
  /** Per cent of a core. */
  readonly cpu: number
  /** KiB for each listener. */
  readonly memory: number
}

/** What a live mount of 128 kbit/s costs beside Icecast's, and how long bytes take through it. */
export async function liveFigures(bench: LiveBench): Promise<Figure[]> {
  mkdirSync(bench.root, { recursive: true })
  console.log('measuring: live mounts')
  const one = await both(bench, { reading: 1 })
  const calm = await both(bench, { reading: 50 })
  const stalled = await both(bench, { reading: 50, stalled: 50 })
  const thousand = await both(bench, { reading: 10, resting: 990 })
  const crowd = await both(bench, { reading: MANY })
  const medians = (seen: Map<string, Seen[]>, key: keyof Seen) =>
    Object.fromEntries([...seen].map(([name, list]) => [name, bench.median(list.map((each) => each[key]))]))
  const less = { better: 'less' } as const
  const ratios = Object.fromEntries(
    [...stalled].map(([name, list]) => [
      name,
      bench.median(list.map(({ p99 }, i) => p99 / (calm.get(name)?.[i]?.p99 ?? NaN))),
    ]),
  )
  return [
    {
      ...less,
      id: 'live',
      title: `${MANY} listeners of 128 kbit/s: processor`,
      unit: '% of a core',
      goals: { icecast2: 0.5 },
      medians: medians(crowd, 'cpu'),
    },
    {
      ...less,
      id: 'live-memory',
      title: 'memory for each of them',
      unit: 'KiB',
      goals: { limit: 40 },
      medians: medians(crowd, 'memory'),
    },
    {
      ...less,
      id: 'live-1',
      title: 'byte in to byte out, one listener, p99',
      unit: 'ms',
      goals: { limit: 3 },
      medians: medians(one, 'p99'),
    },
    {
      ...less,
      id: 'live-1000',
      title: 'byte in to byte out, 1000 listeners, p99',
      unit: 'ms',
      goals: { limit: 20 },
      medians: medians(thousand, 'p99'),
    },
    {
      ...less,
      id: 'live-stalled',
      title: 'the same with 50 that stall beside 50, to without',
      unit: '×',
      goals: { limit: 1.2 },
      medians: ratios,
    },
  ]
}

/** Both servers in turn, round by round. */
async function both(bench: LiveBench, load: Load): Promise<Map<string, Seen[]>> {
  const seen = new Map<string, Seen[]>()
  for (let round = 0; round < bench.rounds; round++)
    for (const contender of [sluice, icecast]) {
      const server = await start(contender, bench.root, bench.scratch)
      if (!server) continue
      try {
        const now = await measure(server, load, bench.seconds)
        console.log(`  ${contender.name} ${JSON.stringify({ ...load, ...now })}`)
        seen.set(contender.name, [...(seen.get(contender.name) ?? []), now])
      } finally {
        await server.stop()
      }
    }
  return seen
}

async function measure(
  { pid, port }: Running,
  { reading, resting = 0, stalled = 0 }: Load,
  seconds: number,
): Promise<Seen> {
  const before = rss(pid)
  const args = [port, reading, resting, stalled, seconds].map(String)
  const client = spawn('taskset', ['-c', '1', process.execPath, 'bench/live-client.ts', ...args], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  try {
    let text = ''
    client.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    while (!text.includes('ready')) await Promise.race([once(client.stdout, 'data'), gone(client)])
    await new Promise((resolve) => setTimeout(resolve, 1500))
    const memory = (rss(pid) - before) / 1024 / (reading + resting + stalled)
    const used = cpuTime(pid)
    client.stdin.write('\n')
    await once(client, 'exit')
    // A tick of the system's clock is 10 ms.
    const cpu = (cpuTime(pid) - used) / seconds
    return { ...(JSON.parse(text.split('\n')[1] ?? '') as { p99: number }), cpu, memory }
  } finally {
    client.kill()
  }
}

async function gone(client: ReturnType<typeof spawn>): Promise<never> {
  await once(client, 'exit')
  throw new Error('the listeners have gone')
}
