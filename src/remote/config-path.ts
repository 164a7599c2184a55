import { posix, win32 } from 'node:path'

export type Env = Readonly<Record<string, string | undefined>>

/** Where a configuration file is looked for. */
export interface ConfigSearch {
  readonly env: Env
  /** What `--config` says, undefined when it was not given. Empty = keep the configuration in memory. */
  readonly flag?: string | undefined
  /** The user's home directory, undefined when there is none. */
  readonly home?: string | undefined
  readonly exists: (path: string) => boolean
  /** The program's own file: a configuration beside it makes an installation that can be carried around. */
  readonly executable?: string
  readonly platform?: NodeJS.Platform
}

const NAME = 'rclone.conf'

/**
 * The configuration file to use, by rclone's rules (serve-http.md 3.6): `--config`, `SLUICE_CONFIG`, `RCLONE_CONFIG`, else the
 * first that exists of the known places, else the place where a new one belongs. `''` = in memory only.
 */
export function configPath(search: ConfigSearch): string {
  const { env, home } = search
  const given = search.flag ?? env.SLUICE_CONFIG ?? env.RCLONE_CONFIG
  if (given !== undefined) return given
  const windows = search.platform === 'win32'
  const { join, dirname } = windows ? win32 : posix
  const xdg = env.XDG_CONFIG_HOME ? join(env.XDG_CONFIG_HOME, 'rclone', NAME) : undefined
  const appData = windows && env.APPDATA ? join(env.APPDATA, 'rclone', NAME) : undefined
  const dotConfig = home ? join(home, '.config', 'rclone', NAME) : undefined
  const beside = search.executable ? join(dirname(search.executable), NAME) : undefined
  const plain = home ? join(home, `.${NAME}`) : undefined
  const found = [beside, appData, xdg, dotConfig, plain].find((path) => path !== undefined && search.exists(path))
  return found ?? appData ?? xdg ?? dotConfig ?? `.${NAME}`
}

/** The value that the environment gives to a setting, ours before rclone's: `SLUICE_X`, `RCLONE_X`. */
export function fromEnv(env: Env, name: string): string | undefined {
  return env[`SLUICE_${name}`] ?? env[`RCLONE_${name}`]
}

/** How a remote's name stands in variables: `my-s3` → `MY_S3`. */
export function variableName(name: string): string {
  return name.toUpperCase().replaceAll('-', '_')
}

/** The names of the remotes that the environment alone sets up by `RCLONE_CONFIG_NAME_TYPE`, in lower case. */
export function remotesInEnv(env: Env): string[] {
  const names = Object.keys(env).map((key) => /^(?:SLUICE|RCLONE)_CONFIG_(.+?)_TYPE$/.exec(key)?.[1]?.toLowerCase())
  return [...new Set(names.filter((name) => name !== undefined))].sort()
}

/**
 * The values that variables give to a remote, by config key. A variable belongs to the longest of all names that fits:
 * `RCLONE_CONFIG_A_B_TYPE` is about remote `a_b` when there is one, else about the key `b_type` of `a`.
 */
export function valuesInEnv(env: Env, name: string, names: readonly string[]): Record<string, string> {
  const own = variableName(name)
  const longer = names.map(variableName).filter((other) => other.startsWith(`${own}_`))
  const values: Record<string, string> = {}
  for (const prefix of ['RCLONE_CONFIG_', 'SLUICE_CONFIG_'])
    for (const [variable, value] of Object.entries(env)) {
      if (value === undefined || !variable.startsWith(`${prefix}${own}_`)) continue
      if (longer.some((other) => variable.startsWith(`${prefix}${other}_`))) continue
      values[variable.slice(prefix.length + own.length + 1).toLowerCase()] = value
    }
  return values
}
