import { lookup } from 'node:dns'
import { lookup as lookUp } from 'node:dns/promises'
import { BlockList, isIP, isIPv4, isIPv6, type LookupFunction } from 'node:net'
import { AppError } from '../base/error.ts'

/**
 * What a URL that came over the network may lead to: addresses of the internet alone, those of this very machine as well, or
 * all. Whoever makes this program fetch something must not get behind the walls that it stands in (SSRF).
 */
export type Reach = 'public' | 'loopback' | 'all'

/** Addresses that are not of the internet (the special-purpose registries of RFC 6890), or that may stand for such. */
const closed: readonly string[] = Object.freeze([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/96',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/23',
  '2001:db8::/32',
  'fc00::/7',
  'fe80::/10',
  'fec0::/10',
  'ff00::/8',
])
const closedList = blockList(closed)
const loopbackList = blockList(['127.0.0.0/8', '::1/128'])

/** True when an address may be connected to. */
export function mayReach(address: string, reach: Reach): boolean {
  if (reach === 'all') return true
  const inner = embedded(address)
  if (inner !== undefined) return mayReach(inner, reach)
  const [bare = ''] = address.split('%')
  const family = isIPv4(bare) ? 'ipv4' : 'ipv6'
  if (!isIP(bare)) return false
  if (reach === 'loopback' && loopbackList.check(bare, family)) return true
  return !closedList.check(bare, family)
}

/** Throws `denied` when a URL names an address that may not be reached. A name is looked up only with `resolve`. */
export async function checkHost(url: URL, reach: Reach, { resolve }: { readonly resolve: boolean }): Promise<void> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  if (reach === 'all' || (!isIP(host) && !resolve)) return
  const found = isIP(host) ? [{ address: host }] : await lookUp(host, { all: true })
  if (!found.every(({ address }) => mayReach(address, reach))) throw refused(host)
}

/**
 * Looks names up as `dns.lookup` does, without the addresses that may not be reached: what was checked is connected to. The
 * hosts in `known` (proxies) are the operator's word.
 */
export function guardedLookup(reach: Reach, known: readonly string[] = []): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found) => {
      const limit = known.includes(host) ? 'all' : reach
      const allowed = error ? [] : found.filter(({ address }) => mayReach(address, limit))
      const [first] = allowed
      if (error) callback(error, '', 0)
      else if (!first) callback(refused(host), '', 0)
      else if (options.all) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function refused(host: string): AppError {
  return new AppError(
    'denied',
    `${host} is not an address of the internet: URLs of calls may not lead there without --allow-private-urls`,
    { stop: 'no-retry' },
  )
}

/** The IPv4 address that an IPv6 one stands for: mapped (::ffff:0:0/96), NAT64 (64:ff9b::/96) and 6to4 (2002::/16). */
function embedded(address: string): string | undefined {
  if (!isIPv6(address)) return undefined
  const words = wordsOf(address)
  const quad = (high = 0, low = 0) => [high >> 8, high & 255, low >> 8, low & 255].join('.')
  const starts = (...head: readonly number[]) => head.every((word, i) => words[i] === word)
  if (starts(0, 0, 0, 0, 0, 0xffff) || starts(0x64, 0xff9b, 0, 0, 0, 0)) return quad(words[6], words[7])
  return starts(0x2002) ? quad(words[1], words[2]) : undefined
}

/** The eight 16-bit words of an IPv6 address. */
function wordsOf(address: string): number[] {
  // A URL writes each address in one way: hexadecimal words, one run of zeros left out.
  const text = new URL(`http://[${address.split('%')[0]}]/`).hostname.slice(1, -1)
  const [head = '', tail] = text.split('::')
  const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => parseInt(word, 16)))
  if (tail === undefined) return words(head)
  const [before, after] = [words(head), words(tail)]
  return [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
}

function blockList(subnets: readonly string[]): BlockList {
  const list = new BlockList()
  for (const subnet of subnets) {
    const [network = '', prefix] = subnet.split('/')
    list.addSubnet(network, Number(prefix), isIPv4(network) ? 'ipv4' : 'ipv6')
  }
  return list
}
