import { Methods } from '../methods.ts'
import type { Method } from '../method.ts'
import { backendMethods } from './backend.ts'
import { coreMethods } from './core.ts'
import { fscacheMethods } from './fscache.ts'
import { jobMethods } from './job.ts'
import { operationsMethods } from './operations.ts'
import { rcMethods } from './rc.ts'
import { syncMethods } from './sync.ts'

/** All methods of the remote control. */
export const methods = [
  ...backendMethods,
  ...coreMethods,
  ...fscacheMethods,
  ...jobMethods,
  ...operationsMethods,
  ...rcMethods,
  ...syncMethods,
] as const satisfies readonly Method[]

/** The same, to be looked up. */
export function allMethods(): Methods {
  return new Methods(methods)
}
