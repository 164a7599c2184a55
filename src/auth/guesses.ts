import { LRUCache } from 'lru-cache'
import { clientKey, plainAddress } from '../http/connection.ts'

export interface GuessPolicy {
  /** Wrong passwords that are free. */
  readonly burst: number
  /** Time (ms) after which one more is. */
  readonly every: number
}

const usual: GuessPolicy = { burst: 30, every: 2000 }
/** Behind addresses of this machine there is mostly a proxy, and behind that many people: they have this many budgets. */
const LOCAL_SHARE = 10

/**
 * Slows down guessing: each network (an IPv4 address, an IPv6 /64) has a budget of wrong passwords that refills slowly. Right
 * ones cost nothing, and known ones are never refused.
 */
export class Guesses {
  readonly #spent = new LRUCache<string, { count: number; at: number }>({ max: 10_000 })
  readonly #policy: GuessPolicy
  readonly #now: () => number

  constructor(policy: GuessPolicy = usual, now: () => number = () => performance.now()) {
    this.#policy = policy
    this.#now = now
  }

  /** Seconds until the next try of an address; 0 = now. */
  waitOf(address: string): number {
    const { burst, every } = this.#policyOf(address)
    const spent = this.#count(address)
    return spent <= burst - 1 ? 0 : Math.ceil(((spent - burst + 1) * every) / 1000)
  }

  /** Counts a wrong password. */
  wrong(address: string): void {
    const count = Math.min(this.#policyOf(address).burst, this.#count(address) + 1)
    this.#spent.set(networkOf(address), { count, at: this.#now() })
  }

  #count(address: string): number {
    const spent = this.#spent.get(networkOf(address))
    return spent ? Math.max(0, spent.count - (this.#now() - spent.at) / this.#policyOf(address).every) : 0
  }

  #policyOf(address: string): GuessPolicy {
    const { burst, every } = this.#policy
    const local = address === '' || address === '::1' || /^(?:::ffff:)?127\./i.test(address)
    return local ? { burst: burst * LOCAL_SHARE, every: every / LOCAL_SHARE } : this.#policy
  }
}

function networkOf(address: string): string {
  return clientKey(plainAddress(address))
}
