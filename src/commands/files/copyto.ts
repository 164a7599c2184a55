import { openEnds } from '../../operations/ends.ts'
import { splitText } from '../../operations/bridge.ts'
import { transferOne } from '../../operations/one.ts'
import { syncTrees } from '../../operations/sync.ts'
import { attempts } from '../attempts.ts'
import type { Command, CommandIo } from '../command.ts'

function run(io: CommandIo, mode: 'copy' | 'move'): Promise<number> {
  return attempts(io, { name: `${mode}to`, retry: true, stats: true }, async (ctx) => {
    const remotes = await io.remotes()
    const [from = '', to = ''] = io.args
    const { file } = await remotes.openAt(from)
    if (!file) return await syncTrees(ctx, await openEnds(ctx, remotes, from, to), { mode })
    const { parent, name } = splitText(to)
    return await transferOne(ctx, await openEnds(ctx, remotes, from, parent), { path: name, move: mode === 'move' })
  })
}

/** `copyto` and `moveto`: one file under another name. */
export const copytoCommands: readonly Command[] = [
  {
    name: 'copyto',
    usage: 'SOURCE:PATH DEST:PATH',
    summary: 'Copy a file to a path that names the copy',
    help: 'Of a folder it is the same as copy.',
    examples: [['sluice copyto a.txt nas:b.txt', 'a.txt, there called b.txt']],
    args: [2, 2],
    run: (io) => run(io, 'copy'),
  },
  {
    name: 'moveto',
    usage: 'SOURCE:PATH DEST:PATH',
    summary: 'Move or rename a file',
    help: 'Of a folder it is the same as move.',
    args: [2, 2],
    run: (io) => run(io, 'move'),
  },
]
