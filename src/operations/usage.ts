import { parentOf, nameOf } from '../base/path.ts'
import type { Context } from '../core/context.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { walk } from './walk.ts'

/** A folder with all that is in it. */
export interface Folder {
  readonly path: string
  readonly name: string
  readonly parent: Folder | undefined
  readonly folders: Map<string, Folder>
  readonly files: Map<string, FileEntry>
  /** Of all files below it, those of unknown size left out. */
  bytes: number
  count: number
  /** Why it could not be listed. */
  error?: string
}

/** Adds up a tree folder by folder. `progress` is called now and then with what has been found so far. */
export async function usage(ctx: Context, remote: Remote, progress?: (root: Folder) => void): Promise<Folder> {
  const root = folderAt('', undefined)
  const known = new Map([['', root]])
  const failed = (error: Error, dir: string) => {
    const folder = known.get(dir)
    if (folder) folder.error = error.message
    else throw error
  }
  let seen = 0
  for await (const entry of walk(ctx, remote, { failed })) {
    const parent = known.get(parentOf(entry.path))
    if (!parent) continue
    if (entry.kind === 'directory') {
      const folder = folderAt(entry.path, parent)
      known.set(entry.path, folder)
      parent.folders.set(folder.name, folder)
    } else {
      parent.files.set(nameOf(entry.path), entry)
      add(parent, entry, 1)
    }
    if (++seen % 1000 === 0) progress?.(root)
  }
  return root
}

/** Takes a file out of its folder. */
export function forgetFile(folder: Folder, file: FileEntry): void {
  if (folder.files.delete(nameOf(file.path))) add(folder, file, -1)
}

/** Takes a folder out of the one that it is in. */
export function forgetFolder(folder: Folder): void {
  folder.parent?.folders.delete(folder.name)
  for (let at = folder.parent; at; at = at.parent) {
    at.bytes -= folder.bytes
    at.count -= folder.count
  }
}

function folderAt(path: string, parent: Folder | undefined): Folder {
  return { path, name: nameOf(path), parent, folders: new Map(), files: new Map(), bytes: 0, count: 0 }
}

function add(folder: Folder, { size }: FileEntry, by: 1 | -1): void {
  for (let at: Folder | undefined = folder; at; at = at.parent) {
    at.bytes += by * Math.max(0, size)
    at.count += by
  }
}
