import { createHash, randomBytes } from 'node:crypto'
import { AppError, messageOf } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { RunningServer, Servers } from '../rc/services.ts'
import { flatName } from '../rc/block-values.ts'
import type { OptionBlock } from '../schema/option.ts'
import { openServer, type Server, type ServerParts, serverOptions } from './server.ts'

interface Started extends RunningServer {
  readonly server: Server
}

/** The servers that calls start: `serve/start`, `serve/list`, `serve/stop`. */
export class StartedServers implements Servers {
  readonly types = ['http']
  readonly #parts: ServerParts
  readonly #started = new Map<string, Started>()

  constructor(parts: ServerParts) {
    this.#parts = parts
  }

  async start(ctx: Context, params: Readonly<Record<string, unknown>>): Promise<RunningServer> {
    const { type, fs } = params as { type: string; fs: string }
    if (!this.types.includes(type)) throw new AppError('invalid', `could not find serve type=${JSON.stringify(type)}`)
    const values = valuesOf(params)
    const app = this.#parts.ctx.with({ values, filter: ctx.filter })
    const server = await openServer({ ...this.#parts, ctx: app, get: (block) => app.get(block) }, fs).catch(
      (error: unknown) => {
        throw new AppError('invalid', `could not start serve ${JSON.stringify(type)}: ${messageOf(error)}`, {
          cause: error,
        })
      },
    )
    const id = `${type}-${createHash('sha256').update(randomBytes(16)).digest('hex').slice(0, 8)}`
    const started = { id, addr: server.addresses[0] ?? '', params, server }
    this.#started.set(id, started)
    return started
  }

  list(): readonly RunningServer[] {
    return [...this.#started.values()]
  }

  async stop(id: string): Promise<void> {
    const found = this.#started.get(id)
    if (!found) throw new AppError('invalid', `server with id=${JSON.stringify(id)} not found`)
    this.#started.delete(id)
    await found.server.close({ drainMs: 1000 })
  }

  async stopAll(): Promise<void> {
    await Promise.all([...this.#started.keys()].map((id) => this.stop(id)))
  }
}

/** Names of parameters that are no options. */
const own = ['type', 'fs', 'opt', 'vfsOpt', 'proxyOpt']

/** The values of options in the parameters: flags in snake case, and the objects `opt` and `vfsOpt`. Throws `usage`. */
function valuesOf(params: Readonly<Record<string, unknown>>): Map<OptionBlock, Record<string, unknown>> {
  const values = new Map<OptionBlock, Record<string, unknown>>()
  const known = new Map(
    serverOptions.flatMap((block) =>
      Object.entries(block.options).map(([key, option]) => [flatName(key, option), { block, key, option }] as const),
    ),
  )
  const nested = ['opt', 'vfsOpt', 'proxyOpt'].flatMap((name) => Object.entries(params[name] ?? {}))
  const flat = Object.entries(params).filter(([name]) => !own.includes(name) && !name.startsWith('_'))
  const unknown: string[] = []
  for (const [name, value] of [...flat, ...nested] as [string, unknown][]) {
    const found = known.get(name)
    if (!found) {
      unknown.push(name)
      continue
    }
    if (found.option.exec)
      throw new AppError('denied', `setting ${JSON.stringify(name)} over the network is not allowed: it runs a program`)
    try {
      values.set(found.block, { ...values.get(found.block), [found.key]: found.option.type.decode(value) })
    } catch (error) {
      throw new AppError('usage', `${name}: ${messageOf(error)}`, { cause: error })
    }
  }
  if (unknown.length > 0) throw new AppError('usage', `unknown parameters: ${unknown.toSorted().join(', ')}`)
  return values
}
