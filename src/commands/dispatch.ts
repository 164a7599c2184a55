import { AppError } from '../base/error.ts'
import { nearest } from '../base/nearest.ts'
import type { Command } from './command.ts'

/** The command that the first words name (the longest name wins), and the arguments that follow it. */
export function findCommand(
  words: readonly string[],
  commands: readonly Command[],
): { readonly command: Command | undefined; readonly args: readonly string[] } {
  const names = new Map(commands.map((command) => [command.name, command]))
  for (let count = Math.min(words.length, 3); count > 0; count--) {
    const command = names.get(words.slice(0, count).join(' '))
    if (command) return { command, args: words.slice(count) }
  }
  return { command: undefined, args: words }
}

/** The same, but an unknown command or a wrong number of arguments throws `usage` with what to do. */
export function dispatch(
  words: readonly string[],
  commands: readonly Command[],
): { command: Command; args: readonly string[] } {
  const { command, args } = findCommand(words, commands)
  if (!command) {
    const hint = nearest(
      words[0] ?? '',
      commands.filter((c) => !c.hidden).map((c) => c.name),
    )
    throw new AppError(
      'usage',
      `unknown command ${JSON.stringify(words[0])} for sluice.${hint ? ` Did you mean "${hint}"?` : ''} See: sluice help`,
    )
  }
  const [min, max] = command.args
  if (args.length >= min && args.length <= max) return { command, args }
  const below = commands.filter((c) => !c.hidden && c.name.startsWith(`${command.name} `)).map((c) => c.name)
  if (args.length > max && below.length > 0) {
    const typed = `${command.name} ${args[0]}`
    const hint = nearest(typed, below)
    throw new AppError(
      'usage',
      `unknown command ${JSON.stringify(typed)} for sluice.${hint ? ` Did you mean "${hint}"?` : ` There is: ${below.join(', ')}.`} See: sluice help ${command.name}`,
    )
  }
  const wanted = min === max ? `${min}` : max === Infinity ? `at least ${min}` : `${min} to ${max}`
  throw new AppError(
    'usage',
    `command ${command.name} needs ${wanted} argument${wanted === '1' ? '' : 's'}, ${args.length} given${args.length > max ? ` (${args.join(' ')})` : ''}: sluice ${command.name} ${command.usage}`.trimEnd(),
  )
}
