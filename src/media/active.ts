import { AppError } from '../base/error.ts'
import type { Channel } from './channel.ts'
import type { Live } from './live.ts'

/** The servers with live mounts that run now, by the address that they listen on. */
export class ActiveLives {
  readonly #servers = new Map<string, Live>()

  /** Adds a server; gives the way to take it out again. */
  add(address: string, live: Live): () => void {
    this.#servers.set(address, live)
    return () => this.#servers.delete(address)
  }

  get all(): readonly { readonly address: string; readonly live: Live }[] {
    return [...this.#servers].map(([address, live]) => ({ address, live }))
  }

  /** The server at an address, or the only one. Throws `invalid`. */
  server(address: string | undefined): Live {
    const [first, second] = this.all
    const found = address === undefined ? first?.live : this.#servers.get(address)
    if (!found)
      throw new AppError('invalid', address === undefined ? 'no server runs' : `no server listens on ${address}`)
    if (address === undefined && second) throw new AppError('invalid', 'several servers run: name one by "server"')
    return found
  }

  /** A mount of any server, or of the one at an address. Throws `not-found`. */
  mount(name: string, address: string | undefined): { readonly live: Live; readonly channel: Channel } {
    const path = name.replace(/^\/+/, '')
    for (const { address: at, live } of this.all) {
      const channel = address === undefined || at === address ? live.find(path) : undefined
      if (channel) return { live, channel }
    }
    throw new AppError('not-found', `there is no live mount ${JSON.stringify(name)}`)
  }
}
