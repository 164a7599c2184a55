import { emitKeypressEvents, type Key } from 'node:readline'
import { AppError, toAppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { deleteFile, purge } from '../../operations/delete.ts'
import { type Folder, forgetFile, forgetFolder, usage } from '../../operations/usage.ts'
import type { Remote } from '../../remote/remote.ts'
import { attempts } from '../attempts.ts'
import type { Command, CommandIo } from '../command.ts'
import { type Row, SizeBrowser } from './size-browser.ts'

/** The other screen of the terminal, without a cursor; and back. */
const ENTER = '\u001b[?1049h\u001b[?25l'
const LEAVE = '\u001b[?25h\u001b[?1049l'

interface Screen {
  readonly rows: number
  readonly columns: number
  draw(lines: readonly string[]): Promise<void>
}

async function browse(io: CommandIo, ctx: Context, remote: Remote): Promise<void> {
  const out = process.stdout
  const screen: Screen = {
    get rows() {
      return out.rows || 24 // some terminals don't know
    },
    get columns() {
      return out.columns || 80
    },
    draw: (lines) => io.stdout(`\u001b[H\u001b[2J${lines.join('\r\n')}`),
  }
  const input = process.stdin
  emitKeypressEvents(input)
  input.setRawMode(true)
  await io.stdout(ENTER)
  try {
    const browser = new SizeBrowser(await scan(ctx, remote, screen), remote.info.description)
    await screen.draw(browser.frame(screen.rows, screen.columns))
    for await (const key of keysOf(input, ctx.signal)) {
      const wish = browser.press(key, screen.rows - 3)
      if (wish === 'quit') return
      if (wish === 'rescan') browser.show(await scan(ctx, remote, screen))
      else if (wish) browser.note = await remove(ctx, remote, browser, wish.delete)
      await screen.draw(browser.frame(screen.rows, screen.columns))
    }
  } finally {
    input.setRawMode(false)
    input.pause()
    await io.stdout(LEAVE)
  }
}

async function scan(ctx: Context, remote: Remote, screen: Screen): Promise<Folder> {
  let drawn = 0
  return await usage(ctx, remote, (root) => {
    if (Date.now() - drawn < 200) return
    drawn = Date.now()
    void screen.draw([`looking at ${remote.info.description}: ${root.count} files so far`])
  })
}

/** Deletes what a person has agreed to; gives the sentence to show. */
async function remove(
  ctx: Context,
  remote: Remote,
  browser: SizeBrowser,
  { name, file, folder }: Row,
): Promise<string> {
  try {
    if (file) await deleteFile(ctx, remote, file)
    else if (folder) await purge(ctx, remote, folder.path)
    if (file) forgetFile(browser.folder, file)
    else if (folder) forgetFolder(folder)
    browser.show(browser.folder)
    return `deleted ${name}`
  } catch (error) {
    return `${name} could not be deleted: ${toAppError(error).message}`
  }
}

/** The keys that a person presses, by their names. */
async function* keysOf(input: NodeJS.ReadStream, signal: AbortSignal): AsyncGenerator<string> {
  const waiting: string[] = []
  let wake = () => {}
  const press = (text: string | undefined, { name, ctrl }: Key) => {
    waiting.push(ctrl && name === 'c' ? 'ctrl-c' : name === 'return' ? 'enter' : (name ?? text ?? ''))
    wake()
  }
  const stop = () => wake()
  input.on('keypress', press)
  signal.addEventListener('abort', stop, { once: true })
  input.resume()
  try {
    while (!signal.aborted) {
      const key = waiting.shift()
      if (key !== undefined) yield key
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  } finally {
    input.off('keypress', press)
    signal.removeEventListener('abort', stop)
  }
}

export const ncduCommand: Command = {
  name: 'ncdu',
  usage: 'REMOTE:PATH',
  summary: 'Look around in a path to see what takes the space, on a terminal',
  help: 'The whole path is looked at first. Arrows lead around, d deletes, ? shows all keys. For scripts there are size, tree -s and lsf.',
  examples: [['sluice ncdu nas:films', 'the largest folders first']],
  args: [1, 1],
  async run(io) {
    if (!process.stdin.isTTY || !process.stdout.isTTY)
      throw new AppError(
        'usage',
        'ncdu needs a terminal: use sluice size, or sluice tree -s, or sluice lsf -R --format sp',
      )
    return await attempts(io, { name: 'ncdu', retry: false, stats: false }, async (ctx) => {
      await browse(io, ctx, (await (await io.remotes()).openAt(io.args[0] ?? '')).remote)
    })
  },
}
