import { after, before, describe } from 'node:test'
import type { Context } from '../../src/core/context.ts'
import type { Remote } from '../../src/remote/remote.ts'
import { changing } from './changing.ts'
import { fixture } from './fixture.ts'
import { reading } from './reading.ts'
import { storing } from './storing.ts'
import { bodyOf } from '../../src/base/body.ts'

/** A remote made for one run of the suite. */
export interface Opened {
  readonly ctx: Context
  readonly remote: Remote
  close(): Promise<void>
}

export interface Behaviour {
  /** Opens an empty remote; with `readOnly`, one that holds the fixture already. */
  open(): Promise<Opened>
  readonly readOnly?: boolean
  readonly skip?: string | false
  /** Names of the fixture that this storage cannot keep. */
  readonly impossibleNames?: readonly string[]
  /** Files of the fixture whose checksum this storage does not know, though it knows those of others. */
  readonly withoutHash?: readonly string[]
}

/** What the cases of the suite get. */
export interface Subject {
  readonly ctx: Context
  readonly remote: Remote
  readonly impossibleNames: ReadonlySet<string>
  readonly withoutHash: ReadonlySet<string>
}

/**
 * What every remote does: the definition of a backend. Cases for methods that a remote lacks are left out; the remote is
 * shared by all cases, each of which works below a directory of its own.
 */
export function remoteBehaviour(name: string, behaviour: Behaviour): void {
  describe(`${name} behaves as a remote`, { skip: behaviour.skip }, () => {
    let opened: Opened | undefined
    const subject = (): Subject => {
      if (!opened) throw new Error('the remote could not be opened')
      return {
        ctx: opened.ctx,
        remote: opened.remote,
        impossibleNames: new Set(behaviour.impossibleNames),
        withoutHash: new Set(behaviour.withoutHash),
      }
    }
    before(async () => {
      opened = await behaviour.open()
      if (!behaviour.readOnly) await fill(subject())
    })
    after(async () => await opened?.close())
    reading(subject)
    if (behaviour.readOnly) return
    storing(subject)
    changing(subject)
  })
}

async function fill({ ctx, remote, impossibleNames }: Subject): Promise<void> {
  for (const { path, bytes, modTime } of fixture)
    if (!impossibleNames.has(path)) await remote.put(ctx, path, bodyOf(bytes), { size: bytes.length, modTime })
}
