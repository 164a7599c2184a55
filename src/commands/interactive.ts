import { AppError, messageOf } from '../base/error.ts'
import { KeyedLock } from '../base/keyed-lock.ts'
import { orAbort, throwIfAborted } from '../base/abort.ts'
import type { Confirm } from '../core/context.ts'
import type { CommandIo } from './command.ts'
import { Prompt } from './prompt.ts'

/** Asks a person before each change, one question at a time, as rclone does; close it when all is done. */
export function interactive(io: CommandIo): { readonly confirm: Confirm; close(): void } {
  const prompt = new Prompt(io)
  const turns = new KeyedLock()
  /** What was said of all changes of a kind. */
  const settled = new Map<string, boolean>()

  async function ask(action: string, object: string): Promise<boolean> {
    throwIfAborted(io.signals.stop)
    const known = settled.get(action)
    if (known !== undefined) return known
    prompt.say(`\nsluice: ${action} ${JSON.stringify(object)}?`)
    const answer = await prompt
      .choose(
        [
          ['y', 'Yes, this is OK'],
          ['n', 'No, skip this'],
          ['s', `Skip all ${action} operations with no more questions`],
          ['!', `Do all ${action} operations with no more questions`],
          ['q', 'Exit sluice now.'],
        ],
        'y',
      )
      .catch((cause: unknown) => {
        throw new AppError('usage', `--interactive: ${messageOf(cause)}`, { cause, stop: 'fatal' })
      })
    if (answer === 's' || answer === '!') settled.set(action, answer === '!')
    if (answer !== 'q') return answer === 'y' || answer === '!'
    io.ctx.log.notice('Quitting now')
    io.quit(0)
    io.signals.end()
    // Nobody else is asked, and what runs ends with the program.
    return await orAbort(io.signals.stop, new Promise<never>(() => {}))
  }

  return {
    confirm: (action, object) => turns.run('', () => ask(action, object)),
    close: () => prompt.close(),
  }
}
