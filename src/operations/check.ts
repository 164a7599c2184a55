import type { Body } from '../base/body.ts'
import { discard } from '../base/derive.ts'
import { AppError, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import type { Mark } from '../core/outcomes.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { commonHash, sameHash } from './compare.ts'
import { Faults } from './faults.ts'
import { bothFiles, march, type Match } from './march.ts'
import { copyOptions } from './options.ts'
import { type Tell, type Teller, teller } from './teller.ts'
import { Workers } from './workers.ts'

export interface CheckOptions {
  /** Only what the source has is looked for. */
  readonly oneWay?: boolean
  /** Compares the bytes instead of checksums. */
  readonly download?: boolean
  /** Compares what the destination has encrypted, by the checksums of what it is kept in (`Remote.holds`). */
  readonly encrypted?: boolean
  /** Called for each file: `+` only the source has it, `-` only the destination. */
  readonly tell?: Tell
}

export interface CheckResult {
  readonly differences: number
  readonly missingOnSource: number
  readonly missingOnTarget: number
  readonly matches: number
  /** Files of which only the size could be compared. */
  readonly unhashed: number
  /** The kind of checksum that was compared; undefined when there is none in common. */
  readonly hashType: string | undefined
}

/** Compares two trees and changes nothing. Differences are a result, not an error; throws when something could not be read. */
export async function check(
  ctx: Context,
  source: Remote,
  target: Remote,
  options: CheckOptions = {},
): Promise<CheckResult> {
  const run = new Check(ctx, source, target, options)
  await run.run()
  return run
}

class Check implements CheckResult {
  differences = 0
  missingOnSource = 0
  missingOnTarget = 0
  matches = 0
  unhashed = 0
  readonly hashType: string | undefined
  readonly #ctx: Context
  readonly #source: Remote
  readonly #target: Remote
  readonly #options: CheckOptions
  readonly #faults: Faults
  readonly #tell: Teller

  constructor(ctx: Context, source: Remote, target: Remote, options: CheckOptions) {
    this.#ctx = ctx
    this.#source = source
    this.#target = target
    this.#options = options
    this.#faults = new Faults(ctx)
    this.#tell = teller(ctx, options.tell)
    this.hashType = options.download || options.encrypted ? undefined : commonHash(source, target)
  }

  async run(): Promise<void> {
    const { checkers } = this.#ctx.get(mainOptions)
    const workers = new Workers<undefined>({ slots: checkers, backlog: checkers * 16 })
    const steps = march(this.#ctx, {
      source: this.#source,
      target: this.#target,
      targetOnly: !this.#options.oneWay,
      failed: (error, side, dir) => {
        const which = side === 'source' ? 'source' : 'destination'
        const at = dir === '' ? (side === 'source' ? this.#source : this.#target).info.description : dir
        this.#faults.log(at, `error reading ${which}${dir === '' ? ' root' : ''} directory: `, error)
        this.#ctx.stats.tell({ mark: '!', path: dir, size: -1, error: error.message })
      },
    })
    for await (const { matches } of steps)
      for (const match of matches)
        if (bothFiles(match)) await workers.add(undefined, () => this.#compare(match.source, match.target))
        else this.#single(match)
    await workers.idle()
    this.#faults.throw()
  }

  /** What only one side has as a file. */
  #single({ source, target }: Match): void {
    if (source?.kind === 'file') {
      this.missingOnTarget++
      this.#differ('+', source, notIn(this.#target))
    } else if (target?.kind === 'file' && !this.#options.oneWay) {
      this.missingOnSource++
      this.#differ('-', target, notIn(this.#source))
    }
  }

  #differ(mark: Mark, file: FileEntry, message: string): void {
    this.differences++
    this.#ctx.stats.error(new AppError('io', message))
    this.#ctx.log.error(message, { object: file.path })
    this.#tell(mark, file)
  }

  /** Never throws. */
  async #compare(source: FileEntry, target: FileEntry): Promise<void> {
    this.#ctx.stats.count('checks')
    try {
      const difference = await this.#difference(source, target)
      if (difference !== undefined) return this.#differ('*', source, difference)
      this.matches++
      this.#ctx.log.debug('OK', { object: source.path })
      this.#tell('=', source)
    } catch (error) {
      this.#faults.log(source.path, '', error)
      this.#tell('!', source, error)
    }
  }

  /** What differs, in words. */
  async #difference(source: FileEntry, target: FileEntry): Promise<string | undefined> {
    const { sizeOnly, ignoreSize } = this.#ctx.get(copyOptions)
    if (!ignoreSize && source.size >= 0 && target.size >= 0 && source.size !== target.size) return 'sizes differ'
    if (sizeOnly) return undefined
    if (this.#options.download) return (await this.#sameBytes(source, target)) ? undefined : 'contents differ'
    if (this.#options.encrypted) return await this.#heldBy(source, target)
    const held = { remote: this.#source, file: source }
    const same = await sameHash(this.#ctx, held, { remote: this.#target, file: target })
    if (same === undefined) this.unhashed++
    return same === false ? `${this.hashType} differ` : undefined
  }

  async #heldBy(source: FileEntry, target: FileEntry): Promise<string | undefined> {
    const transfer = this.#ctx.stats.transfer(source.path, source.size)
    const content = transfer.account(await this.#source.open(this.#ctx, source), () => this.#ctx.signal)
    try {
      const same = await this.#target.holds?.(this.#ctx, target, content)
      if (same === undefined) this.unhashed++
      transfer.done()
      return same === false ? 'hashes differ' : undefined
    } catch (reason) {
      const error = toAppError(reason)
      transfer.done()
      throw error
    } finally {
      await discard(content)
    }
  }

  async #sameBytes(source: FileEntry, target: FileEntry): Promise<boolean> {
    const transfer = this.#ctx.stats.transfer(source.path, source.size)
    try {
      const left = transfer.account(await this.#source.open(this.#ctx, source), () => this.#ctx.signal)
      let right: Body | undefined
      try {
        right = await this.#target.open(this.#ctx, target)
        const same = await equalBodies(left, right)
        transfer.done()
        return same
      } finally {
        await discard(left)
        await discard(right)
      }
    } catch (reason) {
      const error = toAppError(reason)
      transfer.done()
      throw error
    }
  }
}

function notIn(remote: Remote): string {
  return `file not in ${remote.info.description}`
}

/** Reads two bodies in step, up to the first difference. */
export async function equalBodies(left: Body, right: Body): Promise<boolean> {
  const [a, b] = [left[Symbol.asyncIterator](), right[Symbol.asyncIterator]()]
  try {
    let [x, y] = [new Uint8Array(), new Uint8Array()]
    for (;;) {
      if (x.length === 0) x = (await nextChunk(a)) ?? x
      if (y.length === 0) y = (await nextChunk(b)) ?? y
      if (x.length === 0 || y.length === 0) return x.length === y.length
      const length = Math.min(x.length, y.length)
      if (Buffer.compare(x.subarray(0, length), y.subarray(0, length)) !== 0) return false
      x = x.subarray(length)
      y = y.subarray(length)
    }
  } finally {
    await a.return?.()
    await b.return?.()
  }
}

/** The next chunk with bytes in it; undefined at the end. */
async function nextChunk(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array<ArrayBuffer> | undefined> {
  for (;;) {
    const { done, value } = await chunks.next()
    if (done) return undefined
    if (value.length > 0) return value as Uint8Array<ArrayBuffer>
  }
}
