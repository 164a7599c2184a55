import { spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { find } from '../test/peers.ts'
import type { Figure } from './report.ts'

export interface FilesBench {
  /** Sluice as it is installed. */
  readonly program: string
  readonly rounds: number
  readonly million: boolean
  /** The file of the remotes; none without it. */
  readonly config?: string
  wanted(id: string): boolean
  median(list: readonly number[]): number
}

const SMALL_FILES = 5000
const UNCHANGED = 50_000
const LARGE = 2 * 1024 ** 3
const MILLION = 1_000_000

/** What is measured here; the last one only when a million is asked for. */
export const fileIds: readonly string[] = ['copy', 'sync', 'large', 'million-sync']

/**
 * Copies between two local folders, whole programs beside each other: in memory where there is a file system in memory, so
 * that the disk does not decide. Both programs may use all processors.
 */
export async function fileFigures(bench: FilesBench): Promise<Figure[]> {
  const ids = fileIds.filter((id) => bench.wanted(id) && (bench.million || id !== 'million-sync'))
  if (ids.length === 0) return []
  const dir = mkdtempSync(join(roomy(), 'sluice-bench-'))
  try {
    const figures: Figure[] = []
    for (const id of ids) {
      console.log(`measuring: ${id}`)
      figures.push(await figureOf(id, join(dir, id), bench))
      rmSync(join(dir, id), { recursive: true, force: true })
    }
    return figures
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function figureOf(id: string, dir: string, bench: FilesBench): Promise<Figure> {
  const [source, target] = [join(dir, 'source'), join(dir, 'target')]
  mkdirSync(dir)
  if (id === 'copy') {
    plant(source, SMALL_FILES, 2048)
    const title = `copy of ${SMALL_FILES} files of 2 KB`
    return figure(id, title, 1.2, await race(bench, ['copy', source, target], () => emptied(target)))
  }
  if (id === 'large') {
    plantLarge(source)
    return figure(id, 'copy of a 2 GiB file', 1, await race(bench, ['copy', source, target], () => emptied(target)))
  }
  const count = id === 'sync' ? UNCHANGED : MILLION
  plant(source, count, 1)
  plant(target, count, 1)
  if (id === 'sync')
    return figure(id, `sync of ${count} unchanged files`, 1.3, await race(bench, ['sync', source, target]))
  const peaks: Record<string, number> = {}
  for (const [name, command] of runners(bench))
    peaks[name] = (await run(command, ['sync', source, target])).peak / 2 ** 20
  const title = `sync of ${count} unchanged files: peak memory`
  return { id, title, unit: 'MiB', better: 'less', goals: { limit: 1024 }, medians: peaks }
}

function figure(id: string, title: string, goal: number, medians: Figure['medians']): Figure {
  return { id, title, unit: 'ms', better: 'less', goals: { rclone: goal }, medians }
}

function runners({ program, config = '' }: FilesBench): Map<string, readonly string[]> {
  const rclone = find('rclone')
  return new Map([
    ['sluice', [process.execPath, program, '--config', config]],
    ...(rclone === undefined ? [] : ([['rclone', [rclone, '--config', config]]] as const)),
  ])
}

/** What each program took for its runs, as medians. */
export interface Contest {
  /** Wall time, ms. */
  readonly times: Readonly<Record<string, number>>
  /** The largest resident memory, MiB. */
  readonly peaks: Readonly<Record<string, number>>
}

/**
 * Lets the programs run round by round in turn. The first round warms up and does not count. Arguments may differ by a word
 * for each run.
 */
export async function contest(
  bench: FilesBench,
  args: readonly string[] | ((word: string) => readonly string[]),
  before = () => {},
): Promise<Contest> {
  const all = runners(bench)
  const runs = new Map([...all.keys()].map((name): [string, Run[]] => [name, []]))
  for (let round = 0; round <= bench.rounds; round++)
    for (const [name, command] of all) {
      before()
      const done = await run(command, typeof args === 'function' ? args(`${name}-${round}`) : args)
      if (round > 0) runs.get(name)?.push(done)
    }
  const medians = (of: (run: Run) => number) =>
    Object.fromEntries([...runs].map(([name, list]) => [name, bench.median(list.map(of))]))
  return { times: medians(({ ms }) => ms), peaks: medians(({ peak }) => peak / 2 ** 20) }
}

/** The times of a contest. */
export async function race(...contenders: Parameters<typeof contest>): Promise<Contest['times']> {
  return (await contest(...contenders)).times
}

/** Runs Sluice once, unmeasured. */
export async function runOnce(bench: FilesBench, args: readonly string[]): Promise<void> {
  await run(runners(bench).get('sluice') ?? [], args)
}

/** The rclone of Debian 12 refuses S3 while this is set. */
const { AWS_CA_BUNDLE: _, ...rcloneEnv } = process.env

interface Run {
  /** Wall time, ms. */
  readonly ms: number
  /** Bytes. */
  readonly peak: number
}

/** Runs a program to its end: how long it took, and its largest resident memory (Linux: VmHWM), watched while it runs. */
async function run(command: readonly string[], args: readonly string[]): Promise<Run> {
  const [program = '', ...rest] = command
  const begin = performance.now()
  const child = spawn(program, [...rest, ...args], { stdio: 'ignore', env: rcloneEnv })
  const ended = once(child, 'exit')
  let peak = 0
  const watch = setInterval(() => (peak = Math.max(peak, highWater(child.pid ?? 0))), 100)
  const [code] = (await ended) as [number | null]
  const ms = performance.now() - begin
  clearInterval(watch)
  if (code !== 0) throw new Error(`${[...command, ...args].join(' ')} ended with ${code}`)
  return { ms, peak }
}

function highWater(pid: number): number {
  try {
    return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

/** A folder in memory with room for two copies of the large file, else the one for temporary files. */
export function roomy(): string {
  const memory = '/dev/shm'
  if (!existsSync(memory)) return tmpdir()
  const { bavail, bsize } = statfsSync(memory)
  return bavail * bsize > 3 * LARGE ? memory : tmpdir()
}

/** Files in folders of a hundred or a thousand, all with one time in the past. */
export function plant(root: string, count: number, size: number, perFolder = count > 10_000 ? 1000 : 100): void {
  const content = Buffer.alloc(size, 'sluice ')
  for (let i = 0; i < count; i++) {
    const folder = join(root, `folder ${Math.floor(i / perFolder)}`)
    if (i % perFolder === 0) mkdirSync(folder, { recursive: true })
    const path = join(folder, `file number ${i}.txt`)
    writeFileSync(path, content)
    utimesSync(path, 1.6e9, 1.6e9)
  }
}

function plantLarge(root: string): void {
  mkdirSync(root)
  const fd = openSync(join(root, 'large.bin'), 'w')
  const block = Buffer.alloc(1 << 20, 'sluice ')
  for (let at = 0; at < LARGE; at += block.length) writeSync(fd, block)
  closeSync(fd)
}

export function emptied(dir: string): void {
  rmSync(dir, { recursive: true, force: true })
}

/** A folder with one file of 1 GiB. */
export function plantGibibyte(root: string): void {
  mkdirSync(root, { recursive: true })
  const fd = openSync(join(root, 'large.bin'), 'w')
  const block = Buffer.alloc(1 << 20, 'sluice ')
  for (let at = 0; at < 1024 ** 3; at += block.length) writeSync(fd, block)
  closeSync(fd)
}
