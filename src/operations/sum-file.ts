import type { Body } from '../base/body.ts'
import { discard } from '../base/derive.ts'
import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import type { CheckResult } from './check.ts'
import { Faults } from './faults.ts'
import { hashsum } from './hashsum.ts'
import { fileAt } from './missing.ts'
import { type Tell, teller } from './teller.ts'
import { walk } from './walk.ts'
import { Workers } from './workers.ts'

/** A file of checksums: `sum  path` on each line, as md5sum and its sisters write it. */
export interface SumFile {
  readonly remote: Remote
  readonly path: string
  /** As in `hashKinds`. */
  readonly kind: string
}

export interface SumCheckOptions {
  /** Only what is in the list is looked for. */
  readonly oneWay?: boolean
  /** Reads the files instead of asking the storage. */
  readonly download?: boolean
  /** The checksums in the list are base64 for URLs instead of hex. */
  readonly base64?: boolean
  readonly tell?: Tell
}

/** Lists larger than this are not read: some three million lines. */
const LARGEST = 256 * 1024 * 1024

/** Compares the files of a remote with a list of checksums, which stands for the source. */
export async function checkSums(
  ctx: Context,
  target: Remote,
  list: SumFile,
  options: SumCheckOptions = {},
): Promise<CheckResult> {
  const { kind } = list
  const { oneWay = false, download = false, base64 = false } = options
  const sums = await readSums(ctx, list, base64)
  const faults = new Faults(ctx)
  const { checkers } = ctx.get(mainOptions)
  const workers = new Workers<undefined>({ slots: checkers, backlog: checkers * 16 })
  const tell = teller(ctx, options.tell)
  const counts = { '=': 0, '*': 0, '+': 0, '-': 0 }
  function differ(mark: '*' | '+' | '-', path: string, message: string): void {
    counts[mark]++
    ctx.stats.error(new AppError('io', message))
    ctx.log.error(message, { object: path })
    tell(mark, { path })
  }
  async function compare(file: FileEntry, sum: string): Promise<void> {
    ctx.stats.count('checks')
    try {
      const now = await hashsum(ctx, target, file, { kind, download, base64 })
      if (now === '') throw new AppError('unsupported', `the storage has no ${kind} checksum of it`)
      if (now !== sum) return differ('*', file.path, `${kind} differ`)
      counts['=']++
      tell('=', file)
    } catch (error) {
      faults.log(file.path, '', error)
      tell('!', file, error)
    }
  }
  const failed = (error: Error, dir: string) => faults.log(dir, 'error listing: ', error)
  for await (const entry of walk(ctx, target, { failed })) {
    if (entry.kind !== 'file') continue
    const sum = sums.get(entry.path)
    sums.delete(entry.path)
    if (sum !== undefined) await workers.add(undefined, () => compare(entry, sum))
    else if (!oneWay) differ('-', entry.path, 'file not in the list of checksums')
  }
  await workers.idle()
  for (const path of sums.keys())
    if (ctx.filter.includes(path)) differ('+', path, `file not in ${target.info.description}`)
  faults.throw()
  return {
    differences: counts['*'] + counts['+'] + counts['-'],
    missingOnSource: counts['-'],
    missingOnTarget: counts['+'],
    matches: counts['='],
    unhashed: 0,
    hashType: kind,
  }
}

/** So many lines that are none are told of. */
const MOST_REMARKS = 10

/** Reads a list of checksums; lines that are none are passed over. Throws `not-found`, `too-large`. */
async function readSums(ctx: Context, { remote, path }: SumFile, base64: boolean): Promise<Map<string, string>> {
  const entry = await fileAt(ctx, remote, path)
  if (entry.size > LARGEST) throw new AppError('too-large', `${path} is too large to be a list of checksums`)
  const sums = new Map<string, string>()
  const form = base64 ? /^([\w-]{4,}={0,2}) [ *](.+)$/ : /^([0-9a-fA-F]{4,}) [ *](.+)$/
  let [number, wrong] = [0, 0]
  for await (const line of lines(await remote.open(ctx, entry))) {
    number++
    const [, sum, name] = form.exec(line) ?? []
    if (sum !== undefined && name !== undefined) sums.set(name.replace(/^\.\//, ''), base64 ? sum : sum.toLowerCase())
    else if (/^[^#;]/.test(line) && wrong++ < MOST_REMARKS)
      ctx.log.notice(`improperly formatted checksum line ${number}`, { object: path })
  }
  return sums
}

const LONGEST_LINE = 64 * 1024

async function* lines(body: Body): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  try {
    for await (const chunk of body) {
      const parts = (rest + decoder.decode(chunk, { stream: true })).split(/\r?\n/)
      rest = parts.pop() ?? ''
      yield* parts
      if (rest.length > LONGEST_LINE)
        throw new AppError('invalid', 'this is no list of checksums: it has endless lines')
    }
    if (rest !== '') yield rest
  } finally {
    await discard(body)
  }
}
