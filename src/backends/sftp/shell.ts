import { AppError } from '../../base/error.ts'
import { hasher, hashKinds } from '../../remote/hash.ts'
import type { Usage } from '../../remote/remote.ts'
import type { Values } from '../../schema/option.ts'
import type { sftpOptions } from './index.ts'
import type { Transport } from './transport.ts'

type Options = Values<typeof sftpOptions>
type ShellType = Exclude<Options['shellType'], ''>

/** What the shell of a server can do for us. */
export interface Shell {
  readonly type: ShellType
  /** The command for each kind of checksum. */
  readonly hashCommands: ReadonlyMap<string, string>
}

/** What prints a checksum, by kind; the first that a server has is taken. */
const candidates: Readonly<Record<string, readonly string[]>> = {
  md5: ['md5sum', 'md5 -r', 'rclone md5sum'],
  sha1: ['sha1sum', 'sha1 -r', 'rclone sha1sum'],
  sha256: ['sha256sum', 'sha256 -r', 'rclone hashsum sha256'],
  crc32: ['rclone hashsum crc32'],
}
const standard = ['md5', 'sha1']
const none: Shell = { type: 'none', hashCommands: new Map() }

/** Finds out which shell answers and which checksums it can make. A server without shell is no error. */
export async function shellOf(transport: Transport, options: Options, signal: AbortSignal): Promise<Shell> {
  const type = options.shellType === '' ? await askType(transport, signal) : options.shellType
  if (type === 'none') return none
  return {
    type,
    hashCommands: options.disableHashcheck ? new Map() : await hashCommands(transport, type, options, signal),
  }
}

/** A path as one word of a command line. Throws `invalid` for what the shell cannot be told. */
export function quoted(type: ShellType, path: string): string {
  if (path.includes('\0')) throw new AppError('invalid', 'a path cannot hold a NUL')
  if (type === 'unix') return `'${path.replaceAll("'", `'\\''`)}'`
  if (type === 'powershell') return `'${path.replaceAll("'", "''")}'`
  if (/["%\r\n]/.test(path)) throw new AppError('unsupported', 'cmd.exe cannot be told of this file')
  return `"${path}"`
}

/** The checksum in what a command printed: the first word, without the mark of names that were escaped. */
export function hashIn(printed: string, kind: string): string | undefined {
  const hex = /^\\?([0-9a-fA-F]+)(?=\s|$)/.exec(printed)?.[1]?.toLowerCase()
  return hex?.length === hasher(kind).digest().length ? hex : undefined
}

/** Reads the answer of `df -k`, in which a long name of the device has a line of its own. */
export function usageIn(printed: string): Usage {
  const [, total, used, free] = /\s(\d+)\s+(\d+)\s+(\d+)\s+\d+%\s/.exec(printed.replace(/^.*\n/, '')) ?? []
  if (total === undefined) throw new AppError('io', 'the server does not tell how much space it has')
  return { total: Number(total) * 1024, used: Number(used) * 1024, free: Number(free) * 1024 }
}

/** Each kind of shell leaves another part of this text as it is. */
const question = 'echo ${ShellId}%ComSpec%'

async function askType(transport: Transport, signal: AbortSignal): Promise<ShellType> {
  const { code, stdout } = await transport.run(question, signal)
  const answer = stdout.trim()
  if (code !== 0 || answer === '') return 'none'
  if (answer === '%ComSpec%') return 'unix'
  if (answer === 'Microsoft.PowerShell%ComSpec%') return 'powershell'
  return answer.startsWith('${ShellId}') && answer.endsWith('\\cmd.exe') ? 'cmd' : 'none'
}

async function hashCommands(
  transport: Transport,
  type: ShellType,
  options: Options,
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const wanted = hashKinds.filter((kind) => (options.hashes.length > 0 ? options.hashes : standard).includes(kind))
  const named: Readonly<Record<string, string>> = {
    md5: options.md5sumCommand,
    sha1: options.sha1sumCommand,
    crc32: options.crc32sumCommand,
    sha256: options.sha256sumCommand,
  }
  const found = new Map<string, string>()
  for (const kind of wanted) if (named[kind]) found.set(kind, named[kind])
  const open = wanted
    .filter((kind) => !found.has(kind))
    .flatMap((kind) => (candidates[kind] ?? []).map((command) => ({ kind, command })))
  // Elsewhere nothing of the kind is at hand: a command has to be named.
  if (type === 'unix' && open.length > 0) {
    const { stdout } = await transport.run(
      open.map(({ command }) => `echo "$(${command} 2>/dev/null </dev/null)"`).join(';'),
      signal,
    )
    const lines = stdout.split('\n')
    for (const [i, { kind, command }] of open.entries())
      if (!found.has(kind) && hashIn(lines[i] ?? '', kind) === hasher(kind).digest()) found.set(kind, command)
  }
  for (const [kind, command] of found) if (command === 'none') found.delete(kind)
  return new Map(wanted.flatMap((kind) => (found.has(kind) ? [[kind, found.get(kind) as string]] : [])))
}
