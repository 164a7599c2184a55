import { AppError, toAppError } from '../../base/error.ts'
import { publicLink, usageOf } from '../../operations/about.ts'
import * as remove from '../../operations/delete.ts'
import { openEnds } from '../../operations/ends.ts'
import { infoOf } from '../../operations/features.ts'
import { hashKind, hashsum, hashsums } from '../../operations/hashsum.ts'
import { directoryNotFound, fileAt, isFile, isFolder } from '../../operations/missing.ts'
import { transferOne } from '../../operations/one.ts'
import { sizeOf } from '../../operations/size.ts'
import { setTierAt, setTiers } from '../../operations/tier.ts'
import { copyUrl } from '../../operations/url.ts'
import { optional, required } from '../../schema/field.ts'
import { any, bool, duration, int, listOf, mapOf, nullable, object, string } from '../../schema/params.ts'
import { runCheck } from '../check.ts'
import { onFolder, openFolder } from '../folder.ts'
import { listOptions } from '../list-options.ts'
import { listFolder, statPath } from '../listing.ts'
import { type Call, method, nothing } from '../method.ts'
import { remotePath } from '../remote-path.ts'
import { remoteSpec } from '../remote-spec.ts'
import { uploadFiles } from '../upload.ts'

const folder = { fs: required(remoteSpec, 'The remote') }
/** `remote` is looked for first, as clients know it from the error when both are missing. */
const place = { remote: required(remotePath, 'Path in it'), ...folder }
const listed = { ...place, opt: optional(listOptions, 'What to show') }
const ends = {
  srcRemote: required(remotePath, 'Path of the file in srcFs'),
  srcFs: required(remoteSpec, 'Remote of the file'),
  dstRemote: required(remotePath, 'Path of the copy in dstFs'),
  dstFs: required(remoteSpec, 'Remote of the copy'),
}
const summed = {
  ...folder,
  hashType: required(string, 'Kind of checksum: md5, sha1, sha256 ...'),
  download: optional(bool, 'Read the files instead of asking the storage'),
  base64: optional(bool, 'Base64 instead of hex'),
}
const filtered = 'What `_filter` leaves out is left alone.'

export const operationsMethods = [
  method({
    path: 'operations/list',
    title: 'List the given remote and path in JSON format',
    help: 'Entries as the command lsjson gives them, in order of their names, folder by folder with `recurse`. `_filter` says which.',
    input: listed,
    output: { list: required(listOf(object), 'The entries: Path, Name, Size, MimeType, ModTime, IsDir ...') },
    run: async (call, input) => ({ list: (await listFolder(call, input)) as readonly object[] as readonly Item[] }),
  }),
  method({
    path: 'operations/stat',
    title: 'Give information about the supplied file or directory',
    input: listed,
    output: { item: required(nullable(object), 'The entry as operations/list has it; null when there is none') },
    run: async (call, input) => ({ item: (await statPath(call, input)) as object as Item | null }),
  }),
  method({
    path: 'operations/about',
    title: 'Return the space used on the remote',
    help: 'What the storage does not know is left out.',
    input: folder,
    output: {
      total: optional(int, 'Bytes there are'),
      used: optional(int, 'Bytes used'),
      trashed: optional(int, 'Bytes in the trash'),
      other: optional(int, 'Bytes used by other things'),
      free: optional(int, 'Bytes left'),
      objects: optional(int, 'Files'),
    },
    run: async (call, { fs }) => await about(call, fs),
  }),
  ...(['copy', 'move'] as const).map((verb) =>
    method({
      path: `operations/${verb}file`,
      title: `${verb === 'move' ? 'Move' : 'Copy'} a file from source remote to destination remote`,
      help: `A file that is the same already is left alone. ${verb === 'move' ? 'The source is removed once its copy is safe.' : ''}`.trim(),
      input: ends,
      output: nothing,
      run: (call, input) => transferFile(call, input, verb === 'move'),
    }),
  ),
  method({
    path: 'operations/copyurl',
    title: 'Copy the URL to the object',
    help: 'Redirects are followed. An URL may lead to the internet alone, unless the server runs with `--allow-private-urls`; while it listens on loopback it may lead to loopback as well.',
    input: {
      ...place,
      url: required(string, 'http or https'),
      autoFilename: optional(bool, 'Name the file as the last part of the URL, and put it into fs itself'),
      noClobber: optional(bool, 'Fail rather than replace a file'),
      headerFilename: optional(bool, 'With autoFilename: take the name from the header Content-Disposition'),
    },
    output: nothing,
    async run(call, { fs, remote: path, url, autoFilename = false, noClobber = false, headerFilename = false }) {
      const remote = await openFolder(call, fs)
      const to = { remote, path: autoFilename ? '' : path }
      const reach = call.trusted ? 'all' : call.services.reach
      const named = { autoFilename, headerFilename: autoFilename && headerFilename }
      await copyUrl(call.ctx, to, url, { ...named, noClobber, reach })
    },
  }),
  method({
    path: 'operations/uploadfile',
    title: 'Upload file using multiform/form-data',
    help: 'The parameters are in the URL. Each part of the form with a file name is stored in the folder `remote` under that name, folders before it taken off. With `_async` the answer comes when the body has been read.',
    needs: 'request',
    input: place,
    output: nothing,
    run: (call, { fs, remote }) => uploadFiles(call, fs, remote),
  }),
  method({
    path: 'operations/mkdir',
    title: 'Make a destination directory or container',
    help: 'Its parents as well; one that is there already is fine.',
    input: place,
    output: nothing,
    run: async (call, { fs, remote }) => onFolder(remove.makeFolder(call.ctx, await openFolder(call, fs), remote)),
  }),
  method({
    path: 'operations/rmdir',
    title: 'Remove an empty directory or container',
    input: place,
    output: nothing,
    run: async (call, { fs, remote }) => onFolder(remove.removeFolder(call.ctx, await openFolder(call, fs), remote)),
  }),
  method({
    path: 'operations/rmdirs',
    title: 'Remove all the empty directories in the path',
    input: { ...place, leaveRoot: optional(bool, 'Keep the folder itself') },
    output: nothing,
    run: async (call, { fs, remote, leaveRoot = false }) =>
      onFolder(remove.removeEmptyFolders(call.ctx, await openFolder(call, fs), remote, { leaveRoot })),
  }),
  method({
    path: 'operations/purge',
    title: 'Remove a directory or container and all of its contents',
    help: 'Whatever `_filter` says.',
    input: place,
    output: nothing,
    run: async (call, { fs, remote }) => remove.purge(call.ctx, await openFolder(call, fs), remote),
  }),
  method({
    path: 'operations/deletefile',
    title: 'Remove the single file pointed to',
    input: place,
    output: nothing,
    run: async (call, { fs, remote }) => remove.deleteAt(call.ctx, await openFolder(call, fs), remote),
  }),
  method({
    path: 'operations/delete',
    title: 'Remove files in the path',
    help: `Folders stay. ${filtered}`,
    narrows: true,
    input: folder,
    output: nothing,
    run: async (call, { fs }) => remove.deleteFiles(call.ctx, await openFolder(call, fs)),
  }),
  method({
    path: 'operations/cleanup',
    title: 'Remove trashed files in the remote or path',
    input: folder,
    output: nothing,
    run: async (call, { fs }) => remove.cleanUp(call.ctx, await openFolder(call, fs)),
  }),
  method({
    path: 'operations/settier',
    title: 'Changes storage tier or class on all files in the path',
    help: filtered,
    input: { ...folder, tier: required(string, 'The storage class') },
    output: nothing,
    run: async (call, { fs, tier }) => setTiers(call.ctx, await openFolder(call, fs), tier),
  }),
  method({
    path: 'operations/settierfile',
    title: 'Changes storage tier or class on the single file pointed to',
    input: { ...place, tier: required(string, 'The storage class') },
    output: nothing,
    run: async (call, { fs, remote, tier }) => setTierAt(call.ctx, await openFolder(call, fs), remote, tier),
  }),
  method({
    path: 'operations/size',
    title: 'Count the number of bytes and files in remote',
    help: filtered,
    input: folder,
    output: {
      count: required(int, 'Files'),
      bytes: required(int, 'Their bytes'),
      sizeless: required(int, 'Files whose size nobody knows'),
    },
    run: async (call, { fs }) => sizeOf(call.ctx, await openFolder(call, fs)),
  }),
  method({
    path: 'operations/publiclink',
    title: 'Create or retrieve a public link to the given file or folder',
    input: {
      ...place,
      unlink: optional(bool, 'Take the link back'),
      expire: optional(duration, 'How long it works'),
    },
    output: { url: required(string, 'The link') },
    async run(call, { fs, remote, unlink = false, expire = Infinity }) {
      const options = { unlink, ...(expire < Infinity ? { expire } : {}) }
      return { url: await publicLink(call.ctx, await openFolder(call, fs), remote, options) }
    },
  }),
  method({
    path: 'operations/fsinfo',
    title: 'Return information about the remote',
    input: folder,
    output: {
      Name: required(string, 'Its name'),
      Root: required(string, 'Its path'),
      String: required(string, 'For people'),
      Precision: required(int, 'Precision of times, ns'),
      Hashes: required(listOf(string), 'Kinds of checksum'),
      Features: required(mapOf(bool), 'What it can do'),
      MetadataInfo: required(any, 'Metadata that it keeps; null for none'),
    },
    run: async (call, { fs }) => infoOf(await openFolder(call, fs)),
  }),
  method({
    path: 'operations/check',
    title: 'Check the source and destination are the same',
    help: 'Compares sizes and checksums, or the bytes with `download`, and changes nothing. The source is `srcFs`, or a file of checksums. Differences are a result, not an error.',
    narrows: true,
    input: {
      srcFs: optional(remoteSpec, 'The source'),
      dstFs: required(remoteSpec, 'The destination'),
      checkFileHash: optional(string, 'Kind of the checksums in a file that stands for the source'),
      checkFileFs: optional(remoteSpec, 'Remote of that file'),
      checkFileRemote: optional(remotePath, 'Its path'),
      download: optional(bool, 'Compare the bytes'),
      oneWay: optional(bool, 'Only look for what the source has'),
      combined: optional(bool, 'List all with = * + - or ! before the path'),
      missingOnSrc: optional(bool, 'List what only the destination has (default true)'),
      missingOnDst: optional(bool, 'List what only the source has (default true)'),
      match: optional(bool, 'List what is the same'),
      differ: optional(bool, 'List what differs (default true)'),
      error: optional(bool, 'List what could not be read (default true)'),
    },
    output: {
      success: required(bool, 'Nothing differs'),
      status: required(string, 'OK, or what is wrong'),
      hashType: required(string, 'Kind of checksum that was compared'),
      combined: optional(listOf(string), 'As asked for'),
      missingOnSrc: optional(listOf(string), 'As asked for'),
      missingOnDst: optional(listOf(string), 'As asked for'),
      match: optional(listOf(string), 'As asked for'),
      differ: optional(listOf(string), 'As asked for'),
      error: optional(listOf(string), 'As asked for'),
    },
    run: runCheck,
  }),
  method({
    path: 'operations/hashsum',
    title: 'Produces a hashsum file for all the objects in the path',
    help: `Lines are those of md5sum. The remote may name a file. ${filtered}`,
    input: summed,
    output: { hashType: required(string, 'Kind of checksum'), hashsum: required(listOf(string), 'Lines') },
    async run(call, { fs, hashType, download = false, base64 = false }) {
      const kind = hashKind(hashType)
      const { remote } = await call.openAt(fs)
      const lines: string[] = []
      for await (const { sum, path } of hashsums(call.ctx, remote, { kind, download, base64 }))
        lines.push(`${sum}  ${path}`)
      return { hashType: kind, hashsum: lines }
    },
  }),
  method({
    path: 'operations/hashsumfile',
    title: 'Produces a hash for a single file',
    input: { ...place, ...summed },
    output: { hashType: required(string, 'Kind of checksum'), hash: required(string, 'The checksum') },
    async run(call, { fs, remote: path, hashType, download = false, base64 = false }) {
      const kind = hashKind(hashType)
      const remote = await openFolder(call, fs)
      const entry = await fileAt(call.ctx, remote, path)
      const hash = await hashsum(call.ctx, remote, entry, { kind, download, base64 })
      return { hashType: kind, hash: hash === '' ? 'UNSUPPORTED' : hash }
    },
  }),
] as const

type Item = Readonly<Record<string, unknown>>

async function about(call: Call, fs: string) {
  const remote = await openFolder(call, fs)
  try {
    return await usageOf(call.ctx, remote)
  } catch (reason) {
    const error = toAppError(reason)
    if (!remote.about || error.code === 'aborted') throw error
    const { message } = error.code === 'not-found' ? directoryNotFound(error) : error
    throw new AppError(error.code, `about call failed: ${message}`, { cause: error })
  }
}

interface FileEnds {
  readonly srcFs: string
  readonly srcRemote: string
  readonly dstFs: string
  readonly dstRemote: string
}

async function transferFile(call: Call, { srcFs, srcRemote, dstFs, dstRemote }: FileEnds, move: boolean) {
  const found = await openEnds(call.ctx, call, srcFs, dstFs)
  if (found.file) throw isFile()
  await openFolder(call, dstFs)
  if (dstRemote === '') throw isFolder()
  try {
    await transferOne(call.ctx, found, { path: dstRemote, sourcePath: srcRemote, move })
  } catch (reason) {
    throw toAppError(reason).code === 'is-directory' ? isFolder() : reason
  }
}
