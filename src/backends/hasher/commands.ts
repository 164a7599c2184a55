import { collect } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Json } from '../../base/json.ts'
import { join } from '../../base/path.ts'
import type { Context } from '../../core/context.ts'
import { hashKinds } from '../../remote/hash.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { parseSpec, splitSpec, formatSpec } from '../../remote/spec.ts'
import { ANY_VERSION, type Kept, type SumStore } from './store.ts'

export interface CommandParts {
  readonly remote: Remote
  readonly store: SumStore
  /** Where this remote is rooted in the one whose checksums are kept. */
  readonly root: string
  readonly openRemote: (spec: string) => Promise<Remote>
  /** Keeps checksums of a file as it is now. */
  readonly keep: (file: FileEntry, sums: Readonly<Record<string, string>>) => void
}

/** A list of checksums that is larger is none. */
const LONGEST_LIST = 256 * 1024 * 1024

/** Runs a command that `index.ts` declares. Throws `unsupported` for others. */
export async function runCommand(
  ctx: Context,
  parts: CommandParts,
  name: string,
  args: readonly string[],
): Promise<Json> {
  const { store, root } = parts
  switch (name) {
    case 'drop':
      store.removeBelow('')
      return null
    case 'dump':
      return [...store.all()].filter(({ path }) => root === '' || path.startsWith(`${root}/`)).map(shown)
    case 'fulldump':
      return [...store.all()].map(shown)
    case 'import':
      return await importList(ctx, parts, args, false)
    case 'stickyimport':
      return await importList(ctx, parts, args, true)
    default:
      throw new AppError('unsupported', 'command not found')
  }
}

function shown({ path, fingerprint, at, sums }: Kept): Json {
  return { path, ...(fingerprint === ANY_VERSION ? { sticky: true } : {}), kept: new Date(at).toISOString(), sums }
}

/** Files that are not there are left out, unless what is said of them holds for any version. */
async function importList(ctx: Context, parts: CommandParts, args: readonly string[], sticky: boolean): Promise<Json> {
  const [word = '', list] = args
  const kind = word.toLowerCase()
  if (list === undefined || !hashKinds.includes(kind))
    throw new AppError('invalid', `two arguments are needed: a checksum (${hashKinds.join(', ')}) and a file of them`)
  let [taken, left] = [0, 0]
  for (const [path, sum] of linesOf(await textOf(ctx, parts, list))) {
    const entry = sticky ? undefined : await parts.remote.stat(ctx, path)
    if (sticky)
      parts.store.set({ path: join(parts.root, path), fingerprint: ANY_VERSION, at: Date.now(), sums: { [kind]: sum } })
    else if (entry?.kind === 'file') parts.keep(entry, { [kind]: sum })
    if (sticky || entry?.kind === 'file') taken++
    else left++
  }
  return { imported: taken, missing: left }
}

async function textOf(ctx: Context, { openRemote }: CommandParts, list: string): Promise<string> {
  const { parent, name } = splitSpec(parseSpec(list))
  const folder = await openRemote(formatSpec(parent))
  const file = await folder.stat(ctx, name)
  if (file?.kind !== 'file') throw new AppError('not-found', `${list}: file not found`)
  return Buffer.from(await collect(await folder.open(ctx, file), LONGEST_LIST)).toString()
}

/** The lines of md5sum and its like: the checksum, two blanks or a blank and a star, the name. */
function* linesOf(text: string): Generator<readonly [path: string, sum: string]> {
  for (const line of text.split(/\r?\n/)) {
    const [, sum, path] = /^([0-9a-fA-F]+) [ *](.+)$/.exec(line) ?? []
    if (sum !== undefined && path !== undefined) yield [path.replace(/^\.\//, ''), sum.toLowerCase()]
  }
}
