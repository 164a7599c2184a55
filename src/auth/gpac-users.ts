import type { Logger } from '../core/log.ts'
import { IniDocument } from '../remote/ini.ts'
import { groupsOf, type UserFile, Users } from './users.ts'
import { gpacHash } from './verify.ts'
import { WatchedFile } from './watched-file.ts'

/**
 * The users and groups of a `users.cfg` as `gpac -creds` writes it (httpout.md 3.6): a section for each user with `password`
 * and `salt`, and `[groups]`. It is only read. Throws `invalid` when that fails, or nobody in it can log in.
 */
export function openGpacUsers(path: string, log: Logger): UserFile {
  return new WatchedFile(path, {
    what: 'users file',
    log,
    read(bytes, before) {
      const file = new IniDocument(bytes)
      const hashes = new Map<string, string>()
      for (const name of file.sections()) {
        const { password = '', salt = '' } = file.get(name) ?? {}
        const hash = name === 'groups' ? undefined : gpacHash(password, salt)
        if (hash !== undefined) hashes.set(name, hash)
        else if (name !== 'groups') log.error(`${path}: ${name} has no password and salt, and can't log in`)
      }
      if (hashes.size === 0 && (before === undefined || before.size > 0))
        throw new Error(`${path} has no user in it; make one with gpac -creds=+NAME`)
      return new Users(hashes, groupsOf(file.get('groups')))
    },
    sayRead: ({ size }) => `${size} users`,
  })
}
