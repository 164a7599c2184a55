import type { Context } from '../../core/context.ts'
import { openEnds } from '../../operations/ends.ts'
import { type SyncOptions, syncTrees } from '../../operations/sync.ts'
import { transferOne } from '../../operations/one.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command, CommandIo } from '../command.ts'
import { reportOptions, withReports } from './reports.ts'

const emptyDirs = option(bool, false, 'Create folders that are empty at the source as well')
const treeOptions = defineOptions('tree-copy', { createEmptySrcDirs: emptyDirs })
const moveOptions = defineOptions('tree-move', {
  createEmptySrcDirs: emptyDirs,
  deleteEmptySrcDirs: option(bool, false, 'Remove folders of the source that are empty afterwards'),
})

/** Copies a folder, or the one file that the source names into the folder at the destination. */
async function work(io: CommandIo, ctx: Context, options: SyncOptions): Promise<void> {
  const [from = '', to = ''] = io.args
  const ends = await openEnds(ctx, await io.remotes(), from, to)
  await withReports(io, async (tell) => {
    const told = tell ? { tell } : {}
    if (ends.file) await transferOne(ctx, ends, { path: ends.file.path, move: options.mode === 'move', ...told })
    else await syncTrees(ctx, ends, { ...options, ...told })
  })
}

const rule =
  'Files that have the same size and time at both sides are left alone. Flags change that: --checksum, --update, --ignore-existing ... A source that names a file is copied into the folder at the destination.'

/** `copy`, `sync` and `move`: whole folders. */
export const copyCommands: readonly Command[] = [
  {
    name: 'copy',
    usage: 'SOURCE:PATH DEST:PATH',
    summary: 'Copy what the destination lacks or has in another version',
    help: `Deletes nothing. ${rule}`,
    examples: [
      ['sluice copy ~/Music nas:music', 'what is in Music, into music'],
      ['sluice copy -n ~/Music nas:music', 'only say what would be done'],
    ],
    options: [treeOptions, reportOptions],
    args: [2, 2],
    run: (io) =>
      attempts(io, { name: 'copy', retry: true, stats: true }, (ctx) =>
        work(io, ctx, { mode: 'copy', createEmptySrcDirs: io.get(treeOptions).createEmptySrcDirs }),
      ),
  },
  {
    name: 'sync',
    usage: 'SOURCE:PATH DEST:PATH',
    summary: 'Make the destination the same as the source, which deletes what the source has not',
    help: `${rule} Nothing is deleted when anything failed. What the filter leaves out is left alone at the destination, too; --delete-excluded changes that. Try it with --dry-run.`,
    examples: [
      ['sluice sync -n ~/Music nas:music', 'look first'],
      ['sluice sync ~/Music nas:music --backup-dir nas:old', 'keep what is replaced or deleted'],
    ],
    options: [treeOptions, reportOptions],
    args: [2, 2],
    run: (io) =>
      attempts(io, { name: 'sync', retry: true, stats: true }, (ctx) =>
        work(io, ctx, { mode: 'sync', createEmptySrcDirs: io.get(treeOptions).createEmptySrcDirs }),
      ),
  },
  {
    name: 'move',
    usage: 'SOURCE:PATH DEST:PATH',
    summary: 'Move files; a source is removed once its copy is safe',
    help: `Within one storage files are renamed. Elsewhere each is copied, the copy is compared, and then the source removed. ${rule}`,
    options: [moveOptions, reportOptions],
    args: [2, 2],
    run: (io) =>
      attempts(io, { name: 'move', retry: true, stats: true }, (ctx) =>
        work(io, ctx, { mode: 'move', ...io.get(moveOptions) }),
      ),
  },
]
