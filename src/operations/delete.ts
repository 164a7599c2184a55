import { throwIfAborted } from '../base/abort.ts'
import { AppError, toAppError } from '../base/error.ts'
import { isInside, parentOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import { unfiltered } from '../core/filter.ts'
import { mainOptions } from '../core/options.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { Faults } from './faults.ts'
import { leaveOut } from './leave-out.ts'
import { directoryNotFound, fileAt, isFile } from './missing.ts'
import { copyOptions } from './options.ts'
import { teller } from './teller.ts'
import { walk } from './walk.ts'
import { Workers } from './workers.ts'

/** Holds deletions to `--max-delete` and `--max-delete-size`. One for each piece of work. */
export class DeleteLimit {
  #files: number
  #bytes: number

  constructor(ctx: Context) {
    const { maxDelete, maxDeleteSize } = ctx.get(copyOptions)
    this.#files = maxDelete < 0 ? Infinity : maxDelete
    this.#bytes = maxDeleteSize < 0 ? Infinity : maxDeleteSize
  }

  get none(): boolean {
    return this.#files === Infinity && this.#bytes === Infinity
  }

  /** Counts the deletion of one file; throws a fatal error when there were enough. */
  take({ size }: FileEntry): void {
    if (this.#files <= 0) throw reached('--max-delete')
    if (size > this.#bytes) throw reached('--max-delete-size')
    this.#files--
    this.#bytes -= Math.max(0, size)
  }
}

function reached(flag: string): AppError {
  return new AppError('aborted', `${flag} threshold reached`, { stop: 'fatal' })
}

/** Deletes one file, or says that it would. False when it is to stay (`--interactive`). */
export async function deleteFile(ctx: Context, remote: Remote, file: FileEntry, limit?: DeleteLimit): Promise<boolean> {
  throwIfAborted(ctx.signal)
  limit?.take(file)
  ctx.stats.count('checks')
  if (await leaveOut(ctx, 'delete', { object: file.path, size: file.size })) {
    if (!ctx.get(copyOptions).dryRun) return false
  } else {
    await remote.remove(ctx, file)
    ctx.log.info('Deleted', { object: file.path })
  }
  ctx.stats.count('deletes')
  return true
}

/** Deletes the file at a path. Throws `not-found`, and `is-directory` for a folder. */
export async function deleteAt(ctx: Context, remote: Remote, path: string): Promise<void> {
  const file = await fileAt(ctx, remote, path)
  if (await deleteFile(ctx, remote, file)) teller(ctx)('-', file)
}

/** Deletes all files that the filter shows, `--transfers` at once; folders stay, but for empty ones with `rmdirs`. */
export async function deleteFiles(ctx: Context, remote: Remote, options: { rmdirs?: boolean } = {}): Promise<void> {
  const faults = new Faults(ctx)
  const limit = new DeleteLimit(ctx)
  const tell = teller(ctx)
  const workers = new Workers<undefined>({ slots: ctx.get(mainOptions).transfers, backlog: 1000 })
  const failed = (error: Error, dir: string) => {
    faults.log(dir, 'error listing: ', error)
    tell('!', { path: dir }, error)
  }
  for await (const entry of walk(ctx, remote, { failed })) {
    if (entry.kind !== 'file') continue
    if (faults.worst?.stop === 'fatal') break
    await workers.add(undefined, async () => {
      if (faults.worst?.stop === 'fatal' || ctx.signal.aborted) return
      try {
        if (await deleteFile(ctx, remote, entry, limit)) tell('-', entry)
      } catch (error) {
        faults.log(entry.path, "Couldn't delete: ", error)
        tell('!', entry, error)
      }
    })
  }
  await workers.idle()
  faults.throw()
  throwIfAborted(ctx.signal)
  if (options.rmdirs) await removeEmptyFolders(ctx, remote, '', { leaveRoot: true })
}

/** Removes a folder that is empty, or says that it would. Throws `not-empty`, `not-found`. */
export async function removeFolder(ctx: Context, remote: Remote, dir: string): Promise<void> {
  const object = dir === '' ? remote.info.description : dir
  if (!(await leaveOut(ctx, 'remove directory', { object }))) {
    ctx.log.info('Removing directory', { object })
    await remote.rmdir(ctx, dir).catch((reason: unknown) => {
      const error = toAppError(reason)
      if (error.code === 'not-found') throw directoryNotFound(error)
      throw error.code === 'not-empty' ? new AppError('not-empty', 'directory not empty', { cause: error }) : error
    })
  }
  ctx.stats.count('deletedDirs')
}

/** Creates a folder and its parents, or says that it would. */
export async function makeFolder(ctx: Context, remote: Remote, dir: string): Promise<void> {
  const object = dir === '' ? remote.info.description : dir
  if (await leaveOut(ctx, 'make directory', { object })) return
  ctx.log.debug('Making directory', { object })
  await remote.mkdir(ctx, dir)
}

/** Removes all empty folders below `dir`, deepest first, and `dir` itself unless told not to. */
export async function removeEmptyFolders(
  ctx: Context,
  remote: Remote,
  dir: string,
  { leaveRoot = false }: { leaveRoot?: boolean } = {},
): Promise<void> {
  const faults = new Faults(ctx)
  // A folder that holds only what the filter hides is not empty.
  const whole = unfiltered(ctx)
  const folders = [dir]
  const kept = new Set<string>()
  const keep = (path: string) => {
    for (let at = path; !kept.has(at) && isInside(at, dir); at = parentOf(at)) {
      kept.add(at)
      if (at === dir) break
    }
  }
  const failed = (error: Error, at: string) => {
    keep(at)
    faults.log(at, 'error listing: ', error)
  }
  for await (const entry of walk(whole, remote, { from: dir, failed }))
    if (entry.kind === 'file') keep(parentOf(entry.path))
    else if (ctx.filter.includesDirectory(entry.path)) folders.push(entry.path)
    else keep(entry.path)
  faults.throw()
  for (const folder of folders.sort().reverse()) {
    throwIfAborted(ctx.signal)
    if (kept.has(folder) || (folder === dir && leaveRoot)) continue
    await removeFolder(ctx, remote, folder).catch((error: unknown) => faults.log(folder, 'Failed to rmdir: ', error))
  }
  faults.throw()
}

/** Removes a folder and all that is in it, whatever the filter says. Throws `not-found`. */
export async function purge(ctx: Context, remote: Remote, dir: string): Promise<void> {
  const whole = unfiltered(ctx)
  const object = dir === '' ? remote.info.description : dir
  const entry = await remote.stat(whole, dir)
  if (!entry && remote.info.traits.emptyDirectories) throw directoryNotFound()
  if (entry?.kind === 'file') throw isFile()
  if (await leaveOut(ctx, 'purge directory', { object })) return undefined
  const limit = new DeleteLimit(ctx)
  if (remote.purge && limit.none) {
    await remote.purge(whole, dir)
    ctx.stats.count('deletedDirs')
    return ctx.log.debug('Purged', { object })
  }
  const folders = [dir]
  for await (const child of walk(whole, remote, { from: dir }))
    if (child.kind === 'file') await deleteFile(whole, remote, child, limit)
    else folders.push(child.path)
  for (const folder of folders.sort().reverse()) {
    await remote.rmdir(whole, folder).catch((reason: unknown) => {
      // Storage without real folders forgets them with their last file.
      const error = toAppError(reason)
      if (error.code !== 'not-found') throw error
    })
    ctx.stats.count('deletedDirs')
  }
  return undefined
}

/** Empties the trash of the storage, or removes old versions: what `cleanup` means there. Throws `unsupported`. */
export async function cleanUp(ctx: Context, remote: Remote): Promise<void> {
  if (!remote.cleanUp) throw new AppError('unsupported', `${remote.info.description} doesn't support cleanup`)
  const object = remote.info.description
  if (!(await leaveOut(ctx, 'cleanup', { object }))) await remote.cleanUp(ctx)
}
