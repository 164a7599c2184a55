import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { chosen, type Duplicates, duplicates, keepOne } from '../../operations/dedupe.ts'
import { Faults } from '../../operations/faults.ts'
import { localTime } from '../../base/local-time.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, oneOf } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command, CommandIo } from '../command.ts'
import { Prompt } from '../prompt.ts'

const mode = oneOf('interactive', 'skip', 'first', 'newest', 'oldest', 'largest', 'smallest', 'rename', 'list')
type Mode = ReturnType<typeof mode.parse>

const dedupeOptions = defineOptions('dedupe', {
  dedupeMode: option(
    mode,
    'interactive',
    'Which file to keep: interactive asks; first, newest, oldest, largest, smallest; skip and list keep all',
  ),
  byHash: option(bool, false, 'Find files of one content, whatever their names'),
})

/** The mode, which may be the first argument, and the path. */
function argumentsOf(io: CommandIo): { mode: Mode; text: string } {
  const [first = '', second] = io.args
  if (second === undefined) return { mode: io.get(dedupeOptions).dedupeMode, text: first }
  try {
    return { mode: mode.parse(first), text: second }
  } catch (cause) {
    throw new AppError('usage', `unknown mode for dedupe ${JSON.stringify(first)}: see sluice help dedupe`, { cause })
  }
}

function listing({ hash, files }: Duplicates): string {
  const line = (file: FileEntry, i: number) =>
    `  ${i + 1}: ${String(file.size).padStart(12)} bytes, ${localTime(file.modTime)}, ${file.path}\n`
  return `${hash}: ${files.length} duplicates\n${files.map(line).join('')}`
}

/** Asks which file to keep; undefined for none, `quit` to end it all. */
async function ask(prompt: Prompt, found: Duplicates): Promise<FileEntry | 'quit' | undefined> {
  const answer = await prompt.choose([
    ['s', 'Skip and do nothing'],
    ['k', 'Keep just one (choose which in next step)'],
    ['q', 'Quit'],
  ])
  if (answer !== 'k') return answer === 'q' ? 'quit' : undefined
  const paths = found.files.map(({ path }) => path)
  const path = await prompt.pick('Keep the file with this number> ', paths)
  return found.files[paths.indexOf(path)]
}

async function run(io: CommandIo, ctx: Context, remote: Remote, mode: Mode): Promise<void> {
  const object = remote.info.description
  if (!io.get(dedupeOptions).byHash)
    return ctx.log.notice("Can't have duplicate names here. Use --by-hash to find files of one content.", { object })
  if (mode === 'rename') throw new AppError('usage', 'files of one content are not renamed: use --dedupe-mode list')
  const all = await duplicates(ctx, remote)
  const faults = new Faults(ctx)
  const prompt = mode === 'interactive' ? new Prompt(io) : undefined
  try {
    for (const found of all) {
      ctx.log.notice(`Found ${found.files.length} files with duplicate ${remote.info.hashes[0]} hashes`, {
        object: found.hash,
      })
      if (mode === 'list' || prompt) await io.stdout(listing(found))
      if (mode === 'skip' || mode === 'list') continue
      const kept = mode === 'interactive' ? await ask(prompt as Prompt, found) : chosen(found.files, mode)
      if (kept === 'quit') return
      if (kept) await keepOne(ctx, remote, found, kept, faults)
    }
  } finally {
    prompt?.close()
  }
  faults.throw()
}

export const dedupeCommand: Command = {
  name: 'dedupe',
  usage: '[MODE] REMOTE:PATH',
  summary: 'Find files of one content, and keep one of each',
  help: 'With --by-hash, by the checksums that the storage has. MODE is the same as --dedupe-mode; without one it asks. Files of one name in one folder, as some storage has, are not known to any kind of storage here. Try it with list, or --dry-run.',
  examples: [
    ['sluice dedupe --by-hash list nas:photos', 'what is there twice'],
    ['sluice dedupe --by-hash oldest nas:photos -n', 'which copies would go'],
  ],
  options: [dedupeOptions],
  args: [1, 2],
  run(io) {
    const { mode, text } = argumentsOf(io)
    return attempts(io, { name: 'dedupe', retry: false, stats: false }, async (ctx) =>
      run(io, ctx, (await (await io.remotes()).openAt(text)).remote, mode),
    )
  },
}
