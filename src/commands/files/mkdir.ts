import { makeFolder, removeEmptyFolders, removeFolder } from '../../operations/delete.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command } from '../command.ts'

const rmdirsOptions = defineOptions('rmdirs', {
  leaveRoot: option(bool, false, 'Leave the folder that is named, even if it is empty'),
})

/** `mkdir`, `rmdir` and `rmdirs`. */
export const mkdirCommands: readonly Command[] = [
  {
    name: 'mkdir',
    usage: 'REMOTE:PATH',
    summary: 'Create a folder and those above it',
    args: [1, 1],
    run: (io) =>
      attempts(io, { name: 'mkdir', retry: true, stats: false }, async (ctx) => {
        await makeFolder(ctx, await (await io.remotes()).open(io.args[0] ?? ''), '')
      }),
  },
  {
    name: 'rmdir',
    usage: 'REMOTE:PATH',
    summary: 'Remove a folder that is empty',
    args: [1, 1],
    run: (io) =>
      attempts(io, { name: 'rmdir', retry: true, stats: false }, async (ctx) => {
        await removeFolder(ctx, await (await io.remotes()).open(io.args[0] ?? ''), '')
      }),
  },
  {
    name: 'rmdirs',
    usage: 'REMOTE:PATH',
    summary: 'Remove all empty folders below a path, and the path itself when it is empty then',
    options: [rmdirsOptions],
    args: [1, 1],
    run: (io) =>
      attempts(io, { name: 'rmdirs', retry: true, stats: false }, async (ctx) => {
        const remote = await (await io.remotes()).open(io.args[0] ?? '')
        await removeEmptyFolders(ctx, remote, '', io.get(rmdirsOptions))
      }),
  },
]
