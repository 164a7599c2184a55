import { realpathSync, statSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { authOptions } from '../auth/options.ts'
import { httpOptions } from '../http/options.ts'
import { versionOf } from '../backends/local/entry.ts'
import { hidden } from '../layers/hidden.ts'
import { withheld } from '../layers/withheld.ts'
import { originOptions } from '../origin/options.ts'
import { netOptions } from '../net/options.ts'
import { metricsAuthOptions, metricsHttpOptions, rcAuthOptions, rcHttpOptions } from '../rc/options.ts'
import type { Remote } from '../remote/remote.ts'
import type { CommandIo } from './command.ts'

type Parts = Pick<CommandIo, 'get' | 'configPath'>

/** A remote without the program's own secrets that lie inside it, whichever server they belong to: nobody reads or replaces them. */
export function withoutSecrets(parts: Parts, remote: Remote): Remote {
  const { traits, root } = remote.info
  const files = secretFiles(parts)
  const shown = traits.manyNames ? withheld(() => new Set(files.flatMap(versionNow)))(remote) : remote
  return traits.isLocal ? hidden(new Set(files.flatMap((file) => pathInside(root, file))))(shown) : shown
}

/** What the local disk calls the file as it is now. */
function versionNow(file: string): readonly string[] {
  try {
    return [versionOf(statSync(file, { bigint: true }))]
  } catch {
    return [] // what is not there, or out of reach, cannot be served
  }
}

/** Passwords, who may do what, private keys, the configuration, and the code that is run. */
function secretFiles({ get, configPath }: Parts): readonly string[] {
  const passwords = [authOptions, rcAuthOptions, metricsAuthOptions].flatMap((block) => {
    const { htpasswd, gpacUsers } = get(block)
    return [htpasswd, gpacUsers]
  })
  const { rules, hook } = get(originOptions)
  const keys = [httpOptions, rcHttpOptions, metricsHttpOptions].map((block) => get(block).key)
  return [...passwords, rules, hook, ...keys, get(netOptions).clientKey, configPath].filter((file) => file !== '')
}

/** The path of a file below a root, if it is there. */
function pathInside(root: string, file: string): readonly string[] {
  try {
    const path = relative(realpathSync(root), realpathSync(file))
    return path === '' || path.startsWith('..') ? [] : [path.split(sep).join('/')]
  } catch {
    return [] // what is not there cannot be served
  }
}
