import { mainOptions } from '../core/options.ts'
import type { CommandIo } from './command.ts'

/** Whether standard output may be coloured: what `--color` says; by itself on a terminal, unless NO_COLOR forbids it. */
export function wantsColors(
  { get, env }: Pick<CommandIo, 'get' | 'env'>,
  terminal: boolean = process.stdout.isTTY,
): boolean {
  const { color } = get(mainOptions)
  if (color !== 'AUTO') return color === 'ALWAYS'
  return terminal && (env.NO_COLOR ?? '') === ''
}
