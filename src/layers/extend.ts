import type { Context } from '../core/context.ts'
import type { Entry, Remote } from '../remote/remote.ts'

/** What a storage call is about: the method and the path it works on. */
export interface Operation {
  readonly name: keyof Remote
  readonly path: string
}

/** The methods that give one promise, those that a layer can run again, delay or time. */
const calls = [
  'stat',
  'open',
  'remove',
  'mkdir',
  'rmdir',
  'copy',
  'move',
  'moveDirectory',
  'purge',
  'hash',
  'setModTime',
  'about',
  'cleanUp',
  'publicLink',
  'setTier',
  'describe',
  'metadata',
] as const satisfies readonly (keyof Remote)[]

type Method = (...args: readonly unknown[]) => unknown

/** Other ways to do the same as a method: whoever overrides the method has to override these as well, or goes without. */
const shortcuts = { open: ['readNow'], put: ['putNow', 'openWriter'] } as const satisfies {
  [name in keyof Remote]?: readonly (keyof Remote)[]
}

/** Overrides some methods of a remote. An override of a method that `inner` lacks is dropped: a layer adds no feature. */
export function extend(inner: Remote, overrides: Partial<Remote>): Remote {
  const source = inner as unknown as Readonly<Record<string, unknown>>
  const out: Record<string, unknown> = {}
  for (const name of methodNames(inner)) {
    const value = source[name]
    out[name] = typeof value === 'function' ? (value as Method).bind(inner) : value
  }
  for (const [name, ways] of Object.entries(shortcuts))
    for (const way of ways) if (name in overrides && !(way in overrides)) delete out[way]
  for (const [name, value] of Object.entries(overrides)) if (out[name] !== undefined) out[name] = value
  return out as unknown as Remote
}

function methodNames(remote: Remote): string[] {
  const names = new Set<string>()
  for (let o: object | null = remote; o && o !== Object.prototype; o = Object.getPrototypeOf(o) as object | null)
    for (const name of Object.getOwnPropertyNames(o)) if (name !== 'constructor') names.add(name)
  return [...names]
}

const lists = ['list', 'listRecursive'] as const satisfies readonly (keyof Remote)[]

/**
 * Runs every call to the storage through `run`: retrying, limiting and logging are each one function. Of a listing the call
 * is what gives its first entry, of `open` what gives the body. Uploads are left alone: their source can be read only once.
 */
export function around(
  inner: Remote,
  run: <T>(ctx: Context, op: Operation, call: () => Promise<T>) => Promise<T>,
): Remote {
  const source = inner as unknown as Readonly<Record<string, Method | undefined>>
  const wrapped: Record<string, unknown> = {}
  for (const name of calls) {
    const method = source[name]
    if (!method) continue
    wrapped[name] = (ctx: Context, ...rest: readonly unknown[]) =>
      run(ctx, { name, path: pathOf(rest[0]) }, () => method.call(inner, ctx, ...rest) as Promise<unknown>)
  }
  for (const name of lists) {
    const list = inner[name]?.bind(inner)
    if (list) wrapped[name] = (ctx: Context, dir: string) => listing(ctx, { name, path: dir }, () => list(ctx, dir))
  }
  return extend(inner, wrapped)

  async function* listing(ctx: Context, op: Operation, list: () => AsyncIterable<Entry>): AsyncGenerator<Entry> {
    const { entries, first } = await run(ctx, op, async () => {
      const entries = list()[Symbol.asyncIterator]()
      return { entries, first: await entries.next() }
    })
    let ended = first.done === true
    try {
      for (let result = first; !result.done; result = await entries.next()) yield result.value
      ended = true
    } finally {
      if (!ended) await entries.return?.()
    }
  }
}

function pathOf(subject: unknown): string {
  return typeof subject === 'string' ? subject : ((subject as Entry | undefined)?.path ?? '')
}
