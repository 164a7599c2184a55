import { AppError } from '../../base/error.ts'
import { deleteFile, deleteFiles, purge } from '../../operations/delete.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command } from '../command.ts'

const deleteOptions = defineOptions('delete', {
  rmdirs: option(bool, false, 'Remove folders that are empty afterwards, but not the one that is named'),
})

/** `delete`, `deletefile` and `purge`. */
export const deleteCommands: readonly Command[] = [
  {
    name: 'delete',
    usage: 'REMOTE:PATH',
    summary: 'Delete the files of a path; folders stay',
    help: 'Goes by the filter, unlike purge. Try it with --dry-run.',
    examples: [["sluice delete -n --min-age 90d --include '*.log' nas:log", 'which old logs would go']],
    options: [deleteOptions],
    args: [1, 1],
    run: (io) =>
      attempts(io, { name: 'delete', retry: true, stats: false }, async (ctx) => {
        const { remote } = await (await io.remotes()).openAt(io.args[0] ?? '')
        await deleteFiles(ctx, remote, io.get(deleteOptions))
      }),
  },
  {
    name: 'deletefile',
    usage: 'REMOTE:PATH',
    summary: 'Delete one file; never a folder',
    args: [1, 1],
    run: (io) =>
      attempts(io, { name: 'deletefile', retry: true, stats: false }, async (ctx) => {
        const [text = ''] = io.args
        const { remote, file } = await (await io.remotes()).openAt(text)
        if (!file) throw new AppError('invalid', `${text} is a directory or doesn't exist`)
        await deleteFile(ctx, remote, file)
      }),
  },
  {
    name: 'purge',
    usage: 'REMOTE:PATH',
    summary: 'Remove a folder and everything in it, whatever the filter says',
    args: [1, 1],
    run: (io) =>
      attempts(io, { name: 'purge', retry: true, stats: false }, async (ctx) => {
        const [text = ''] = io.args
        const { remote, file } = await (await io.remotes()).openAt(text)
        if (file) throw new AppError('not-directory', `${text} is a file, not a folder: use deletefile`)
        await purge(ctx, remote, '')
      }),
  },
]
