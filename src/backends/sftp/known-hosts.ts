import { createHash, createHmac } from 'node:crypto'
import { AppError } from '../../base/error.ts'

/** A key of a host, as a known_hosts file has it (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export interface KnownKey {
  readonly type: string
  readonly key: Buffer
  readonly revoked: boolean
}

/** The keys that a known_hosts file has for a host; those of certificate authorities are left out. */
export function knownKeys(text: string, host: string, port: number): KnownKey[] {
  const name = port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`
  return text.split(/\r?\n/).flatMap((line) => {
    const fields = line.trim().split(/\s+/)
    const marker = fields[0]?.startsWith('@') ? fields.shift() : undefined
    const [hosts = '', type, key] = fields
    if (hosts.startsWith('#') || type === undefined || key === undefined || marker === '@cert-authority') return []
    if (!isFor(hosts, name)) return []
    return [{ type, key: Buffer.from(key, 'base64'), revoked: marker === '@revoked' }]
  })
}

/** The key of a text `ssh-ed25519 AAAA...`. Throws `invalid` for another text. */
export function pinnedKey(text: string): KnownKey {
  const [type, base64, ...rest] = text.trim().split(/\s+/)
  if (type === undefined || base64 === undefined || rest.length > 0 || !(type in algorithms))
    throw new AppError('invalid', `sftp: host_keys: "${text}" is not an algorithm and a key in base64`)
  return { type, key: Buffer.from(base64, 'base64'), revoked: false }
}

/** What the known keys of a host say of the one that it shows. */
export function verdictOn(shown: Buffer, known: readonly KnownKey[]): 'known' | 'unknown' | 'changed' | 'revoked' {
  if (known.some(({ key, revoked }) => revoked && key.equals(shown))) return 'revoked'
  const good = known.filter(({ revoked }) => !revoked)
  if (good.length === 0) return 'unknown'
  return good.some(({ key }) => key.equals(shown)) ? 'known' : 'changed'
}

/** The algorithms by which a host can prove that it has one of these keys. */
export function algorithmsFor(known: readonly KnownKey[]): string[] {
  const types = known.filter(({ revoked }) => !revoked).map(({ type }) => type)
  return [...new Set(types.flatMap((type) => algorithms[type] ?? []))]
}

/** By the type of the key; those of hardware keys are not for hosts. */
const algorithms: Readonly<Record<string, readonly string[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-rsa'],
}

/** How people compare keys: `SHA256:` and base64, as ssh shows it. */
export function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}

function isFor(hosts: string, name: string): boolean {
  if (hosts.startsWith('|1|')) {
    const [salt = '', hash] = hosts.slice(3).split('|')
    return createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest('base64') === hash
  }
  const patterns = hosts.toLowerCase().split(',')
  const matches = (pattern: string) => wildcards(pattern).test(name)
  if (patterns.some((pattern) => pattern.startsWith('!') && matches(pattern.slice(1)))) return false
  return patterns.some((pattern) => !pattern.startsWith('!') && matches(pattern))
}

/** `*` is any text, `?` one character. */
function wildcards(pattern: string): RegExp {
  const source = pattern.replace(/[.*+?^${}()|[\]\\]/g, (c) => (c === '*' ? '.*' : c === '?' ? '.' : `\\${c}`))
  return new RegExp(`^${source}$`)
}
