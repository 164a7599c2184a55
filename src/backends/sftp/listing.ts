import { orAbort } from '../../base/abort.ts'
import { isEntryName, join } from '../../base/path.ts'
import type { Context } from '../../core/context.ts'
import type { Encoding } from '../../remote/encoding.ts'
import { isPartialName } from '../../remote/partial.ts'
import type { Entry } from '../../remote/remote.ts'
import { typeOf } from './attributes.ts'
import { below } from './directories.ts'
import { entryOf } from './entries.ts'
import type { Pool } from './pool.ts'
import { openHandle } from './reading.ts'
import type { NamedAttributes, Session } from './session.ts'
import { existing } from './temp-file.ts'

export interface ListingParts {
  readonly pool: Pool
  /** Links are left out instead of followed. */
  readonly skipLinks: boolean
  readonly encoding: Encoding
}

/** A directory: its path on the server, and in the remote. */
export interface Directory {
  readonly full: string
  readonly dir: string
}

/** The entries of a directory, as many at a time as the server gives. */
export async function* listDirectory(
  ctx: Context,
  { pool, ...how }: ListingParts,
  at: Directory,
): AsyncGenerator<readonly Entry[]> {
  const lease = await pool.lease(ctx.signal)
  try {
    for await (const names of namesIn(ctx, lease.session, at.full))
      yield await entriesOf(ctx, lease.session, { ...at, ...how }, names)
  } finally {
    lease.release()
  }
}

/** All names in a directory with what the server tells of them, links not followed. */
export async function* namesIn(
  { signal }: Context,
  session: Session,
  full: string,
): AsyncGenerator<readonly NamedAttributes[]> {
  const handle = await openHandle(signal, session, session.openDirectory(full))
  try {
    for (let names = await orAbort(signal, session.readDirectory(handle)); names;) {
      // The next ones come while these are looked at.
      const next = session.readDirectory(handle)
      next.catch(() => {})
      yield names
      names = await orAbort(signal, next)
    }
  } finally {
    session.close(handle).catch(() => {})
  }
}

async function entriesOf(
  ctx: Context,
  session: Session,
  { full, dir, skipLinks, encoding }: Directory & Omit<ListingParts, 'pool'>,
  names: readonly NamedAttributes[],
): Promise<readonly Entry[]> {
  const shown = names.filter(({ name }) => isEntryName(name) && !isPartialName(name))
  const entries = shown.map(async ({ name, attributes }) => {
    const path = join(dir, encoding.decodeName(name))
    if (typeOf(attributes) !== 'link') return entryOf(path, attributes)
    const target = skipLinks ? undefined : await existing(session, below(full, name)).catch(() => undefined)
    if (!target && !skipLinks) ctx.log.debug('left out: the link leads nowhere', { object: path })
    return target && entryOf(path, target)
  })
  return (await orAbort(ctx.signal, Promise.all(entries))).filter((entry) => entry !== undefined)
}
