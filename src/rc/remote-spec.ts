import { AppError } from '../base/error.ts'
import { checkName, formatSpec, type Spec } from '../remote/spec.ts'
import type { ParamType } from '../schema/field.ts'
import { bad, jsonKind } from '../schema/params.ts'

/**
 * A remote: text as everywhere, or an object of its settings with `type`, or `_name` of one in the configuration, and `_root`,
 * the path in it (rc.md 1.3). Gives the text.
 */
export const remoteSpec: ParamType<string> = {
  schema: {
    anyOf: [
      { type: 'string' },
      {
        type: 'object',
        properties: { type: { type: 'string' }, _name: { type: 'string' }, _root: { type: 'string' } },
        additionalProperties: { type: 'string' },
      },
    ],
    description: 'a remote such as nas:music, :memory:, or a path of this machine',
  },
  read(key, value) {
    if (typeof value === 'string') return value
    const wrong = (item: unknown, type: string) =>
      bad(
        `key ${JSON.stringify(key)}: Reshape failed to Unmarshal: json: cannot unmarshal ${jsonKind(item)} into Go value of type ${type}`,
      )
    if (typeof value !== 'object' || Array.isArray(value)) throw wrong(value, 'configmap.Simple')
    const fields = Object.entries((value ?? {}) as Readonly<Record<string, unknown>>)
    for (const [, item] of fields) if (typeof item !== 'string') throw wrong(item, 'string')
    return formatSpec(specOf(new Map(fields as [string, string][])))
  },
}

function specOf(settings: ReadonlyMap<string, string>): Spec {
  const { type, _name: name, _root: path = '', ...overrides } = Object.fromEntries(settings)
  const head = name ?? type
  if (head === undefined) throw new AppError('invalid', `couldn't find "type" or "_name" in JSON config definition`)
  checkName(head)
  const settled = Object.keys(overrides).find((one) => !/^[A-Za-z0-9_.]+$/.test(one))
  if (settled !== undefined)
    throw new AppError('invalid', 'config parameters may only contain `0-9`, `A-Z`, `a-z` and `_`')
  return name === undefined
    ? { kind: 'inline', backend: head, overrides, path }
    : { kind: 'named', name, overrides, path }
}
