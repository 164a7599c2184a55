import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { once as onlyOnce } from '../../src/base/once.ts'
import { find } from '../peers.ts'
import { freePort } from '../web.ts'

/** An OpenStack Swift of its own, which also speaks S3, and one account in it. */
export interface SwiftServer {
  /** `http://127.0.0.1:12345`, without a slash: the endpoint of S3 as well. */
  readonly url: string
  /** Where the v1 login of Swift is. */
  readonly auth: string
  /** The login of Swift; for S3 it is the id of the access key. */
  readonly user: string
  /** The password; for S3 it is the secret access key. */
  readonly key: string
}

/** The programs that it needs, for `missing`. */
export const swiftPrograms = [
  'memcached',
  'swift-account-server',
  'swift-container-server',
  'swift-object-server',
  'swift-proxy-server',
] as const

/**
 * The Swift of this process, started when it is first asked for. It ends with the process, however that ends: what started
 * it reads from a pipe that only this process holds.
 */
export const swift = onlyOnce(startSwift)

const kinds = ['account', 'container', 'object'] as const
type Kind = (typeof kinds)[number]

const user = 'test:tester'
const key = 'testing'
const STARTS_WITHIN_MS = 60_000

async function startSwift(): Promise<SwiftServer> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-swift-'))
  const [proxy, cache, account, container, object] = await Promise.all([0, 1, 2, 3, 4].map(freePort))
  const ports = { account, container, object } as Record<Kind, number>
  mkdirSync(join(dir, 'disk', 'd'), { recursive: true })
  writeFileSync(join(dir, 'swift.conf'), swiftConf)
  for (const kind of kinds) {
    writeFileSync(join(dir, `${kind}.ring.gz`), ring(ports[kind]))
    writeFileSync(join(dir, `${kind}.conf`), storageConf(kind, ports[kind], dir))
  }
  writeFileSync(join(dir, 'proxy.conf'), proxyConf(proxy as number, cache as number, dir))
  const child = spawn('sh', ['-c', script(dir, cache as number)], { stdio: ['pipe', 'ignore', 'ignore'] })
  child.unref()
  // A pipe is a socket, which can be let go of; only its type does not say so.
  ;(child.stdin as unknown as { unref(): void }).unref()
  const url = `http://127.0.0.1:${proxy}`
  const server = { url, auth: `${url}/auth/v1.0`, user, key }
  try {
    await answering(server)
  } catch (cause) {
    const log = readFileSync(join(dir, 'log'), 'utf8')
    child.ref()
    child.stdin.end()
    await once(child, 'exit')
    throw new Error(`Swift did not start: ${log.slice(-2000)}`, { cause })
  }
  return server
}

/**
 * Starts all programs, waits until nobody holds the other end of its input any more, then ends them and leaves nothing. Signals
 * that are meant for all that a test started do not keep it from that.
 */
function script(dir: string, cachePort: number): string {
  const owner = process.getuid?.() === 0 ? '-u root' : ''
  const programs = [
    `${find('memcached')} ${owner} -l 127.0.0.1 -p ${cachePort} -U 0 -m 32`,
    ...[...kinds, 'proxy'].map((name) => `${find(`swift-${name}-server`)} ${dir}/${name}.conf -v`),
  ]
  return `trap '' HUP INT TERM
exec 3<&0 </dev/null >'${dir}/log' 2>&1
${programs.map((line) => `${line} 3<&- & pids="$pids $!"`).join('\n')}
cat <&3
kill -9 $pids; wait; rm -rf '${dir}'`
}

/** Resolves when a login works and a file can be stored and removed: then all of its programs are up. */
async function answering({ auth }: SwiftServer): Promise<void> {
  const end = performance.now() + STARTS_WITHIN_MS
  for (;;) {
    try {
      return await tried(auth)
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
}

async function tried(auth: string): Promise<void> {
  const login = await fetch(auth, { headers: { 'x-auth-user': user, 'x-auth-key': key } })
  const headers = { 'x-auth-token': login.headers.get('x-auth-token') ?? '' }
  const account = login.headers.get('x-storage-url') ?? ''
  const steps = ['GET ', 'PUT /ready', 'PUT /ready/file', 'DELETE /ready/file', 'DELETE /ready', 'GET ']
  for (const step of steps) {
    const [method = '', path = ''] = step.split(' ')
    const response = await fetch(account + path, { method, headers })
    if (!response.ok) throw new Error(`${step} is answered ${response.status}`)
  }
}

const swiftConf = `[swift-hash]
swift_hash_path_suffix = sluice
swift_hash_path_prefix = sluice
[storage-policy:0]
name = gold
default = yes
`

function storageConf(kind: Kind, port: number, dir: string): string {
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${userInfo().username}
swift_dir = ${dir}
devices = ${dir}/disk
mount_check = false
log_level = ERROR
[pipeline:main]
pipeline = ${kind}-server
[app:${kind}-server]
use = egg:swift#${kind}
`
}

const pipeline =
  'catch_errors gatekeeper healthcheck memcache listing_formats bulk tempurl s3api tempauth copy container-quotas ' +
  'account-quotas slo dlo versioned_writes symlink proxy-server'

function proxyConf(port: number, cachePort: number, dir: string): string {
  const settings: Readonly<Record<string, string>> = {
    memcache: `memcache_servers = 127.0.0.1:${cachePort}`,
    tempauth: `user_test_tester = ${key} .admin`,
    versioned_writes: 'allow_versioned_writes = true\nallow_object_versioning = true',
  }
  const filters = pipeline
    .split(' ')
    .slice(0, -1)
    .map((name) => `[filter:${name}]\nuse = egg:swift#${name.replaceAll('-', '_')}\n${settings[name] ?? ''}\n`)
  return `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
workers = 0
user = ${userInfo().username}
swift_dir = ${dir}
log_level = ERROR
[pipeline:main]
pipeline = ${pipeline}
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
# A server that is asked before it has started is not given up for a minute.
error_suppression_limit = 1000000
${filters.join('')}`
}

/** The ring that puts everything on the one disk (the format that swift.common.ring.RingData writes, version 1). */
function ring(port: number): Uint8Array {
  const parts = 2 ** 4
  const device = {
    id: 0,
    region: 1,
    zone: 1,
    ip: '127.0.0.1',
    port,
    replication_ip: '127.0.0.1',
    replication_port: port,
    device: 'd',
    weight: 1,
    meta: '',
  }
  const json = Buffer.from(
    JSON.stringify({ byteorder: 'little', devs: [device], part_shift: 32 - 4, replica_count: 1, version: 1 }),
  )
  const head = Buffer.from('R1NG\0\x01\0\0\0\0')
  head.writeUInt32BE(json.length, 6)
  return gzipSync(Buffer.concat([head, json, Buffer.alloc(parts * 2)]))
}
