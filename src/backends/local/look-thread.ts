import { lstatSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { packed, type LookRequest } from './look-row.ts'
import { rawPlace } from './names.ts'

const options = { bigint: true, throwIfNoEntry: false } as const

/** The stats of each name; those that could not be had are left empty, and whoever asked looks by itself. */
function look({ place, names }: LookRequest): BigInt64Array {
  return packed(
    names.split('/').map((name) => {
      try {
        return lstatSync(rawPlace(place, name), options)
      } catch {
        return undefined
      }
    }),
  )
}

parentPort?.on('message', (request: LookRequest) => {
  const rows = look(request)
  parentPort?.postMessage({ id: request.id, rows }, [rows.buffer as ArrayBuffer])
})
