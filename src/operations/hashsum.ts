import { AppError, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import { hashBody, hasher, hashKinds } from '../remote/hash.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { hashOf } from './compare.ts'
import { Faults } from './faults.ts'
import { ordered } from '../base/ordered.ts'
import { walk } from './walk.ts'

/** The name that Sluice has for a kind of checksum, from any spelling: `MD5`, `SHA-1`. Throws `unsupported`. */
export function hashKind(text: string): string {
  const kind = text.toLowerCase().replaceAll('-', '')
  if (hashKinds.includes(kind)) return kind
  throw new AppError('unsupported', `unknown hash type ${JSON.stringify(text)}`)
}

export interface HashsumOptions {
  /** As in `hashKinds`. */
  readonly kind: string
  /** Reads the files instead of asking the storage. */
  readonly download?: boolean
  /** Base64 for URLs instead of hex. */
  readonly base64?: boolean
}

/** Checksums of all files, in order, `--checkers` at once. A line may hold `UNSUPPORTED` or `ERROR` in place of the sum. */
export async function* hashsums(
  ctx: Context,
  remote: Remote,
  options: HashsumOptions,
): AsyncGenerator<{ readonly sum: string; readonly path: string }> {
  const faults = new Faults(ctx)
  const failed = (error: Error, dir: string) => faults.log(dir, 'error listing: ', error)
  const width = widthOf(options.kind)
  const sums = ordered(walk(ctx, remote, { failed }), ctx.get(mainOptions).checkers, async (entry) => {
    if (entry.kind !== 'file') return undefined
    ctx.stats.count('checks')
    try {
      const sum = await hashsum(ctx, remote, entry, options)
      return { sum: sum === '' ? 'UNSUPPORTED'.padStart(width) : sum, path: entry.path }
    } catch (reason) {
      const error = toAppError(reason)
      if (error.code === 'aborted') throw error
      faults.log(entry.path, 'Failed to hash: ', error)
      return { sum: 'ERROR'.padStart(width), path: entry.path }
    }
  })
  for await (const line of sums) if (line) yield line
  faults.throw()
}

/** The checksum of one file; `''` when the storage has none of this kind. */
export async function hashsum(
  ctx: Context,
  remote: Remote,
  file: FileEntry,
  { kind, download, base64 }: HashsumOptions,
): Promise<string> {
  const sum = download ? await downloaded(ctx, remote, file, kind) : await hashOf(ctx, { remote, file }, kind)
  return base64 && sum !== '' ? Buffer.from(sum, 'hex').toString('base64url').padEnd(base64Length(sum), '=') : sum
}

async function downloaded(ctx: Context, remote: Remote, file: FileEntry, kind: string): Promise<string> {
  const transfer = ctx.stats.transfer(file.path, file.size)
  try {
    const sum = await hashBody(
      transfer.account(await remote.open(ctx, file), () => ctx.signal),
      kind,
    )
    transfer.done()
    return sum
  } catch (reason) {
    const error = toAppError(reason)
    transfer.done(error)
    throw error
  }
}

const base64Length = (hex: string) => Math.ceil(hex.length / 2 / 3) * 4

function widthOf(kind: string): number {
  return hasher(kind).digest().length
}
