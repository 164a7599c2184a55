import { AppError } from '../../base/error.ts'
import { retried } from '../../operations/attempts.ts'
import { openEnds } from '../../operations/ends.ts'
import { syncTrees, type SyncOptions } from '../../operations/sync.ts'
import { optional, required } from '../../schema/field.ts'
import { bool, int, string } from '../../schema/params.ts'
import { isFile } from '../../operations/missing.ts'
import { openFolder } from '../folder.ts'
import { type Call, method, nothing } from '../method.ts'
import { remoteSpec } from '../remote-spec.ts'

const ends = {
  srcFs: required(remoteSpec, 'The folder to copy from'),
  dstFs: required(remoteSpec, 'The folder to copy to'),
  createEmptySrcDirs: optional(bool, 'Create folders that are empty at the source as well'),
}

const rule =
  'What is compared, left out and limited is said by `_config` (`CheckSum`, `DryRun`, `Transfers` ...) and `_filter`. Errors that may pass are tried again as the command does: all of it, `Retries` times in `_config`.'

export const syncMethods = [
  method({
    path: 'sync/copy',
    title: 'Copy a directory from source remote to destination remote',
    help: `Copies what the destination lacks or has in another version, and deletes nothing. ${rule}`,
    narrows: true,
    input: ends,
    output: nothing,
    run: (call, input) => sync(call, input, { mode: 'copy', ...chosen(input) }),
  }),
  method({
    path: 'sync/sync',
    title: 'Sync a directory from source remote to destination remote',
    help: `Makes the destination the same as the source, which deletes what the source has not. Nothing is deleted when anything failed. ${rule}`,
    narrows: true,
    input: ends,
    output: nothing,
    run: (call, input) => sync(call, input, { mode: 'sync', ...chosen(input) }),
  }),
  method({
    path: 'sync/move',
    title: 'Move a directory from source remote to destination remote',
    help: `Removes each file from the source once its copy is safe. ${rule}`,
    narrows: true,
    input: { ...ends, deleteEmptySrcDirs: optional(bool, 'Remove folders of the source that are empty afterwards') },
    output: nothing,
    run: (call, input) => sync(call, input, { mode: 'move', ...chosen(input) }),
  }),
  method({
    path: 'sync/bisync',
    title: 'Perform bidirectional synchronization between two paths',
    help: 'Not in this release: it answers with an error. Until then call `sync/copy` with `_config` {"UpdateOlder": true} in both directions, which copies what is newer either way and deletes nothing.',
    input: {
      path1: required(remoteSpec, 'One folder'),
      path2: required(remoteSpec, 'The other folder'),
      dryRun: optional(bool, 'Only say what would be done'),
      resync: optional(bool, 'Begin anew'),
      checkAccess: optional(bool, 'Fail unless both sides have the check files'),
      checkFilename: optional(string, 'Name of the check files'),
      checkSync: optional(string, 'true, false or only: compare the listings at the end'),
      createEmptySrcDirs: optional(bool, 'Sync folders that are empty as well'),
      removeEmptyDirs: optional(bool, 'Remove folders that are empty afterwards'),
      filtersFile: optional(string, 'File of filter rules'),
      ignoreListingChecksum: optional(bool, "Don't store checksums in listings"),
      maxDelete: optional(int, 'Most files to delete, percent'),
      force: optional(bool, 'Delete more than that'),
      resilient: optional(bool, 'Go on after errors next time'),
      workdir: optional(string, 'Where listings are kept'),
      backupDir1: optional(string, 'Where replaced files of path1 go'),
      backupDir2: optional(string, 'Where replaced files of path2 go'),
      noCleanup: optional(bool, 'Keep working files'),
    },
    output: nothing,
    run() {
      throw new AppError(
        'unsupported',
        'sync/bisync comes with a later release: until then call sync/copy with _config {"UpdateOlder": true} in both directions, which deletes nothing',
      )
    },
  }),
] as const

interface Chosen {
  readonly createEmptySrcDirs?: boolean | undefined
  readonly deleteEmptySrcDirs?: boolean | undefined
}

function chosen({ createEmptySrcDirs = false, deleteEmptySrcDirs = false }: Chosen): Omit<SyncOptions, 'mode'> {
  return { createEmptySrcDirs, deleteEmptySrcDirs }
}

async function sync(
  call: Call,
  { srcFs, dstFs }: { readonly srcFs: string; readonly dstFs: string },
  options: SyncOptions,
): Promise<void> {
  const found = await openEnds(call.ctx, call, srcFs, dstFs)
  if (found.file) throw isFile()
  await openFolder(call, dstFs)
  const error = await retried(call.ctx, (ctx) => syncTrees(ctx, found, options))
  if (error) throw error
}
