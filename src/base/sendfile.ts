/**
 * Has the system send up to `count` bytes of a file, from `position` on, to a socket that does not block; both are
 * descriptors. Gives the count of bytes that the socket took: 0 when it takes none now, where the file ends, and for every
 * error, which an ordinary write or read will then show (Linux: sendfile(2)).
 */
export type Sendfile = (socket: number, file: number, position: number, count: number) => number

type Foreign = typeof import('node:ffi')

/**
 * `sendfile` of the system, which copies nothing into this process; undefined where Node cannot call it. Node's interface for
 * that is young, so it is tried out before it is trusted.
 */
export function systemSendfile(): Sendfile | undefined {
  const known = process.platform === 'linux' && (process.arch === 'x64' || process.arch === 'arm64')
  const foreign = known ? foreignFunctions() : undefined
  if (!foreign) return undefined
  try {
    const { functions } = foreign.dlopen(null, {
      sendfile: { arguments: ['i32', 'i32', 'buffer', 'u64'], return: 'i64' },
      getpid: { arguments: [], return: 'i32' },
    })
    if (functions.getpid() !== process.pid) return undefined
    const offset = new BigInt64Array(1)
    const place = new Uint8Array(offset.buffer)
    return (socket, file, position, count) => {
      offset[0] = BigInt(position)
      return Math.max(0, Number(functions.sendfile(socket, file, place, BigInt(count))))
    }
  } catch {
    return undefined
  }
}

/** Node's interface to functions of the system, without its warning that it may change: what it gives is tried out. */
function foreignFunctions(): Foreign | undefined {
  const warning = Object.getOwnPropertyDescriptor(process, 'emitWarning')
  if (warning) Object.defineProperty(process, 'emitWarning', { ...warning, value: () => {} })
  try {
    return process.getBuiltinModule('node:ffi') as Foreign | undefined
  } catch {
    return undefined
  } finally {
    if (warning) Object.defineProperty(process, 'emitWarning', warning)
  }
}
