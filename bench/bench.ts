import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bytesPerSecond, hold, rangeScript, requestMs, requestsPerSecond } from './load.ts'
import { cachedContenders } from './cached.ts'
import { cryptFigures, cryptIds } from './crypt.ts'
import { fileFigures, fileIds } from './files.ts'
import { s3Figures, s3Ids } from './s3.ts'
import { sftpFigures, sftpIds } from './sftp.ts'
import { place, putContenders, upload } from './puts.ts'
import { callScript, folderOf, rcContenders } from './rc.ts'
import { liveFigures } from './live.ts'
import { type Figure, table, updated } from './report.ts'
import { type Contender, contenders, cpuTime, install, rss, type Running, start } from './servers.ts'

/**
 * `npm run bench [-- --rounds 5 --only small,listing --million]`: Sluice beside nginx, Caddy and rclone, each pinned to one
 * core while the load runs on the other; medians of interleaved rounds, because machines are noisy. Writes what was measured
 * into bench/results.json and docs/benchmarks.md.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', default: '' },
    million: { type: 'boolean', default: false },
    save: { type: 'boolean', default: true },
  },
  allowNegative: true,
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)
const GIB = 1024 ** 3
const RESULTS = 'bench/results.json'
const ENTRIES = 10_000

const scratch = mkdtempSync(join(tmpdir(), 'sluice-bench-'))
const root = join(scratch, 'root')

function wanted(name: string): boolean {
  return values.only === '' || values.only.split(',').includes(name)
}

/** Puts what was measured in its place among the rest. */
function save(now: readonly Figure[]): void {
  const { figures: earlier } = JSON.parse(readFileSync(RESULTS, 'utf8')) as { readonly figures: readonly Figure[] }
  const figures = updated(earlier, now)
  const results = { cpu: cpus()[0]?.model, node: process.version, rounds, figures }
  writeFileSync(RESULTS, `${JSON.stringify(results, null, 2)}\n`)
  writeFileSync('docs/benchmarks.md', table(figures))
}

function makeFixture(): void {
  mkdirSync(join(root, 'many'), { recursive: true })
  writeFileSync(join(root, 'small.txt'), 'a'.repeat(1024))
  const big = openSync(join(root, 'big.bin'), 'w')
  const block = Buffer.alloc(1 << 20, 'sluice ')
  for (let i = 0; i < 1024; i++) writeSync(big, block)
  closeSync(big)
  for (let i = 0; i < ENTRIES; i++) writeFileSync(join(root, 'many', `file number ${i}.txt`), '')
  if (!values.million) return
  mkdirSync(join(root, 'million'))
  for (let i = 0; i < 1_000_000; i++) closeSync(openSync(join(root, 'million', `f${i}`), 'w'))
}

/** Measures all contenders in turn, round by round, and gives each one's median. */
async function interleaved(
  who: readonly Contender[],
  measure: (server: Running) => Promise<number>,
): Promise<Map<string, number>> {
  const servers: Running[] = []
  const samples = new Map<string, number[]>()
  try {
    for (const contender of who) {
      const server = await start(contender, root, scratch)
      if (server) servers.push(server)
    }
    warm()
    for (let round = 0; round < rounds; round++)
      for (const server of servers)
        samples.set(server.name, [...(samples.get(server.name) ?? []), await measured(server, measure)])
  } finally {
    for (const server of servers) await server.stop()
  }
  return new Map([...samples].map(([name, list]) => [name, median(list)]))
}

/**
 * Measures one server that was warmed up by the same just before (an idle process grows cold while others run), then waits
 * until it is idle: what it still does for clients that left must not cost the next one.
 */
async function measured(server: Running, measure: (server: Running) => Promise<number>): Promise<number> {
  await measure(server)
  const value = await measure(server)
  for (let i = 0, before = -1; i < 50 && cpuTime(server.pid) !== before; i++) {
    before = cpuTime(server.pid)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return value
}

/** Brings the large file into memory: what is measured is the server, not the disk. */
function warm(): void {
  execFileSync('dd', [`if=${join(root, 'big.bin')}`, 'of=/dev/null', 'bs=1M', 'status=none'])
}

function median(list: readonly number[]): number {
  return list.toSorted((a, b) => a - b)[Math.floor(list.length / 2)] ?? NaN
}

const { sluice, nginx, caddy, rclone, node } = contenders
const peers = [sluice, nginx, caddy, rclone]

async function throughput(): Promise<Figure[]> {
  const figures: Figure[] = []
  const add = async (
    id: string,
    title: string,
    unit: string,
    goals: Figure['goals'],
    run: () => Promise<Map<string, number>>,
  ) => {
    if (!wanted(id)) return
    console.log(`measuring: ${title}`)
    figures.push({
      id,
      title,
      unit,
      better: unit === 'ms' ? 'less' : 'more',
      goals,
      medians: Object.fromEntries(await run()),
    })
  }
  await add('small', '1 KiB file, 64 keep-alive connections', 'requests/s', { nginx: 0.6, rclone: 10 }, () =>
    interleaved([...peers, node], (s) =>
      requestsPerSecond(`http://127.0.0.1:${s.port}/small.txt`, { connections: 64, seconds }),
    ),
  )
  await add('big', '1 GiB file, one connection', 'bytes/s', { nginx: 1, rclone: 5 }, () =>
    interleaved(peers, (s) => bytesPerSecond(s.port, '/big.bin', GIB)),
  )
  const script = rangeScript(scratch, GIB)
  await add('ranges', 'random ranges of 64 KiB, 16 connections', 'requests/s', { nginx: 0.3, rclone: 20 }, () =>
    interleaved(peers, (s) =>
      requestsPerSecond(`http://127.0.0.1:${s.port}/big.bin`, { connections: 16, seconds, script }),
    ),
  )
  const cached = (measure: (server: Running) => Promise<number>) => () => {
    const filled = new Set<Running>()
    return withServer((storage) =>
      interleaved(cachedContenders(storage), async (server) => {
        if (!filled.has(server)) await bytesPerSecond(server.port, '/big.bin', GIB)
        filled.add(server)
        return await measure(server)
      }),
    )
  }
  await add(
    'cached',
    'random ranges of 64 KiB of a file in the file cache, 16 connections',
    'requests/s',
    { rclone: 3 },
    cached((s) => requestsPerSecond(`http://127.0.0.1:${s.port}/big.bin`, { connections: 16, seconds, script })),
  )
  await add(
    'cached-big',
    '1 GiB file in the file cache, one connection',
    'bytes/s',
    { rclone: 1 },
    cached((s) => bytesPerSecond(s.port, '/big.bin', GIB)),
  )
  await add('listing', `HTML listing of ${ENTRIES} entries`, 'ms', { rclone: 0.4 }, () =>
    interleaved(peers, async (s) => (await requestMs(`http://127.0.0.1:${s.port}/many/`)).total),
  )
  const calls = (name: string, method: string, input: object) => () =>
    interleaved(rcContenders, (s) =>
      requestsPerSecond(`http://127.0.0.1:${s.port}/${method}`, {
        connections: 16,
        seconds,
        script: callScript(scratch, name, input),
      }),
    )
  const hundred = { fs: folderOf(root, 100), remote: '' }
  await add('noop', 'rc/noop, 16 connections', 'calls/s', { rclone: 1 }, calls('noop', 'rc/noop', { a: 1 }))
  await add(
    'rclist',
    'operations/list of 100 entries, 16 connections',
    'calls/s',
    { rclone: 1 },
    calls('rclist', 'operations/list', hundred),
  )
  return figures
}

/** Uploads, beside nginx. */
async function uploads(): Promise<Figure[]> {
  if (!wanted('puts')) return []
  const title = '64 uploads of 100 MB at once'
  console.log(`measuring: ${title}`)
  const here = place()
  const memory: number[] = []
  try {
    const medians = await interleaved(putContenders(here), async (server) => {
      const run = await upload(server, here)
      if (server.name === 'sluice') memory.push(run.memory)
      return run.speed
    })
    return [
      {
        id: 'puts',
        title,
        unit: 'bytes/s',
        better: 'more',
        goals: { nginx: 0.8 },
        medians: Object.fromEntries(medians),
      },
      {
        id: 'puts-memory',
        title: 'memory for 64 uploads at once',
        unit: 'MiB',
        better: 'less',
        goals: { limit: 64 },
        medians: { sluice: Math.max(...memory) / 2 ** 20 },
      },
    ]
  } finally {
    here.remove()
  }
}

/** Figures of Sluice alone, against limits. */
async function alone(): Promise<Figure[]> {
  if (!wanted('alone')) return []
  const figures: Figure[] = []
  const limit = (id: string, title: string, unit: string, value: number, most: number) =>
    figures.push({ id, title, unit, better: 'less', goals: { limit: most }, medians: { sluice: value } })
  const starts: number[] = []
  for (let i = 0; i < rounds; i++) {
    const server = await begin()
    starts.push(server.startMs)
    await server.stop()
  }
  limit('start', 'start to listening', 'ms', median(starts), 250)
  await withServer(async (server) => limit('idle', 'idle memory', 'MiB', rss(server.pid) / 2 ** 20, 90))
  await withServer(async (server) => {
    const per = await perConnection(server, 300, 'GET /big.bin HTTP/1.1\r\nHost: localhost\r\n\r\n')
    limit('stalled', 'memory for each of 300 stalled readers of a large file', 'KiB', per / 1024, 160)
  })
  await withServer(async (server) => {
    const per = await perConnection(server, 10_000, 'GET /small.txt HTTP/1.1\r\nHost: localhost\r\n\r\n')
    limit('connections', 'memory for 10,000 idle keep-alive connections', 'MiB', (per * 10_000) / 2 ** 20, 250)
  })
  if (values.million) await withServer((server) => million(server, limit))
  return figures
}

async function million(
  server: Running,
  limit: (id: string, title: string, unit: string, value: number, most: number) => void,
) {
  const before = rss(server.pid)
  let peak = before
  const watch = setInterval(() => (peak = Math.max(peak, rss(server.pid))), 50)
  const { first } = await requestMs(`http://127.0.0.1:${server.port}/million/`)
  clearInterval(watch)
  limit('million-first', 'listing of 1,000,000 entries: first byte', 'ms', first, 1000)
  limit('million-memory', 'listing of 1,000,000 entries: memory', 'MiB', (peak - before) / 2 ** 20, 64)
}

async function begin(): Promise<Running> {
  const server = await start(sluice, root, scratch)
  if (!server) throw new Error('sluice did not start')
  return server
}

async function withServer<T>(use: (server: Running) => Promise<T>): Promise<T> {
  const server = await begin()
  try {
    return await use(server)
  } finally {
    await server.stop()
  }
}

async function perConnection(server: Running, count: number, request: string): Promise<number> {
  await requestMs(`http://127.0.0.1:${server.port}/small.txt`)
  const before = rss(server.pid)
  const sockets = await hold(server.port, count, request)
  await new Promise((resolve) => setTimeout(resolve, 1500))
  const after = rss(server.pid)
  for (const socket of sockets) socket.destroy()
  return (after - before) / count
}

try {
  execFileSync(process.execPath, ['tools/build.ts'], { stdio: 'inherit' })
  install(scratch)
  if (!values.only.split(',').every((id) => [...fileIds, ...s3Ids, ...sftpIds, ...cryptIds, 'live'].includes(id)))
    makeFixture()
  execFileSync('sync') // what the disk still has to write must not be measured
  const program = join(scratch, 'package/bin/sluice.js')
  const files = await fileFigures({ program, rounds, million: values.million, wanted, median })
  const s3 = await s3Figures({ program, rounds, million: false, wanted, median })
  const sftp = await sftpFigures({ program, rounds, million: false, wanted, median })
  const crypt = await cryptFigures({ program, rounds, million: false, wanted, median })
  const live = wanted('live') ? await liveFigures({ root, scratch, rounds, seconds, median }) : []
  const figures = [
    ...files,
    ...s3,
    ...sftp,
    ...crypt,
    ...(await throughput()),
    ...(await uploads()),
    ...(await alone()),
    ...live,
  ]
  console.log(table(figures))
  if (values.save) save(figures)
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
