import type { Body } from '../base/body.ts'
import type { KeyedLock } from '../base/keyed-lock.ts'
import { heldBack } from './incoming.ts'

/** Whose turn it is among uploads of one name. */
export interface Turn {
  readonly lock: KeyedLock
  readonly name: string
  /** Throws when the name may not be taken. */
  check(): Promise<void>
}

/**
 * Runs an upload that gets its last bytes, and so its name, while no other one of that name does. What comes before has no turn:
 * a source may end only after another upload of the name has (`Remote.put`).
 */
export async function lastInTurn<T>(turn: Turn, body: Body, put: (body: Body) => Promise<T>): Promise<T> {
  const { promise: over, resolve: end } = Promise.withResolvers<void>()
  const begun = () =>
    new Promise<void>((begin, refuse) => {
      const work = async () => {
        await turn.check()
        begin()
        await over
      }
      turn.lock.run(turn.name, work).catch(refuse)
    })
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* body
    await begun()
  }
  try {
    return await put(heldBack(source()))
  } finally {
    end()
  }
}
