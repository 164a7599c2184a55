import type { ListOptions } from '../operations/list.ts'
import type { ParamType } from '../schema/field.ts'
import { bad, bool, fromText, jsonKind, schemaOf, strings } from '../schema/params.ts'
import { optional } from '../schema/field.ts'

const fields = {
  recurse: optional(bool, 'What is in folders as well'),
  noModTime: optional(bool, 'Leave times out'),
  showEncrypted: optional(bool, 'Show names as they are stored, too'),
  showOrigIDs: optional(bool, 'Show ids, where the storage has them'),
  showHash: optional(bool, 'Show checksums'),
  noMimeType: optional(bool, 'Leave types out'),
  dirsOnly: optional(bool, 'Folders only'),
  filesOnly: optional(bool, 'Files only'),
  metadata: optional(bool, 'Show metadata'),
  hashTypes: optional(strings, 'Kinds of checksum to show, all without it'),
}

/** What a listing is to show, as clients say it. */
export type RcListOptions = Pick<
  ListOptions,
  | 'recurse'
  | 'noModTime'
  | 'noMimeType'
  | 'showHash'
  | 'showEncrypted'
  | 'showOrigIDs'
  | 'hashTypes'
  | 'dirsOnly'
  | 'filesOnly'
  | 'metadata'
>

/** The parameter `opt` of listings: names in any case, types as they are (rc.md 3.1). */
export const listOptions: ParamType<RcListOptions> = {
  schema: schemaOf(fields),
  read(key, value) {
    const wrong = (item: unknown, type: string) =>
      bad(
        `key ${JSON.stringify(key)}: Reshape failed to Unmarshal: json: cannot unmarshal ${jsonKind(item)} into Go ${type}`,
      )
    const json = fromText(key, value)
    if (json === null) return {}
    if (typeof json !== 'object' || Array.isArray(json)) throw wrong(json, 'value of type operations.ListJSONOpt')
    const options: Record<string, unknown> = {}
    for (const [given, item] of Object.entries(json)) {
      const name = names.get(given.toLowerCase())
      if (name === undefined || item === null) continue
      const where = (type: string) => `struct field ListJSONOpt.${name} of type ${type}`
      if (name !== 'hashTypes') {
        if (typeof item !== 'boolean') throw wrong(item, where('bool'))
      } else {
        if (!Array.isArray(item)) throw wrong(item, where('[]string'))
        for (const kind of item) if (typeof kind !== 'string') throw wrong(kind, where('string'))
      }
      options[name] = item
    }
    return options
  },
}

const names: ReadonlyMap<string, string> = new Map(Object.keys(fields).map((name) => [name.toLowerCase(), name]))
