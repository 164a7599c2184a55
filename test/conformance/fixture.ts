import { createHash } from 'node:crypto'
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** Bytes that look random and are the same each time. */
export function noise(size: number, seed: string): Uint8Array {
  const blocks: Buffer[] = []
  for (let i = 0; i * 32 < size; i++) blocks.push(createHash('sha256').update(`${seed} ${i}`).digest())
  return Uint8Array.from(Buffer.concat(blocks).subarray(0, size))
}

/** Names that something on the way could take for something else. */
export const oddNames: readonly string[] = [
  'a b.txt',
  ' leading space',
  'trailing space ',
  'percent%20.txt',
  '100%.txt',
  'plus+sign.txt',
  'colon:name.txt',
  'semi;colon.txt',
  'hash#tag.txt',
  'question?.txt',
  'amp&lt;.txt',
  '<angle>.txt',
  '"double".txt',
  "single'.txt",
  'back`tick.txt',
  'back\\slash.txt',
  '[brackets]{braces}.txt',
  'comma,equals=.txt',
  '~tilde',
  '.hidden',
  '..two',
  '...',
  'trailing.',
  '-dash',
  'ünï-nfc.txt'.normalize('NFC'),
  'ünï-nfd.txt'.normalize('NFD'),
  '日本語.txt',
  'emoji 😀.txt',
]

export interface FixtureFile {
  readonly path: string
  readonly bytes: Uint8Array
  /** Whole seconds, so that every kind of storage can keep it. */
  readonly modTime: bigint
}

/** The files that the reading part of the behaviour suite expects. */
export const fixture: readonly FixtureFile[] = [
  { path: 'hello.txt', bytes: Buffer.from('hello world\n'), modTime: 981_173_106n * 1_000_000_000n },
  { path: 'empty.bin', bytes: new Uint8Array(0), modTime: 1_600_000_000n * 1_000_000_000n },
  { path: 'big.bin', bytes: noise(1024 * 1024 + 3, 'big'), modTime: 1_700_000_000n * 1_000_000_000n },
  { path: 'dir/nested.txt', bytes: Buffer.from('nested'), modTime: 1_650_000_000n * 1_000_000_000n },
  { path: 'dir/deep/er/file.bin', bytes: noise(70_000, 'deep'), modTime: 1_650_000_001n * 1_000_000_000n },
  { path: 'dir with space/inner name.txt', bytes: Buffer.from('inner'), modTime: 1_650_000_002n * 1_000_000_000n },
  ...oddNames.map((name, i) => ({
    path: `odd/${name}`,
    bytes: Buffer.from(`odd ${i} ${name}`),
    modTime: (1_660_000_000n + BigInt(i)) * 1_000_000_000n,
  })),
]

/** Writes the fixture below a directory of this machine. */
export function writeFixture(root: string): void {
  for (const { path, bytes, modTime } of fixture) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), bytes)
    const seconds = Number(modTime / 1_000_000_000n)
    utimesSync(join(root, path), seconds, seconds)
  }
}

/** The names right below a directory of the fixture. */
export function fixtureNames(dir: string): string[] {
  const prefix = dir === '' ? '' : `${dir}/`
  const names = fixture
    .filter(({ path }) => path.startsWith(prefix))
    .map(({ path }) => path.slice(prefix.length).split('/')[0] ?? '')
  return [...new Set(names)].sort()
}
