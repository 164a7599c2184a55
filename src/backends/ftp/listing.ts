import type { FileInfo } from 'basic-ftp'
import type { Connection } from './connection.ts'
import { replyError } from './reply.ts'

/** What lies in a directory, as the server lists it. */
export async function named(connection: Connection, full: string): Promise<FileInfo[]> {
  const { client, abilities } = connection
  if (abilities.mlst) return await client.list(full).catch(refused)
  // LIST takes its argument for a pattern, or for options.
  await connection.send(`CWD ${full}`)
  return await client.list().catch(refused)
}

function refused(reason: unknown): never {
  throw replyError(reason)
}

/** The path of a name in a directory, which may be `/`. */
export function below(dir: string, name: string): string {
  return dir.endsWith('/') ? `${dir}${name}` : `${dir}/${name}`
}
