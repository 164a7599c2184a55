import { Methods } from '../methods.ts'
import type { Method } from '../method.ts'
import { cacheMethods } from './cache.ts'
import { configMethods } from './config.ts'
import { coreMethods } from './core.ts'
import { debugMethods } from './debug.ts'
import { jobMethods } from './job.ts'
import { mountMethods } from './mount.ts'
import { optionsMethods } from './options.ts'
import { pluginsctlMethods } from './pluginsctl.ts'
import { rcMethods } from './rc.ts'

/** All methods of the remote control. */
export const methods = [
  ...cacheMethods,
  ...configMethods,
  ...coreMethods,
  ...debugMethods,
  ...jobMethods,
  ...mountMethods,
  ...optionsMethods,
  ...pluginsctlMethods,
  ...rcMethods,
] as const satisfies readonly Method[]

/** The same, to be looked up. */
export function allMethods(): Methods {
  return new Methods(methods)
}
