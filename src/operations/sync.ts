import { throwIfAborted } from '../base/abort.ts'
import { AppError, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { unfiltered } from '../core/filter.ts'
import { filterOptions } from '../core/filter-options.ts'
import { mainOptions } from '../core/options.ts'
import type { FileEntry } from '../remote/remote.ts'
import { Budget } from './budget.ts'
import { bothFiles, march, type MarchOptions, type Match } from './march.ts'
import { compareAsked, compareListed, immutableModified, modifyWindow, type Verdict } from './compare.ts'
import { copyFile, copyNow, moveFile } from './copy.ts'
import { Deletions } from './deletions.ts'
import { makeFolder, removeEmptyFolders } from './delete.ts'
import type { Ends } from './ends.ts'
import { Faults } from './faults.ts'
import { FixCase } from './fix-case.ts'
import { leaveOut } from './leave-out.ts'
import { copyOptions, type CopyOptions } from './options.ts'
import { moveWhole } from './move-whole.ts'
import { clash } from './missing.ts'
import { type Order, orderOf } from './order.ts'
import { Renames } from './renames.ts'
import { fromReserve } from './reserve.ts'
import { dropMoved, type Pair, retime } from './same.ts'
import { type Tell, type Teller, teller } from './teller.ts'
import { Workers } from './workers.ts'

export interface SyncOptions {
  /** `copy` adds and replaces, `sync` deletes what only the destination has as well, `move` removes from the source. */
  readonly mode: 'copy' | 'sync' | 'move'
  /** Creates folders that are empty at the source. */
  readonly createEmptySrcDirs?: boolean
  /** `move`: removes folders of the source that are empty then. */
  readonly deleteEmptySrcDirs?: boolean
  /** Called with what became of each file. */
  readonly tell?: Tell
}

/**
 * Makes the destination like the source (serve-http.md 5.3 to 5.6). Goes on after an error with everything else, but deletes
 * nothing then, and throws at the end what says most about it; fatal errors and the limits of the user end it at once.
 */
export async function syncTrees(ctx: Context, ends: Ends, options: SyncOptions): Promise<void> {
  if (ends.same && options.mode === 'move')
    return ctx.log.notice('Nothing to do as source and destination are the same', {
      object: ends.target.info.description,
    })
  if (options.mode !== 'copy' && (ends.same || ends.overlap))
    throw new AppError(
      'invalid',
      "can't sync or move files on overlapping remotes (try excluding the destination with a filter rule)",
      { stop: 'fatal' },
    )
  refuseBlind(ctx, options)
  if (options.mode === 'move' && (await moveWhole(ctx, ends))) return undefined
  return await new Run(ctx, ends, options).run()
}

/** Throws `invalid` when `--no-check-dest` stands beside what needs to know the destination. */
function refuseBlind(ctx: Context, { mode }: SyncOptions): void {
  const { noCheckDest, immutable, backupDir } = ctx.get(copyOptions)
  if (!noCheckDest) return
  const refused = (what: string) => new AppError('invalid', `can't use --no-check-dest with ${what}`)
  if (mode === 'sync') throw refused('sync: use copy instead')
  if (immutable) throw refused('--immutable')
  if (backupDir !== '') throw refused('--backup-dir')
}

function isSimple({ backup, compareDest, copyDest }: Ends, flags: CopyOptions): boolean {
  const { immutable, dryRun, interactive, maxTransfer, metadata } = flags
  const plain = !immutable && !dryRun && !interactive && maxTransfer < 0 && !metadata
  return plain && !backup && compareDest.length + copyDest.length === 0
}

class Run {
  readonly #ctx: Context
  readonly #ends: Ends
  readonly #options: SyncOptions
  readonly #flags: CopyOptions
  readonly #faults: Faults
  readonly #tell: Teller
  readonly #budget: Budget
  readonly #halt = new AbortController()
  readonly #checks: Workers
  readonly #order: Order | undefined
  readonly #transfers: Workers<FileEntry>
  readonly #window: bigint | undefined
  readonly #deletions: Deletions | undefined
  readonly #renames: Renames | undefined
  readonly #fixCase: FixCase | undefined
  readonly #renamed: FileEntry[] = []
  readonly #newFolders: string[] = []
  /** Whether nothing but the copy itself is to be done for a file. */
  readonly #simple: boolean
  #transferred = 0
  /** A limit was reached: what runs may end, nothing else begins. */
  #ended = false

  constructor(outer: Context, ends: Ends, options: SyncOptions) {
    const ctx = outer.with({
      signal: AbortSignal.any([outer.signal, this.#halt.signal]),
      // What was not seen must not be deleted.
      leftOut: (path, message) => this.#failed({ path }, new AppError('invalid', message, { stop: 'no-retry' })),
    })
    this.#ctx = ctx
    this.#ends = ends
    this.#options = options
    this.#flags = ctx.get(copyOptions)
    this.#faults = new Faults(ctx)
    this.#tell = teller(ctx, options.tell)
    this.#budget = new Budget(ctx)
    const { checkers, transfers } = ctx.get(mainOptions)
    this.#checks = new Workers({ slots: checkers, backlog: checkers * 16 })
    this.#order = orderOf(this.#flags.orderBy)
    this.#transfers = new Workers<FileEntry>({
      slots: transfers,
      backlog: this.#flags.checkFirst ? Infinity : this.#flags.maxBacklog,
      order: this.#order,
      closed: this.#flags.checkFirst,
    })
    this.#window = modifyWindow(ctx, ends.source, ends.target)
    this.#fixCase = FixCase.of(ctx, ends.target)
    this.#simple = options.mode !== 'move' && isSimple(ends, this.#flags)
    if (options.mode !== 'sync') return
    this.#renames = this.#flags.trackRenames ? Renames.between(ctx, ends.source, ends.target) : undefined
    this.#deletions = new Deletions(ctx, ends, {
      faults: this.#faults,
      tell: this.#tell,
      late: this.#renames !== undefined,
    })
  }

  async run(): Promise<void> {
    const { maxDuration } = this.#flags
    const timer = maxDuration > 0 && maxDuration < 2 ** 31 ? setTimeout(() => this.#timeUp(), maxDuration) : undefined
    try {
      if (this.#deletions?.when === 'before') await this.#deleteFirst()
      await this.#compareAll()
      await this.#settle()
      await this.#finish()
      throwIfAborted(this.#ctx.signal)
    } catch (error) {
      await this.#settle()
      this.#fault(error)
    } finally {
      clearTimeout(timer)
    }
    this.#faults.throw()
    if (this.#transferred === 0) this.#ctx.log.info('There was nothing to transfer')
  }

  #timeUp(): void {
    const message = 'max transfer duration reached as set by --max-duration'
    const error = new AppError('aborted', message, { stop: 'max-duration' })
    if (this.#flags.cutoffMode === 'HARD') {
      // There may be nothing that the end of all interrupts.
      this.#faults.add(error)
      this.#stop(error)
    } else this.#fault(error, this.#ends.target.info.description)
  }

  /** Ends all that runs. */
  #stop(error: AppError): void {
    if (this.#halt.signal.aborted) return
    this.#ctx.log.error(`Cancelling sync due to fatal error: ${error.message}`)
    this.#halt.abort(error)
  }

  #fault(reason: unknown, object?: string, message = '', counted = false): void {
    const error = toAppError(reason)
    // What ends because all is ended is not an error of its own.
    if (error === this.#halt.signal.reason)
      this.#faults.add(error, { counted: counted || error === this.#faults.worst })
    else if (object === undefined) this.#faults.add(error, { counted })
    else this.#faults.log(object, message, error, { counted })
    if (error.stop === undefined || error.stop === 'no-retry') return
    if (error.stop !== 'fatal' && this.#flags.cutoffMode !== 'HARD') this.#ended = true
    else this.#stop(error)
  }

  /** As `#fault`, for one file that failed. */
  #failed(file: { path: string; size?: number }, reason: unknown, message = '', counted = false): void {
    const error = clash(toAppError(reason))
    this.#fault(error, file.path, message, counted)
    this.#tell('!', file, error)
  }

  /** A first walk that only looks for what to delete. */
  async #deleteFirst(): Promise<void> {
    for await (const { matches } of march(this.#ctx, this.#marchOptions()))
      for (const match of matches) if (!match.source) this.#deletions?.offer(match)
    await this.#deletions?.run()
    await this.#deletions?.removeFolders()
  }

  async #compareAll(): Promise<void> {
    const collect = this.#deletions !== undefined && this.#deletions.when !== 'before'
    for await (const { matches } of march(this.#ctx, this.#marchOptions())) {
      if (this.#ended) return
      for (const match of matches)
        if (match.source) {
          // Most files are the same, which is told without a wait.
          const judged = this.#judge(match)
          if (judged) await judged
        } else if (collect) this.#deletions?.offer(match)
      if (this.#deletions?.when === 'during') await this.#deletions.runSoFar()
    }
  }

  #marchOptions(): MarchOptions {
    const { source, target } = this.#ends
    const { noTraverse, noCheckDest } = this.#flags
    const deleteExcluded = this.#ctx.get(filterOptions).deleteExcluded && this.#deletions !== undefined
    return {
      source,
      target,
      ...(deleteExcluded ? { targetCtx: unfiltered(this.#ctx) } : {}),
      targetOnly: this.#deletions !== undefined,
      lookUp: noTraverse && this.#deletions === undefined,
      blind: noCheckDest && this.#deletions === undefined,
      sourceTimes: this.#order?.times === true,
      failed: (error, side, dir) => {
        const at = side === 'source' ? source.info.description : target.info.description
        const which = side === 'source' ? 'source' : 'destination'
        if (dir === '') this.#fault(error, at, `error reading ${which} root directory: `)
        else this.#fault(error, dir, `error reading ${which} directory: `)
        this.#tell('!', { path: dir }, error)
      },
    }
  }

  #judge(match: Match): Promise<void> | void {
    const { source, target, path } = match
    this.#fixCase?.offer(match)
    if (source?.kind === 'directory') {
      if (!target && this.#options.createEmptySrcDirs) this.#newFolders.push(path)
      return
    }
    if (!source) return
    if (bothFiles(match)) return this.#check(match)
    if (this.#renames) return void this.#renamed.push(source)
    return this.#queue(source, path)
  }

  #check(match: Pair & { readonly path: string }): Promise<void> | void {
    const [source, target] = [
      { remote: this.#ends.source, file: match.source },
      { remote: this.#ends.target, file: match.target },
    ]
    const listed = compareListed(this.#ctx, source, target, this.#window)
    this.#ctx.stats.count('checks')
    if (listed === 'same' && this.#options.mode !== 'move') return this.#unchanged(match)
    if (listed !== 'ask') return this.#act(match, listed)
    return this.#checks.add(undefined, async () => {
      try {
        await this.#act(match, await compareAsked(this.#ctx, source, target, this.#window))
      } catch (error) {
        this.#failed(match.source, error, 'Failed to calculate hash: ')
      }
    })
  }

  async #act(match: Pair & { readonly path: string }, verdict: Verdict): Promise<void> {
    const { source, target, path } = match
    if (verdict === 'copy') return await this.#queue(source, path, target)
    if (verdict === 'touch' && !(await retime(this.#ctx, this.#ends, match)))
      return await this.#queue(source, path, target)
    this.#unchanged(match)
    if (this.#options.mode === 'move') await dropMoved(this.#ctx, this.#ends, match)
    return undefined
  }

  #unchanged({ source }: Pair): void {
    this.#tell('=', source)
    if (this.#ctx.log.enabled('debug')) this.#ctx.log.debug('Unchanged skipping', { object: source.path })
  }

  #queue(file: FileEntry, path: string, existing?: FileEntry): Promise<void> | void {
    const itsTurn = this.#ctx.stats.queued(file.size)
    return this.#transfers.add(file, () => {
      itsTurn()
      return this.#copiedNow(file, path, existing) ? undefined : this.#transfer(file, path, existing)
    })
  }

  /** Copies a small file without a wait, where that is possible. Never throws. */
  #copiedNow(file: FileEntry, path: string, existing: FileEntry | undefined): boolean {
    if (!this.#simple || this.#ended || this.#ctx.signal.aborted) return false
    try {
      if (!copyNow(this.#ctx, { source: this.#ends.source, file, target: this.#ends.target, path, existing }))
        return false
    } catch (error) {
      this.#failed(file, error, 'Failed to copy: ', true)
      this.#transferred++
      return true
    }
    this.#transferred++
    this.#tell(existing ? '*' : '+', file)
    return true
  }

  /** Never throws. What has not begun when all is stopped is left out without a word: `run` says so. */
  async #transfer(file: FileEntry, path: string, existing: FileEntry | undefined): Promise<void> {
    if (this.#ended || this.#ctx.signal.aborted) return
    const { source, target, bridge, backup } = this.#ends
    const move = this.#options.mode === 'move'
    let begun = false
    try {
      if (existing && this.#flags.immutable) throw immutableModified()
      const reserved = await fromReserve(this.#ctx, this.#ends, { file, path, budget: this.#budget })
      if (reserved === 'copied') this.#transferred++
      if (reserved) return this.#tell(reserved === 'copied' ? (existing ? '*' : '+') : '=', file)
      this.#transferred++
      if (existing && backup) await backup.keep(existing)
      begun = true
      const job = { source, file, target, path, existing, bridge, budget: this.#budget }
      const written = await (move ? moveFile(this.#ctx, job) : copyFile(this.#ctx, job))
      if (written || this.#flags.dryRun) this.#tell(existing ? '*' : '+', file)
    } catch (reason) {
      const error = toAppError(reason)
      if (error.message === 'immutable file modified')
        this.#failed(file, error, 'Source and destination exist but do not match: ')
      else this.#failed(file, error, move ? 'Failed to move: ' : 'Failed to copy: ', begun)
    }
  }

  async #settle(): Promise<void> {
    await this.#checks.idle()
    this.#transfers.open()
    await this.#transfers.idle()
  }

  /** All is compared and copied: renames, folders and deletions. */
  async #finish(): Promise<void> {
    if (this.#renames && this.#deletions) {
      this.#renames.offer(this.#deletions.files)
      for (const file of this.#renamed) await this.#renameOrCopy(file, this.#renames, this.#deletions)
      await this.#settle()
    }
    for (const folder of this.#newFolders.sort())
      await makeFolder(this.#ctx, this.#ends.target, folder).catch((error: unknown) => this.#fault(error, folder))
    if (this.#deletions && this.#deletions.when !== 'before') await this.#deletions.run()
    await this.#fixCase?.run((error, path) => this.#failed({ path }, error, 'Failed to rename: '))
    await this.#deletions?.removeFolders()
    if (this.#options.mode === 'move' && this.#options.deleteEmptySrcDirs && !this.#faults.any)
      await removeEmptyFolders(this.#ctx, this.#ends.source, '', { leaveRoot: true })
  }

  async #renameOrCopy(file: FileEntry, renames: Renames, deletions: Deletions): Promise<void> {
    const { target } = this.#ends
    const old = this.#faults.any ? undefined : await renames.take(file).catch(() => undefined)
    if (!old) return await this.#queue(file, file.path)
    deletions.spare(old)
    try {
      const left = await leaveOut(this.#ctx, `rename to ${JSON.stringify(file.path)}`, { object: old.path })
      if (left && !this.#flags.dryRun) return
      if (!left && target.move) await target.move(this.#ctx, old, file.path)
      else if (!left) {
        await target.copy?.(this.#ctx, old, file.path)
        await target.remove(this.#ctx, old)
      }
      this.#transferred++
      this.#ctx.stats.count('renames')
      this.#ctx.log.info(`Renamed from ${JSON.stringify(old.path)}`, { object: file.path })
      this.#tell('+', file)
      this.#tell('-', old)
    } catch (error) {
      this.#failed(file, error, 'Failed to rename: ')
    }
    return undefined
  }
}
