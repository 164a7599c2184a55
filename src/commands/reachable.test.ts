import assert from 'node:assert/strict'
import type { NetworkInterfaceInfo } from 'node:os'
import { test } from 'node:test'
import { reachable } from './reachable.ts'

function at(address: string, internal = false): NetworkInterfaceInfo {
  const family = address.includes(':') ? ({ family: 'IPv6', scopeid: 0 } as const) : ({ family: 'IPv4' } as const)
  return { address, netmask: '', mac: '', internal, cidr: null, ...family }
}
const interfaces = { lo: [at('127.0.0.1', true)], eth0: [at('fe80::1'), at('fd00::2'), at('192.0.2.2')] }

test('a server on all addresses is reached under each of them, not under the link-local ones', () => {
  assert.deepEqual(reachable('https://[::]:8080/x/', interfaces), [
    'https://127.0.0.1:8080/x/',
    'https://192.0.2.2:8080/x/',
    'https://[fd00::2]:8080/x/',
  ])
  assert.deepEqual(reachable('http://0.0.0.0/', interfaces), ['http://127.0.0.1/', 'http://192.0.2.2/'])
})

test('a URL with an address of its own needs no other', () => {
  assert.deepEqual(reachable('http://192.0.2.2:8080/', interfaces), [])
})
