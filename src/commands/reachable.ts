import type { NetworkInterfaceInfo } from 'node:os'

/**
 * Where a server that listens on all addresses can be opened: on this machine, then from others, the likeliest first. Empty
 * for a URL that names one address.
 */
export function reachable(url: string, interfaces: NodeJS.Dict<NetworkInterfaceInfo[]>): readonly string[] {
  const { hostname } = new URL(url)
  if (hostname !== '[::]' && hostname !== '0.0.0.0') return []
  const addresses = Object.values(interfaces)
    .flatMap((list) => list ?? [])
    .filter(
      ({ internal, family, address }) =>
        !internal && (family === 'IPv4' || hostname === '[::]') && !isLinkLocal(address),
    )
    .toSorted((a, b) => a.family.localeCompare(b.family))
  return ['127.0.0.1', ...addresses.map(({ address, family }) => (family === 'IPv6' ? `[${address}]` : address))].map(
    (host) => url.replace(hostname, host),
  )
}

/** Works only with the name of an interface behind it, which no browser takes. */
function isLinkLocal(address: string): boolean {
  return /^fe[89ab]/i.test(address)
}
