import { Methods } from '../methods.ts'
import type { Method } from '../method.ts'
import { coreMethods } from './core.ts'
import { jobMethods } from './job.ts'
import { rcMethods } from './rc.ts'
import { serveMethods } from './serve.ts'
import { vfsMethods } from './vfs.ts'

/** All methods of the remote control. */
export const methods = [
  ...coreMethods,
  ...jobMethods,
  ...rcMethods,
  ...serveMethods,
  ...vfsMethods,
] as const satisfies readonly Method[]

/** The same, to be looked up. */
export function allMethods(): Methods {
  return new Methods(methods)
}
