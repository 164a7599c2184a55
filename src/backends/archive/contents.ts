import yauzl from 'yauzl'
import { AppError, messageOf } from '../../base/error.ts'
import { isEntryName, join, nameOf, parentOf } from '../../base/path.ts'
import { fromMs } from '../../base/time.ts'
import type { Context } from '../../core/context.ts'
import type { DirEntry, Entry, FileEntry, Remote } from '../../remote/remote.ts'
import { BlockReader } from './reader.ts'

/** More members than this are not held. */
const MOST_MEMBERS = 500_000

/** What a zip holds, as one version of it says. */
export interface Contents {
  readonly archive: FileEntry
  /** The children of each directory, by name. */
  readonly directories: ReadonlyMap<string, ReadonlyMap<string, Entry>>
  /** Where a file lies in the archive, and how it is packed. */
  readonly members: ReadonlyMap<string, Member>
  /** The first byte of a member's data. */
  startOf(member: Member): Promise<number>
}

export type Member = yauzl.Entry

/** Reads the directory of a zip. Throws `invalid` when it is none, or is damaged. */
export async function readContents(ctx: Context, remote: Remote, archive: FileEntry): Promise<Contents> {
  if (archive.size < 0) throw new AppError('unsupported', `${archive.path}: an archive of unknown size cannot be read`)
  const members = new Map<string, Member>()
  const tree = new Tree()
  try {
    const reader = new BlockReader(ctx, remote, archive)
    const zip = await yauzl.fromRandomAccessReaderPromise(reader, archive.size, {
      autoClose: false,
      decodeStrings: false,
    })
    if (zip.entryCount > MOST_MEMBERS)
      throw new AppError('too-large', `${archive.path} holds more than ${MOST_MEMBERS} files`)
    for await (const member of zip.eachEntry()) {
      const name = nameOfMember(member)
      const path = pathOf(name)
      if (path === undefined) {
        ctx.log.notice('a member of the archive has a name that leads out of it: left out', { object: archive.path })
        continue
      }
      const modTime = fromMs(member.getLastModDate().getTime())
      if (name.endsWith('/')) tree.addDirectory({ kind: 'directory', path, modTime })
      else if (tree.addFile(fileEntry(path, member, modTime))) members.set(path, member)
    }
    return {
      archive,
      directories: tree.directories,
      members,
      startOf: async (member) => (await zip.readLocalFileHeaderPromise(member, { minimal: true })).fileDataStart,
    }
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('invalid', `${archive.path} is no zip that can be read: ${messageOf(error)}`, { cause: error })
  }
}

function nameOfMember(member: Member): string {
  const extra = yauzl.parseExtraFields(member.extraFieldRaw)
  return yauzl.getFileNameLowLevel(member.generalPurposeBitFlag, member.fileNameRaw, extra, true)
}

/** The path of a member; undefined for one that is absolute or leads out of the archive ("zip slip"). */
function pathOf(name: string): string | undefined {
  const path = name.endsWith('/') ? name.slice(0, -1) : name
  return path.split('/').every(isEntryName) ? path : undefined
}

function fileEntry(path: string, member: Member, modTime: bigint): FileEntry {
  const crc = (member.crc32 >>> 0).toString(16).padStart(8, '0')
  return {
    kind: 'file',
    path,
    size: member.uncompressedSize,
    modTime,
    version: `${crc}-${member.relativeOffsetOfLocalHeader}`,
    hashes: { crc32: crc },
  }
}

/** Puts members in the directories they are in, which an archive need not name. The first of a name has it. */
class Tree {
  readonly directories = new Map<string, Map<string, Entry>>([['', new Map()]])

  addFile(entry: FileEntry): boolean {
    if (this.directories.has(entry.path)) return false
    const siblings = this.#directory(parentOf(entry.path))
    const name = nameOf(entry.path)
    if (!siblings || siblings.has(name)) return false
    siblings.set(name, entry)
    return true
  }

  addDirectory(entry: DirEntry): void {
    if (this.#directory(entry.path)) this.directories.get(parentOf(entry.path))?.set(nameOf(entry.path), entry)
  }

  /** The children of a directory, made when it is new; undefined where a file is in the way. */
  #directory(path: string): Map<string, Entry> | undefined {
    const known = this.directories.get(path)
    if (known) return known
    let at = ''
    let children = this.directories.get('') as Map<string, Entry>
    for (const name of path.split('/')) {
      at = join(at, name)
      const there = children.get(name)
      if (there?.kind === 'file') return undefined
      if (!there) {
        children.set(name, { kind: 'directory', path: at, modTime: 0n })
        this.directories.set(at, new Map())
      }
      children = this.directories.get(at) as Map<string, Entry>
    }
    return children
  }
}
