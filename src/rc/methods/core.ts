import { arch, platform, release, version as osVersion } from 'node:os'
import { bodyOf, collect, type Body } from '../../base/body.ts'
import { AppError, messageOf } from '../../base/error.ts'
import { encodeJson } from '../../base/json.ts'
import { disks, diskUsage } from '../../core/disk.ts'
import { collectGarbage, memoryStats } from '../../core/memory.ts'
import { bandwidth, formatLimit, type Timetable } from '../../core/timetable.ts'
import { obscure } from '../../remote/obscure.ts'
import { optional, type ParamType, required } from '../../schema/field.ts'
import {
  any,
  bool,
  float,
  int,
  listOf,
  mapOf,
  nullable,
  object,
  shapeOf,
  string,
  strings,
  texts,
} from '../../schema/params.ts'
import { errorObject } from '../error.ts'
import { Answer, type Call, method, nothing, StreamAnswer } from '../method.ts'
import { wireVersion } from '../wire-version.ts'

/** The name of a stats group; the empty text names none. */
const groupName: ParamType<string | undefined> = {
  ...string,
  read: (key, value) => string.read(key, value) || undefined,
}

const group = { group: optional(groupName, 'Stats group; all groups together when absent') }

export const coreMethods = [
  method({
    path: 'core/bwlimit',
    title: 'Set the bandwidth limit',
    help: 'Without `rate` it only tells the limit in force. `off` removes it; `10M:1M` is 10 MiB/s for what is sent and 1 MiB/s for what is received.',
    input: { rate: optional(string, 'The limit, as --bwlimit has it but without times') },
    output: {
      bytesPerSecond: required(int, 'The larger of the two, where both ways are limited; else -1'),
      bytesPerSecondTx: required(int, 'Bytes per second sent; -1 is unlimited'),
      bytesPerSecondRx: required(int, 'Bytes per second received; -1 is unlimited'),
      rate: required(string, 'The limit as text'),
    },
    run({ services }, { rate }) {
      if (rate !== undefined) services.bandwidth.set(timetableOf(rate))
      const { tx, rx } = services.bandwidth.rates
      const both = Math.min(tx, rx) < 0 ? -1 : Math.max(tx, rx)
      return { bytesPerSecond: both, bytesPerSecondTx: tx, bytesPerSecondRx: rx, rate: formatLimit({ tx, rx }) }
    },
  }),
  method({
    path: 'core/command',
    title: 'Run a command of this program',
    help: 'Runs this program anew with a command line made of `command`, `arg` and `opt`. The answer holds what it wrote, or, with a `returnType` that begins with STREAM, the answer is what it writes, followed by `{}` or by an error object.',
    needs: 'response',
    input: {
      command: optional(string, 'Name of the command; without one, the help is shown'),
      arg: optional(strings, 'Its arguments'),
      opt: optional(texts, 'Its flags, without dashes: {"max-depth": "1"}'),
      returnType: optional(string, 'COMBINED_OUTPUT (default), STREAM, STREAM_ONLY_STDOUT or STREAM_ONLY_STDERR'),
    },
    output: { result: optional(string, 'What it wrote'), error: optional(bool, 'It failed') },
    run: runCommand,
  }),
  method({
    path: 'core/disks',
    title: 'Lists places of this machine where files may be',
    input: nothing,
    output: { disks: required(listOf(string), 'Paths: the home directory, the root, and mounted media') },
    run: async () => ({ disks: await disks() }),
  }),
  method({
    path: 'core/du',
    title: 'Returns disk usage of a locally attached disk',
    open: true,
    input: { dir: optional(string, 'A directory on that disk; that of caches when absent') },
    output: { dir: required(string, 'The directory'), info: required(mapOf(int), 'Available, Free and Total bytes') },
    async run({ services }, { dir = services.cacheDir }) {
      const usage = await diskUsage(dir).catch(async (error: unknown) => {
        // A cache that is not used yet has no directory; its disk is that of the program's.
        if (dir !== services.cacheDir) throw error
        return await diskUsage('/')
      })
      return { dir, info: { Available: usage.available, Free: usage.free, Total: usage.total } }
    },
  }),
  method({
    path: 'core/gc',
    title: 'Runs a garbage collection',
    input: nothing,
    output: nothing,
    run: () => collectGarbage(),
  }),
  method({
    path: 'core/group-list',
    title: 'Returns list of stats',
    open: true,
    input: nothing,
    output: { groups: required(listOf(string), 'Names of the stats groups, in the order in which they were made') },
    run: ({ services }) => ({ groups: services.groups.names.filter((name) => name !== 'global_stats') }),
  }),
  method({
    path: 'core/memstats',
    title: 'Returns the memory statistics',
    help: 'Under the names of Go: `HeapAlloc` is what JavaScript objects take, `Sys` what the system gave to the process. What a Node.js process does not have is 0.',
    input: nothing,
    output: { Alloc: required(int, 'Bytes in use'), Sys: required(int, 'Bytes from the system') },
    run: () => new Answer(memoryStats()),
  }),
  method({
    path: 'core/obscure',
    title: 'Obscures a string passed in',
    input: { clear: required(string, 'The password') },
    output: { obscured: required(string, 'As it stands in a configuration') },
    run: (_call, { clear }) => ({ obscured: obscure(clear) }),
  }),
  method({
    path: 'core/pid',
    title: 'Return PID of current process',
    input: nothing,
    output: { pid: required(int, 'Number of the process') },
    run: () => ({ pid: process.pid }),
  }),
  method({
    path: 'core/quit',
    title: 'Terminates the app',
    input: { exitCode: optional(int, 'Exit status, 0 when absent') },
    output: nothing,
    run({ services }, { exitCode = 0 }) {
      services.program.quit(exitCode)
    },
  }),
  method({
    path: 'core/stats',
    title: 'Returns stats about current transfers',
    open: true,
    input: { ...group, short: optional(bool, 'Leave out the transfers and checks under way') },
    output: {
      bytes: required(int, 'Bytes transferred'),
      checks: required(int, 'Files compared'),
      deletes: required(int, 'Files deleted'),
      deletedDirs: required(int, 'Folders deleted'),
      elapsedTime: required(float, 'Seconds since the group began'),
      errors: required(int, 'Errors'),
      eta: required(nullable(int), 'Seconds to go, null when that is not known'),
      fatalError: required(bool, 'An error after which nothing more is begun'),
      lastError: optional(string, 'The last error'),
      listed: required(int, 'Entries listed'),
      renames: required(int, 'Files renamed'),
      retryError: required(bool, 'An error for which another attempt may help'),
      serverSideCopies: required(int, 'Copies made by a storage'),
      serverSideCopyBytes: required(int, 'Bytes of them'),
      serverSideMoves: required(int, 'Moves made by a storage'),
      serverSideMoveBytes: required(int, 'Bytes of them'),
      speed: required(float, 'Bytes per second'),
      totalBytes: required(int, 'Bytes transferred and known to come'),
      totalChecks: required(int, 'Files compared and known to come'),
      totalTransfers: required(int, 'Files transferred and known to come'),
      transferTime: required(float, 'Seconds in which something was transferred'),
      transfers: required(int, 'Files transferred'),
      checking: optional(listOf(any), 'Files that are compared now'),
      transferring: optional(listOf(object), 'Files that are transferred now'),
    },
    run({ services: { groups } }, { group: name, short = false }) {
      const snapshot = (name === undefined ? groups.snapshot() : groups.get(name).snapshot()) as object
      return new Answer(short ? { ...snapshot, checking: undefined, transferring: undefined } : snapshot)
    },
  }),
  method({
    path: 'core/stats-delete',
    title: 'Delete stats group',
    input: { group: optional(groupName, 'The group') },
    output: nothing,
    run({ services }, { group: name }) {
      if (name !== undefined) services.groups.delete(name)
    },
  }),
  method({
    path: 'core/stats-reset',
    title: 'Reset stats',
    input: group,
    output: nothing,
    run({ services: { groups } }, { group: name }) {
      if (name !== undefined && !groups.has(name))
        throw new AppError('invalid', `group ${JSON.stringify(name)} not found`)
      for (const one of name === undefined ? groups.names : [name]) groups.get(one).reset()
    },
  }),
  method({
    path: 'core/transferred',
    title: 'Returns stats about completed transfers',
    help: 'The last 100 of each group.',
    open: true,
    input: group,
    output: {
      transferred: required(
        listOf(
          shapeOf({
            name: required(string, 'Path'),
            size: required(int, 'Bytes'),
            bytes: required(int, 'Bytes moved'),
            error: required(string, 'What went wrong'),
          }),
        ),
        'Transfers that have ended, the oldest first',
      ),
    },
    run: ({ services: { groups } }, { group: name }) => new Answer({ transferred: groups.transferred(name) }),
  }),
  method({
    path: 'core/version',
    title: 'Shows the current version',
    help: '`version` is that of the interface, so that clients of rclone know what they may call; `sluice` is that of this program.',
    open: true,
    input: nothing,
    output: {
      version: required(string, 'Version of the interface, `v1.76.0-sluice`'),
      decomposed: required(listOf(int), 'The same as numbers'),
      isGit: required(bool, 'Always false'),
      isBeta: required(bool, 'Always false'),
      os: required(string, 'Operating system'),
      osVersion: required(string, 'Version of the operating system'),
      osKernel: required(string, 'Its kernel'),
      osArch: required(string, 'Its architecture'),
      arch: required(string, 'Architecture of the program'),
      goVersion: required(string, 'What runs it: Node.js and its version'),
      linking: required(string, 'Always dynamic'),
      goTags: required(string, 'Always none'),
      sluice: required(string, 'Version of this program'),
    },
    run: ({ services }) => ({
      version: `v${wireVersion.join('.')}-sluice`,
      decomposed: [...wireVersion],
      isGit: false,
      isBeta: false,
      os: platform() === 'win32' ? 'windows' : platform(),
      osVersion: osVersion(),
      osKernel: release(),
      osArch: arch(),
      arch: goArch(),
      goVersion: `node${process.versions.node}`,
      linking: 'dynamic',
      goTags: 'none',
      sluice: services.version,
    }),
  }),
] as const

function timetableOf(rate: string) {
  const timetable = parsed(rate)
  if (timetable.length > 1) throw new AppError('invalid', 'need exactly 1 bandwidth setting')
  return timetable
}

function parsed(rate: string): Timetable {
  try {
    return bandwidth.parse(rate.trim())
  } catch (error) {
    throw new AppError('invalid', `bad bwlimit: ${messageOf(error)}`, { cause: error })
  }
}

const goArch = () => ({ x64: 'amd64', ia32: '386' })[arch() as string] ?? arch()

/** The most that is kept of what a command writes when it is not streamed, bytes. */
const LARGEST_RESULT = 64 * 1024 * 1024

interface CommandInput {
  readonly command?: string | undefined
  readonly arg?: readonly string[] | undefined
  readonly opt?: Readonly<Record<string, string>> | undefined
  readonly returnType?: string | undefined
}

async function runCommand({ services, ctx }: Call, input: CommandInput) {
  const { command = '', arg = [], opt = {}, returnType = 'COMBINED_OUTPUT' } = input
  const outputs = { stdout: returnType !== 'STREAM_ONLY_STDERR', stderr: returnType !== 'STREAM_ONLY_STDOUT' }
  if (!['COMBINED_OUTPUT', 'STREAM', 'STREAM_ONLY_STDOUT', 'STREAM_ONLY_STDERR'].includes(returnType))
    throw new AppError('invalid', `unknown returnType ${JSON.stringify(returnType)}`)
  const flags = Object.entries(opt).flatMap(([name, value]) =>
    [`${name.length === 1 ? '-' : '--'}${name}`, value].filter((word) => word !== ''),
  )
  const args = [...(command === '' ? [] : [command]), ...arg, ...flags]
  const { output, failed } = services.program.run(args, { ...outputs, signal: ctx.signal })
  if (returnType !== 'COMBINED_OUTPUT') return new StreamAnswer(streamed(output, failed, input))
  const result = new TextDecoder().decode(await collect(output, LARGEST_RESULT))
  return { result, error: (await failed) !== undefined }
}

/** What a command writes, and then how it ended. */
async function* streamed(output: Body, failed: Promise<string | undefined>, input: object): Body {
  yield* output
  const message = await failed
  yield* bodyOf(
    encodeJson(message === undefined ? {} : errorObject(new AppError('io', message), 'core/command', input)),
  )
}
