import { costOf } from './verify.ts'
import type { WatchedFile } from './watched-file.ts'

/** Who belongs to a group, by the name of the group. */
export type Groups = ReadonlyMap<string, ReadonlySet<string>>

/** The users of one version of a file, and their groups if the file has any. */
export class Users {
  readonly #hashes: ReadonlyMap<string, string>
  readonly groups: Groups
  #slowest: string | undefined

  constructor(hashes: ReadonlyMap<string, string>, groups: Groups = new Map()) {
    this.#hashes = hashes
    this.groups = groups
  }

  get size(): number {
    return this.#hashes.size
  }

  /** The hash of a user, undefined when there is none. */
  hashOf(user: string): string | undefined {
    return this.#hashes.get(user)
  }

  /** The hash that takes longest to check; undefined when there is nobody. */
  get slowest(): string | undefined {
    if (this.#slowest === undefined)
      for (const hash of this.#hashes.values())
        if (this.#slowest === undefined || costOf(hash) > costOf(this.#slowest)) this.#slowest = hash
    return this.#slowest
  }
}

/** A file of users. */
export type UserFile = WatchedFile<Users>

/** Reads a list of members: `ann, bob`. */
export function namesIn(text: string | undefined): string[] {
  return (text ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

/** The groups of a section whose keys are groups and whose values are lists of members. */
export function groupsOf(section: Readonly<Record<string, string>> | undefined): Groups {
  return new Map(Object.entries(section ?? {}).map(([name, members]) => [name, new Set(namesIn(members))]))
}
