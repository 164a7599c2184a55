/**
 * Node's module `http`, taken past `import`: that asks the module for all it exports, and so has Node load its web client as
 * well, which costs a tenth of the time in which a server starts.
 */
export const http = process.getBuiltinModule('node:http')

/** Node's module `https`, loaded when it is first asked for: a server that reads a local disk never does. */
export function https(): typeof import('node:https') {
  return process.getBuiltinModule('node:https')
}
