import type { Logger } from '../core/log.ts'
import { type UserFile, Users } from './users.ts'
import { isKnownHash } from './verify.ts'
import { WatchedFile } from './watched-file.ts'

/** The users of an htpasswd file. Throws `invalid` when it cannot be read, or nobody in it can log in. */
export function openHtpasswd(path: string, log: Logger): UserFile {
  return new WatchedFile(path, {
    what: 'password file',
    log,
    read(bytes, before) {
      const users = parse(bytes, path, log)
      if (before === undefined && users.size === 0 && /[^\s#]/.test(withoutComments(bytes)))
        throw new Error(`${path} has no user who can log in; make one with htpasswd -B`)
      if (users.size === 0 && bytes.length > 0 && (before?.size ?? 0) > 0) throw new Error(`${path} has no user in it`)
      return new Users(users)
    },
    sayRead: ({ size }) => `${size} users`,
  })
}

function withoutComments(bytes: Uint8Array): string {
  return Buffer.from(bytes)
    .toString('latin1')
    .replace(/^\s*#.*$/gm, '')
}

function parse(bytes: Uint8Array, path: string, log: Logger): Map<string, string> {
  const users = new Map<string, string>()
  let broken = 0
  let unknown = 0
  for (const line of new TextDecoder().decode(bytes).split(/\r?\n/)) {
    const text = line.trim()
    if (text === '' || text.startsWith('#')) continue
    const [user = '', hash] = text.split(':')
    if (user === '' || hash === undefined) broken++
    else if (!isKnownHash(hash)) unknown++
    else users.set(user, hash)
  }
  if (broken > 0) log.error(`${path}: ${broken} lines without a user and a hash are left out`)
  if (unknown > 0) log.error(`${path}: ${unknown} users have no hash of a known kind and can't log in; use htpasswd -B`)
  return users
}
