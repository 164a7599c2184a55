import { Methods } from '../methods.ts'
import type { Method } from '../method.ts'
import { coreMethods } from './core.ts'
import { jobMethods } from './job.ts'
import { rcMethods } from './rc.ts'

/** All methods of the remote control. */
export const methods = [...coreMethods, ...jobMethods, ...rcMethods] as const satisfies readonly Method[]

/** The same, to be looked up. */
export function allMethods(): Methods {
  return new Methods(methods)
}
