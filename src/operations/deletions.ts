import { AppError, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { mainOptions } from '../core/options.ts'
import type { FileEntry } from '../remote/remote.ts'
import { DeleteLimit, deleteFile, removeFolder } from './delete.ts'
import type { Ends } from './ends.ts'
import type { Faults } from './faults.ts'
import type { Match } from './march.ts'
import { copyOptions } from './options.ts'
import type { Teller } from './teller.ts'
import { Workers } from './workers.ts'

export interface DeletionsParts {
  readonly faults: Faults
  readonly tell: Teller
  /** Whatever the flags say: after everything else. */
  readonly late: boolean
}

/** What only the destination has, to be deleted by a sync; nothing is once there was an error anywhere. */
export class Deletions {
  readonly when: 'before' | 'during' | 'after'
  readonly #ctx: Context
  readonly #ends: Ends
  readonly #faults: Faults
  readonly #tell: Teller
  readonly #limit: DeleteLimit
  readonly #folders: string[] = []
  #files = new Set<FileEntry>()
  #failed = 0

  constructor(ctx: Context, ends: Ends, { faults, tell, late }: DeletionsParts) {
    const { deleteBefore, deleteDuring, deleteAfter } = ctx.get(copyOptions)
    if ([deleteBefore, deleteDuring, deleteAfter].filter(Boolean).length > 1)
      throw new AppError('usage', 'use one of --delete-before, --delete-during and --delete-after')
    this.when = late ? 'after' : deleteBefore ? 'before' : deleteDuring ? 'during' : 'after'
    this.#ctx = ctx
    this.#ends = ends
    this.#faults = faults
    this.#tell = tell
    this.#limit = new DeleteLimit(ctx)
  }

  /** The files to be deleted. */
  get files(): FileEntry[] {
    return [...this.#files]
  }

  /** Takes what only the destination has. */
  offer({ target }: Match): void {
    if (target?.kind === 'file') this.#files.add(target)
    else if (target) this.#folders.push(target.path)
  }

  /** Leaves a file alone after all. */
  spare(file: FileEntry): void {
    this.#files.delete(file)
  }

  /** Deletes the files, unless there was an error: then it says so. */
  async run(): Promise<void> {
    if (this.#files.size === 0) return
    if (this.#forbidden) this.#leaveAll('not deleting files as there were IO errors')
    else await this.#deleteAll()
    this.#files = new Set()
  }

  /** As `run`, for what was found up to here, and without a word when there was an error: `run` says it at the end. */
  async runSoFar(): Promise<void> {
    if (!this.#forbidden) await this.run()
  }

  /** Removes the folders, deepest first; those that still hold what the filter hides stay. */
  async removeFolders(): Promise<void> {
    if (this.#folders.length === 0) return
    if (this.#forbidden)
      return this.#ctx.log.error('not deleting directories as there were IO errors', { object: this.#object })
    for (const folder of this.#folders.sort().reverse()) {
      if (this.#ctx.signal.aborted) return
      await removeFolder(this.#ctx, this.#ends.target, folder).catch((reason: unknown) => {
        const error = toAppError(reason)
        if (error.code === 'not-empty' || error.code === 'not-found')
          this.#ctx.log.debug(`Failed to Rmdir: ${error.message}`, { object: folder })
        else this.#faults.log(folder, 'Failed to rmdir: ', error)
      })
    }
    this.#folders.length = 0
    return undefined
  }

  get #forbidden(): boolean {
    return this.#ctx.signal.aborted || (this.#faults.any && !this.#ctx.get(copyOptions).ignoreErrors)
  }

  get #object(): string {
    return this.#ends.target.info.description
  }

  /** Says of all files why they are not deleted: trying those again that failed deletes them as well. */
  #leaveAll(message: string): void {
    this.#ctx.log.error(message, { object: this.#object })
    if (this.#ctx.signal.aborted) return
    for (const file of this.#files) this.#tell('!', file, new AppError('io', message))
  }

  async #deleteAll(): Promise<void> {
    const workers = new Workers<undefined>({ slots: this.#ctx.get(mainOptions).checkers, backlog: 1000 })
    for (const file of this.#files) await workers.add(undefined, () => this.#delete(file))
    await workers.idle()
    if (this.#failed > 0) this.#ctx.log.error(`failed to delete ${this.#failed} files`, { object: this.#object })
  }

  /** Never throws. */
  async #delete(file: FileEntry): Promise<void> {
    if (this.#faults.worst?.stop === 'fatal' || this.#ctx.signal.aborted) return
    try {
      if (this.#ends.backup) {
        this.#limit.take(file)
        await this.#ends.backup.keep(file)
      } else if (!(await deleteFile(this.#ctx, this.#ends.target, file, this.#limit))) return
      this.#tell('-', file)
    } catch (reason) {
      const error = toAppError(reason)
      // Somebody else was faster.
      if (error.code === 'not-found') return
      this.#failed++
      this.#tell('!', file, error)
      this.#faults.log(file.path, error.stop ? 'Got fatal error on delete: ' : "Couldn't delete: ", error)
    }
  }
}
