import { isEntryName } from '../base/path.ts'
import type { ParamType } from '../schema/field.ts'
import { bad, string } from '../schema/params.ts'

/** A path inside a remote, `''` for its root. Slashes too many are taken off; one that would lead out of the remote is refused. */
export const remotePath: ParamType<string> = {
  schema: { type: 'string', description: 'a path inside the remote' },
  read(key, value) {
    const text = string.read(key, value)
    if (text === '') return text
    const parts = text.split('/').filter((part) => part !== '')
    if (parts.every(isEntryName)) return parts.join('/')
    throw bad(`key ${JSON.stringify(key)}: ${JSON.stringify(text)} is not a path inside the remote`)
  },
}
