import { AppError, toAppError } from '../../base/error.ts'
import { parentOf } from '../../base/path.ts'
import type { Nanoseconds } from '../../base/time.ts'
import { ASIDE, partialName } from '../../remote/partial.ts'
import type { Connection } from './connection.ts'
import { type Facts, factsIn, timeIn } from './facts.ts'

/** What is stored at an absolute path, undefined when there is nothing. Links are followed. */
export async function look(connection: Connection, full: string): Promise<Facts | undefined> {
  if (!connection.abilities.mlst) return await lookByCommands(connection, full)
  const answer = await unlessMissing(connection.send(`MLST ${full}`))
  const facts = answer && factsIn(answer.message)
  return facts?.type === 'link' ? await lookBehind(connection, full) : facts
}

/** What a link leads to. Its size is not known: ProFTPD for one tells that of the link. */
export async function lookBehind(connection: Connection, full: string): Promise<Facts | undefined> {
  const facts = await lookByCommands(connection, full)
  return facts && { ...facts, size: -1 }
}

/** The modification time of a file, to the second; undefined when the server does not tell. */
export async function modTimeOf(connection: Connection, full: string): Promise<Nanoseconds | undefined> {
  if (!connection.abilities.mdtm) return undefined
  const answer = await unlessMissing(connection.send(`MDTM ${full}`))
  return answer && timeIn(answer.message.slice(4))
}

/** Makes a directory and those above it; one that is there is fine. */
export async function makeDirectory(connection: Connection, full: string): Promise<void> {
  if (full === '/') return
  const found = await look(connection, full)
  if (found?.type === 'directory') return
  if (found) throw new AppError('not-directory', `${full} is a file`)
  await makeDirectory(connection, parentOf(full) || '/')
  try {
    await connection.send(`MKD ${full}`)
  } catch (error) {
    // Somebody else may have made it meanwhile.
    if ((await look(connection, full))?.type !== 'directory') throw error
  }
}

/**
 * Gives a file another name, also that of another file. Where the server refuses that, the other one is moved out of the way
 * first, and back when it was for nothing.
 */
export async function moveOver(connection: Connection, from: string, to: string): Promise<void> {
  try {
    await rename(connection, from, to)
  } catch (error) {
    if (connection.closed || !(await look(connection, to)) || !(await look(connection, from))) throw error
    const aside = `${parentOf(to)}/${partialName(ASIDE)}`
    await rename(connection, to, aside)
    try {
      await rename(connection, from, to)
    } catch (failure) {
      await rename(connection, aside, to)
      throw failure
    }
    await connection.send(`DELE ${aside}`)
  }
}

/** Gives a file or directory a name that is free. */
export async function rename(connection: Connection, from: string, to: string): Promise<void> {
  await connection.send(`RNFR ${from}`)
  await connection.send(`RNTO ${to}`)
}

async function lookByCommands(connection: Connection, full: string): Promise<Facts | undefined> {
  const size = await unlessMissing(connection.send(`SIZE ${full}`), 'is-directory', 'denied')
  if (size) {
    const bytes = Number(/^213\s+(\d+)/.exec(size.message)?.[1] ?? -1)
    return { type: 'file', size: bytes, modTime: await modTimeOf(connection, full) }
  }
  const entered = await unlessMissing(connection.send(`CWD ${full}`), 'denied')
  return entered && { type: 'directory', size: -1, modTime: undefined }
}

/** Undefined for a refusal that says that there is nothing, or anything else that is named. */
async function unlessMissing<T>(asked: Promise<T>, ...more: string[]): Promise<T | undefined> {
  return await asked.catch((reason: unknown) => {
    const error = toAppError(reason)
    const refused = error.code === 'io' && error.retry === false
    if (refused || ['not-found', 'not-directory', ...more].includes(error.code)) return undefined
    throw error
  })
}
