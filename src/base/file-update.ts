import { randomBytes } from 'node:crypto'
import { type FileHandle, mkdir, open, readFile, readlink, rename, stat, unlink } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, errorCode, messageOf } from './error.ts'
import { syncDirectory } from './lasting.ts'

/** The bytes of a file, undefined when there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/** A text that differs when the file was written in between; undefined when there is no file. */
export async function fileVersion(path: string): Promise<string | undefined> {
  try {
    const { mtimeNs, size, ino } = await stat(path, { bigint: true })
    return `${mtimeNs} ${size} ${ino}`
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * Replaces a file by what `change` makes of its present bytes (undefined = there is no file); `change` giving undefined leaves
 * it alone. Readers see the old file or the new one, never a part. Writers of this and of other processes take turns by a lock
 * file beside it, which is taken over after ten seconds. Keeps mode and owner, follows a link, creates directories; a new
 * file is for its owner alone. Gives whether the file was written. Throws `busy` when the lock is not given free.
 */
export async function updateFile(
  path: string,
  change: (old: Buffer | undefined) => Promise<Buffer | undefined>,
): Promise<boolean> {
  const target = await followLink(path)
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  const release = await lock(`${target}.lock`)
  try {
    const old = await readIfThere(target)
    const next = await change(old)
    if (next === undefined || old?.equals(next)) return false
    await replace(target, next)
    return true
  } finally {
    await release()
  }
}

/** The file that a link stands for, even when it does not exist yet. */
async function followLink(path: string): Promise<string> {
  let at = resolve(path)
  for (let hops = 0; hops < 40; hops++) {
    const next = await readlink(at).catch(() => undefined)
    if (next === undefined) return at
    at = resolve(dirname(at), next)
  }
  throw new AppError('invalid', `${path}: too many links`)
}

const STALE_MS = 10_000
/** The directory cannot be written: there is no way to lock, nor to replace a file by renaming. */
const readOnlyDirectory = new Set(['EACCES', 'EPERM', 'EROFS'])

async function lock(path: string): Promise<() => Promise<void>> {
  for (const until = performance.now() + STALE_MS + 2000; ;) {
    try {
      await using file = await open(path, 'wx', 0o600)
      await file.writeFile(`${process.pid}\n`)
      return () => unlink(path).catch(() => {})
    } catch (error) {
      const code = errorCode(error) ?? ''
      if (readOnlyDirectory.has(code)) return () => Promise.resolve()
      if (code !== 'EEXIST') throw error
    }
    const held = await stat(path).catch(() => undefined)
    if (held && Date.now() - held.mtimeMs > STALE_MS) await unlink(path).catch(() => {})
    else if (performance.now() > until)
      throw new AppError('busy', `${path} exists: another program is writing; remove it if none is`)
    else await sleep(20)
  }
}

async function replace(target: string, bytes: Buffer): Promise<void> {
  const temp = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await writeNew(temp, bytes, await stat(target).catch(() => undefined))
    await rename(temp, target)
  } catch (error) {
    await unlink(temp).catch(() => {})
    const code = errorCode(error) ?? ''
    // A single file that is mounted into a container is busy for rename, but may be written.
    if (code !== 'EBUSY' && !readOnlyDirectory.has(code)) throw error
    await writeInPlace(target, bytes, error)
    return
  }
  await syncDirectory(dirname(target))
}

async function writeNew(path: string, bytes: Buffer, like: { mode: number; uid: number; gid: number } | undefined) {
  await using file = await open(path, 'wx', 0o600)
  if (like) {
    const made = await file.stat()
    // Only root may give files away; for others the file stays their own.
    if (made.uid !== like.uid || made.gid !== like.gid) await file.chown(like.uid, like.gid).catch(() => {})
    await file.chmod(like.mode & 0o7777)
  }
  await file.writeFile(bytes)
  await file.sync()
}

async function writeInPlace(path: string, bytes: Buffer, cause: unknown): Promise<void> {
  let file: FileHandle
  try {
    file = await open(path, 'r+')
  } catch {
    throw new AppError('denied', `cannot write ${path}: ${messageOf(cause)}`, { cause })
  }
  try {
    await file.truncate()
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
}
