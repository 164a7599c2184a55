import { Methods } from '../methods.ts'
import type { Method } from '../method.ts'
import { backendMethods } from './backend.ts'
import { cacheMethods } from './cache.ts'
import { configMethods } from './config.ts'
import { coreMethods } from './core.ts'
import { debugMethods } from './debug.ts'
import { fscacheMethods } from './fscache.ts'
import { jobMethods } from './job.ts'
import { liveMethods } from './live.ts'
import { mountMethods } from './mount.ts'
import { operationsMethods } from './operations.ts'
import { optionsMethods } from './options.ts'
import { pluginsctlMethods } from './pluginsctl.ts'
import { rcMethods } from './rc.ts'
import { serveMethods } from './serve.ts'
import { syncMethods } from './sync.ts'
import { vfsMethods } from './vfs.ts'

/** All methods of the remote control. */
export const methods = [
  ...backendMethods,
  ...cacheMethods,
  ...configMethods,
  ...coreMethods,
  ...debugMethods,
  ...fscacheMethods,
  ...jobMethods,
  ...liveMethods,
  ...mountMethods,
  ...operationsMethods,
  ...optionsMethods,
  ...pluginsctlMethods,
  ...rcMethods,
  ...serveMethods,
  ...syncMethods,
  ...vfsMethods,
] as const satisfies readonly Method[]

/** The same, to be looked up. */
export function allMethods(): Methods {
  return new Methods(methods)
}
