import { randomBytes } from 'node:crypto'
import { authOptions } from '../auth/options.ts'
import { AppError, messageOf } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { httpOptions } from '../http/options.ts'
import { originOptions } from '../origin/options.ts'
import { hidden, indexed, type RcOption } from '../rc/block-values.ts'
import type { RunningServer, Servers } from '../rc/services.ts'
import { execRefused, type OptionBlock } from '../schema/option.ts'
import { vfsName } from '../vfs/active.ts'
import { vfsOptions } from '../vfs/options.ts'
import { openServer, type Server, type ServerParts } from './server.ts'
import { serverOptions } from './server-options.ts'

interface Started extends RunningServer {
  readonly server: Server
}

type Params = Readonly<Record<string, unknown>>

/** The servers that calls start: `serve/start`, `serve/list`, `serve/stop`. */
export class StartedServers implements Servers {
  readonly types = ['http']
  readonly #parts: ServerParts
  readonly #started = new Map<string, Started>()

  constructor(parts: ServerParts) {
    this.#parts = parts
  }

  async start(call: Context, params: Params, { exec }: { readonly exec: boolean }): Promise<RunningServer> {
    const { type, fs } = params as { type: string; fs: string }
    const kind = type.toLowerCase()
    if (!this.types.includes(kind)) throw new AppError('invalid', `could not find serve type=${JSON.stringify(type)}`)
    const given = valuesOf(params)
    const { ctx: app, env } = this.#parts
    // The options of the call hold for it (`_config`), but it outlives the call.
    const ctx = call.with({ values: given.values, signal: app.signal, stats: app.stats })
    // Sockets that were handed to the program are not for a server that a call has started.
    const own = { ctx, exec, env: { ...env, LISTEN_FDS: undefined }, get: <B extends OptionBlock>(b: B) => ctx.get(b) }
    const server = await openServer({ ...this.#parts, ...own }, fs).catch((error: unknown) => {
      throw new AppError('invalid', `could not start serve ${JSON.stringify(kind)}: ${messageOf(error)}`, {
        cause: error,
      })
    })
    const id = `${kind}-${randomBytes(4).toString('hex')}`
    const started = { id, addr: server.addresses[0] ?? '', params: given.shown, server }
    this.#started.set(id, started)
    app.log.info(`${server.description}: HTTP Server started on [${server.urls.join(', ')}]`)
    return started
  }

  list(): readonly RunningServer[] {
    return [...this.#started.values()]
  }

  async stop(id: string): Promise<void> {
    const found = this.#started.get(id)
    if (!found) throw new AppError('invalid', `server with id=${JSON.stringify(id)} not found`)
    this.#started.delete(id)
    await found.server.close({ drainMs: DRAIN_MS })
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#started.keys()].map((id) => this.stop(id)))
  }
}

/** How long requests may go on when a call stops their server. */
const DRAIN_MS = 1000

/** Objects of options, and the blocks that stand in them, by the names of rclone. */
const objects: Readonly<Record<string, Readonly<Record<string, readonly OptionBlock[]>>>> = {
  opt: {
    '': serverOptions.filter((block) => block !== vfsOptions),
    HTTP: [httpOptions],
    Auth: [authOptions],
    Template: [],
  },
  vfsOpt: { '': [vfsOptions] },
  proxyOpt: { '': [authOptions] },
}

/**
 * The values of options in the parameters: flags in snake case, and objects of options (`opt`, `vfsOpt`), which have rclone's
 * names as well. `shown` are the parameters without secrets. Throws `usage` for what is not known or does not fit.
 */
function valuesOf(params: Params): { values: Map<OptionBlock, Record<string, unknown>>; shown: Params } {
  const values = new Map<OptionBlock, Record<string, unknown>>()
  const unknown: string[] = []

  function put(found: RcOption | undefined, name: string, value: unknown): unknown {
    if (!found) {
      unknown.push(name)
      return undefined
    }
    const { block, key, option } = found
    if (option.exec && value !== '' && value !== null) throw execRefused(name)
    try {
      values.set(block, { ...values.get(block), [key]: option.type.decode(value ?? option.default) })
    } catch (error) {
      throw new AppError('usage', `${name}: ${messageOf(error)}`, { cause: error })
    }
    return option.secret ? hidden : value
  }

  function object(names: Readonly<Record<string, readonly OptionBlock[]>>, given: object, level = ''): Params {
    const known = namesOf(names[level] ?? [])
    return Object.fromEntries(
      Object.entries(given).map(([name, value]: [string, unknown]) => {
        if (level === '' && name !== '' && Object.hasOwn(names, name) && typeof value === 'object' && value !== null)
          return [name, object(names, value, name)]
        if (level === 'Template' && name === 'Path')
          return [name, put(namesOf([originOptions]).get('template'), name, value)]
        return [name, put(known.get(name.toLowerCase()), name, value)]
      }),
    )
  }

  const flat = namesOf(serverOptions)
  const shown = Object.fromEntries(
    Object.entries(params).map(([name, value]) => {
      if (name === 'type') return [name, value]
      if (name === 'fs') return [name, shownSpec(value as string)]
      if (Object.hasOwn(objects, name)) return [name, object(objects[name] ?? {}, objectOf(name, value))]
      return [name, put(flat.get(name), name, value)]
    }),
  )
  if (unknown.length > 0) throw new AppError('usage', `unknown parameters: ${unknown.toSorted().join(', ')}`)
  return { values, shown }
}

function objectOf(name: string, value: unknown): object {
  const json: unknown = typeof value === 'string' ? JSON.parse(value) : value
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json
  throw new AppError('usage', `key ${JSON.stringify(name)}: an object is needed`)
}

/** The options of some blocks by all the names they have, in lower case. */
function namesOf(blocks: readonly OptionBlock[]): ReadonlyMap<string, RcOption> {
  return indexed({ name: '', blocks }).named
}

/** A remote without the settings that its text may hold: they can be secret. */
function shownSpec(text: string): string {
  return text.includes(',') ? vfsName(text) : text
}
