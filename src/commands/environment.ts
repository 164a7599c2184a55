import { parseCsv } from '../base/csv.ts'
import { AppError, messageOf } from '../base/error.ts'
import type { OptionSet } from '../schema/options.ts'
import { type Flag, assign } from './flags.ts'

/** The names under which the environment may set a flag, the stronger first: `SLUICE_CACHE_DIR`, `RCLONE_CACHE_DIR`. */
export function variablesOf(flag: string): readonly [string, string] {
  const name = flag.replaceAll('-', '_').toUpperCase()
  return [`SLUICE_${name}`, `RCLONE_${name}`]
}

/** Gives options the values that the environment has for them (serve-http.md 3.6). Throws `usage` for an invalid one. */
export function applyEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  flags: ReadonlyMap<string, Flag>,
  options: OptionSet,
): void {
  for (const flag of flags.values())
    for (const variable of variablesOf(flag.name)) {
      const text = env[variable]
      if (text === undefined || (text === '' && flag.name !== 'config')) continue
      try {
        const { value } = assign(flag, variable, flag.option.type.repeatable ? parseCsv(text) : [text])
        options.set(flag.block, flag.key, value, 'env')
      } catch (error) {
        throw new AppError(
          'usage',
          `invalid value when setting --${flag.name} from environment variable ${variable}=${JSON.stringify(flag.option.secret ? '...' : text)}: ${messageOf((error as Error).cause ?? error)}`,
        )
      }
      break
    }
}
