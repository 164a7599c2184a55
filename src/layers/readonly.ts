import { AppError } from '../base/error.ts'
import type { Layer, Remote } from '../remote/remote.ts'
import { extend } from './extend.ts'

const changes = [
  'put',
  'remove',
  'mkdir',
  'rmdir',
  'copy',
  'move',
  'moveDirectory',
  'purge',
  'setModTime',
  'setTier',
  'openWriter',
  'cleanUp',
] as const satisfies readonly (keyof Remote)[]

/** Refuses every change with `denied` (`--read-only`). */
export const readonly: Layer = (inner) => {
  const refuse = () => Promise.reject(new AppError('denied', 'this remote is read only'))
  return extend(inner, Object.fromEntries(changes.map((name) => [name, refuse])) as Partial<Remote>)
}
