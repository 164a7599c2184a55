import { LRUCache } from 'lru-cache'

export interface GuessPolicy {
  /** Wrong passwords that are free. */
  readonly burst: number
  /** Time (ms) after which one more is. */
  readonly every: number
}

const usual: GuessPolicy = { burst: 30, every: 2000 }

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
    const spent = this.#count(networkOf(address))
    return spent < this.#policy.burst ? 0 : Math.ceil(((spent - this.#policy.burst + 1) * this.#policy.every) / 1000)
  }

  /** Counts a wrong password. */
  wrong(address: string): void {
    const network = networkOf(address)
    const count = Math.min(this.#policy.burst, this.#count(network) + 1)
    this.#spent.set(network, { count, at: this.#now() })
  }

  #count(network: string): number {
    const spent = this.#spent.get(network)
    return spent ? Math.max(0, spent.count - (this.#now() - spent.at) / this.#policy.every) : 0
  }
}

/** The address, or for IPv6 its /64: what one customer has. */
export function networkOf(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped || !address.includes(':')) return mapped ?? address
  const [head = '', tail] = address.split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const groups =
    tail === undefined
      ? front
      : [...front, ...Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0'), ...back]
  return `${groups
    .slice(0, 4)
    .map((g) => g.replace(/^0+(?=.)/, '').toLowerCase())
    .join(':')}::/64`
}
