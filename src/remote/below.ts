import { AppError } from '../base/error.ts'
import { join } from '../base/path.ts'
import { formatSpec, parseSpec } from './spec.ts'

/** The text for what lies at `path` below the remote that `text` names: `s3:bucket` and `a/b` give `s3:bucket/a/b`. */
export function specBelow(text: string, path: string): string {
  const spec = parseSpec(text)
  if (path === '') return text
  // `/` alone is the root of a disk, not a name to be cut.
  const root = spec.path.replace(/\/+$/, '')
  const whole = root === '' && spec.path !== '' ? `/${path}` : join(root, path)
  return formatSpec({ ...spec, path: whole })
}

/** Throws `invalid` when the setting `remote` of a remote of this type and name says nothing, or names the remote itself. */
export function refuseNowhere(type: string, name: string, remote: string): void {
  if (remote === '')
    throw new AppError('invalid', `${type} can't point to an empty remote - check the value of the remote setting`)
  if (remote.startsWith(`${name}:`))
    throw new AppError('invalid', `can't point ${type} remote at itself - check the value of the remote setting`)
}
