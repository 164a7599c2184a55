import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { remoteBehaviour } from '../../../test/conformance/remote.ts'
import { rejectsWith } from '../../../test/conformance/helpers.ts'
import { bodyOf, collect } from '../../base/body.ts'
import { testContext } from '../../core/testing.ts'
import type { FileEntry, Remote } from '../../remote/remote.ts'
import { defaultsOf, type Values } from '../../schema/option.ts'
import { memoryBackend, memoryOptions } from '../memory/index.ts'
import { nonceOf, opened, plainSize, sealed, sealedRange, sealedSize } from './blocks.ts'
import { nativeBox, portableBox, TAG } from './box.ts'
import { Crew } from './crew.ts'
import { nameEncoding } from './encodings.ts'
import { cryptBackend, cryptOptions } from './index.ts'
import { keysOf } from './keys.ts'
import { Names, type NameSettings } from './names.ts'

// The vectors are those of reference serve-http.md 3.10: what rclone makes of the password `potato`.

const ctx = testContext()
const standard: NameSettings = {
  filenameEncryption: 'standard',
  directoryNameEncryption: true,
  suffix: '.bin',
}

const base32 = await nameEncoding('base32')

const vectors = [
  ['hello.txt', 'oqt3pleorvo0jmt050a7sstgpo', 'racc7lufdsh3tkp2pk3on3d9ms', 'xro81djf8AnboCgUfnOwzg', '162.rovvy.DHD'],
  [
    'dir/sub/file.txt',
    '5o7oa7mpg298hp1opgjknlqag0/iad1nh9qjer6mqhhhtlcf27m18/dliujkifo15pa0t31sl422pt6k',
    'opasqq1346li2hs12r1u95c8rc/ooscfbvcorsgne0m2ieg00e1l4/9rc1g3knlsrjeo6ct5n4iopf9o',
    'Lg-FHtmAkojkOMwnS9dKgA/kpobxTqbtmtqMY9qx4j2Cg/bWXp0k_AS5UDow8qQQs9NQ',
    '63.otC/74.OQx/46.yBEx.MQM',
  ],
  ['a', 's83tjtk0e6aogosoteqti6f544', 'tfeo3ijcdpanmkmhc23ar2mtcs', '4gfZ9oBxlYhjmOu12RnlIQ', '97.u'],
  ['ünï.txt', '4sn8d5bcrv4ipkbphc7q00ujfg', 'jr1cj5kpll55ntkg92ot59p6e0', 'Jy6GlWzfySzReYsPoAPTfA', '231.Ãr¶.xBx'],
  [
    '1234567890123456',
    '9qg6n1iouahpupqlekm1k6sa5psf32kr83f3vv36c5kqrhij022g',
    '121onf6qih6n6v4ct7r51knt4copoq2ve84n9mvsvmaicnbh4hjg',
    'TqBrhljyo59nVXUsGhuKLnjxiptA3j_8ZmFprcZTAIU',
    '66.2345678901234567',
  ],
  ['1!a.B', 'c6fca6m8co2qirva87v7hk1vlo', 'qavmn1u937kr5an3vvsopr0i1s', 'YZ7FGshmBalv6kH-eNA_rg', '35.7!!i.J'],
] as const

test('passwords become the keys that rclone makes of them', async () => {
  const hex = ({ data, name, tweak }: Awaited<ReturnType<typeof keysOf>>) =>
    [data, name, tweak].map((key) => Buffer.from(key).toString('hex'))
  assert.deepEqual(hex(await keysOf('potato', '')), [
    '7455c71ab17c865b8471f47b79acb07eb31d5678b80c7e2eaf4fc8066a9ee468',
    '765da27ab15d77f95796711f7b93ad63bbb484072e7180a8d17a9bbec14270d0',
    'c18d5932f55b2828c5e1e87215520310',
  ])
  assert.deepEqual(hex(await keysOf('potato', 'salt')), [
    '4d7a2e13dfa8b8fdfec08d5984fae0723610e0c300cb3817d2bb6be8fc95bbf4',
    '2a65bbf7b1f65f0ca1af90934700e9bc7c8daac17992bbb50941d06d078e638a',
    '2ed3a6400bf5b0857de889cf174dd140',
  ])
  assert.deepEqual(hex(await keysOf('', 'salt')), ['0'.repeat(64), '0'.repeat(64), '0'.repeat(32)])
})

test('names are stored under the names that rclone gives them, in each way to encrypt and to write them', async () => {
  const plain = await keysOf('potato', '')
  const ways = [
    new Names(plain, base32, standard),
    new Names(await keysOf('potato', 'salt'), base32, standard),
    new Names(plain, await nameEncoding('base64'), standard),
    new Names(plain, base32, { ...standard, filenameEncryption: 'obfuscate' }),
  ]
  for (const [path, ...stored] of vectors)
    for (const [i, names] of ways.entries()) {
      assert.equal(names.file(path), stored[i])
      assert.equal(names.fileOf(stored[i] as string), path)
    }
})

test('any name can be found again, in any way to store it, files and directories alike', async () => {
  const keys = await keysOf('potato', 'salt')
  const encodings = await Promise.all((['base32', 'base64', 'base32768'] as const).map(nameEncoding))
  const ways = encodings.flatMap((encoding) =>
    (['standard', 'obfuscate', 'off'] as const).map(
      (filenameEncryption) => new Names(keys, encoding, { ...standard, filenameEncryption }),
    ),
  )
  const segment = fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 60 })
    .filter((name) => !name.includes('/') && !name.includes('\uFFFD') && name.isWellFormed())
  const path = fc.array(segment, { minLength: 1, maxLength: 3 }).map((all) => all.join('/'))
  fc.assert(
    fc.property(path, (name) => {
      for (const names of ways) {
        assert.equal(names.fileOf(names.file(name)), name)
        assert.equal(names.directoryOf(names.directory(name)), name)
      }
    }),
  )
})

test('directories keep their names when they are told to, and files get a suffix when theirs are not encrypted', async () => {
  const keys = await keysOf('potato', '')
  const leaves = new Names(keys, base32, { ...standard, directoryNameEncryption: false })
  assert.equal(leaves.file('dir/hello.txt'), 'dir/oqt3pleorvo0jmt050a7sstgpo')
  assert.equal(leaves.directory('dir/sub'), 'dir/sub')
  const off = (suffix: string) => new Names(keys, base32, { ...standard, filenameEncryption: 'off', suffix })
  assert.equal(off('.bin').file('a/b.txt'), 'a/b.txt.bin')
  assert.equal(off('jpg').file('b'), 'b.jpg')
  assert.equal(off('none').file('b'), 'b')
  for (const wrong of ['a/b.txt', '.bin', 'a/.bin'])
    assert.throws(() => off('.bin').fileOf(wrong), { code: 'invalid' }, wrong)
})

test('the version in a name stays readable', async () => {
  const names = new Names(await keysOf('potato', ''), base32, standard)
  assert.equal(names.file('hello-v2001-02-03-040506-123.txt'), 'oqt3pleorvo0jmt050a7sstgpo-v2001-02-03-040506-123')
  assert.equal(names.fileOf('oqt3pleorvo0jmt050a7sstgpo-v2001-02-03-040506-123'), 'hello-v2001-02-03-040506-123.txt')
})

test('a name that was not encrypted is refused', async () => {
  const names = new Names(await keysOf('potato', ''), base32, standard)
  for (const stored of ['hello.txt', 'pqt3pleorvo0jmt050a7sstgpo', 'oqt3', '', 's83tjtk0e6aogosoteqti6f544='])
    assert.throws(() => names.fileOf(stored), { code: 'invalid' }, stored)
})

const nonce = Uint8Array.from({ length: 24 }, (_, i) => i)

async function encrypted(plain: Uint8Array): Promise<Buffer> {
  const crew = await Crew.open((await keysOf('potato', '')).data)
  return Buffer.from(await collect(sealed(bodyOf(plain), crew, nonce)))
}

test('contents are encrypted as rclone encrypts them', async () => {
  assert.equal(
    (await encrypted(Buffer.from('hello'))).toString('hex'),
    '52434c4f4e450000000102030405060708090a0b0c0d0e0f10111213141516178e42649c29196aee1787d4de2aa9534f7455514f37',
  )
  const large = await encrypted(Buffer.concat([Buffer.alloc(65536), Buffer.from('B')]))
  assert.equal(large.length, 65601)
  assert.equal(
    createHash('sha256').update(large).digest('hex'),
    '73652d8015c195df2cdcd963135f5ee556d1c9d1d9abeb3b78e3f88b18b5738b',
  )
  assert.equal((await encrypted(Buffer.alloc(0))).length, 32)
})

test('sizes before and after fit, and sizes that none can have are refused', () => {
  for (const [plain, stored] of [
    [0, 32],
    [5, 53],
    [65536, 65584],
    [65537, 65601],
  ] as const) {
    assert.equal(sealedSize(plain), stored)
    assert.equal(plainSize(stored), plain)
  }
  for (const stored of [0, 31, 33, 48, 65585]) assert.throws(() => plainSize(stored), { code: 'invalid' })
})

test('any range of a file is what stands there, whatever pieces the storage gives', async () => {
  const plain = Buffer.from(Uint8Array.from({ length: 200_000 }, (_, i) => i * 7 + (i >> 8)))
  const stored = await encrypted(plain)
  const crew = await Crew.open((await keysOf('potato', '')).data)
  const at = fc.nat(plain.length)
  await fc.assert(
    fc.asyncProperty(at, at, fc.integer({ min: 500, max: 90_000 }), async (a, b, piece) => {
      const range = { start: Math.min(a, b), end: Math.max(a, b) }
      const { start, end } = sealedRange(range)
      const bytes = stored.subarray(start, end)
      const pieces = Array.from({ length: Math.ceil(bytes.length / piece) }, (_, i) =>
        bytes.subarray(i * piece, (i + 1) * piece),
      )
      const got = await collect(opened(bodyOf(...pieces), { crew }, nonceOf(stored), range))
      assert.ok(plain.subarray(range.start, range.end).equals(got))
    }),
    { numRuns: 60 },
  )
})

test('native code and WebAssembly make the same blocks, also where text and block overlap', async (t) => {
  const { data } = await keysOf('potato', '')
  const native = await nativeBox(data)
  if (!native) return t.skip('sodium-native has nothing for this system')
  const portable = await portableBox(data)
  const text = Uint8Array.from({ length: 1000 }, (_, i) => i * 7)
  const blocks = [native, portable].map((box) => {
    const bytes = Buffer.concat([new Uint8Array(3 * TAG), text])
    box.seal(bytes.subarray(3 * TAG), nonce, bytes.subarray(0, TAG + text.length))
    return bytes.subarray(0, TAG + text.length)
  })
  assert.deepEqual(blocks[0], blocks[1])
  for (const [i, box] of [portable, native].entries()) {
    const bytes = Buffer.from(blocks[i] as Buffer)
    assert.ok(box.open(bytes, nonce, bytes.subarray(0, text.length)))
    assert.deepEqual(new Uint8Array(bytes.subarray(0, text.length)), text)
    assert.equal(box.open(Buffer.from(blocks[i] as Buffer).fill(1, 20, 21), nonce, new Uint8Array(1000)), false)
  }
  return undefined
})

test('a large file goes through threads, in its order; a short range of it starts none', async () => {
  // Whole runs, and a last one of five bytes.
  const plain = Buffer.alloc((1 + 2 + 4 + 8 + 19 * 16) * 65536 + 5)
  for (let at = 0; at < plain.length; at += 65536) plain.writeUInt32LE(at, Math.min(at, plain.length - 4))
  const { data } = await keysOf('potato', '')
  const [crew, idle] = [await Crew.open(data, 2), await Crew.open(data, 2)]
  const stored = Buffer.from(await collect(sealed(bodyOf(plain), crew, nonce)))
  assert.equal(crew.threads, 2)
  while (crew.ready < 2) await new Promise(setImmediate)
  assert.ok(stored.equals(await collect(sealed(bodyOf(plain), crew, nonce))))
  const whole = { start: 0, end: plain.length }
  assert.ok(plain.equals(await collect(opened(bodyOf(stored.subarray(32)), { crew }, nonce, whole))))
  const range = { start: 15_000_000, end: 15_100_000 }
  const { start, end } = sealedRange(range)
  const part = await collect(opened(bodyOf(stored.subarray(start, end)), { crew: idle }, nonce, range))
  assert.ok(plain.subarray(range.start, range.end).equals(part))
  assert.equal(idle.threads, 0)
})

interface Crypt {
  readonly remote: Remote
  readonly below: Remote
}

async function crypt(settings: Partial<Values<typeof cryptOptions>> = {}, root = '', store?: Remote): Promise<Crypt> {
  const openMemory = async (name: string) =>
    await memoryBackend().open(ctx, { name, root: 'bucket', config: defaultsOf(memoryOptions), openRemote: never })
  const below = store ?? (await openMemory('m'))
  const config = { ...defaultsOf(cryptOptions), remote: 'm:', password: 'potato', ...settings }
  return { below, remote: await cryptBackend.open(ctx, { name: 'c', root, config, openRemote: async () => below }) }
}

function never(): Promise<never> {
  return Promise.reject(new Error('not wanted here'))
}

for (const settings of [
  {},
  { filenameEncoding: 'base32768', directoryNameEncryption: false },
  { filenameEncryption: 'obfuscate' },
  { filenameEncryption: 'off' },
  { noDataEncryption: true },
] as const)
  remoteBehaviour(`crypt ${JSON.stringify(settings)}`, {
    async open() {
      const { remote } = await crypt(settings, 'some/where')
      await remote.mkdir(ctx, '')
      return { ctx, remote, close: async () => {} }
    },
  })

async function stored(remote: Remote, path: string): Promise<FileEntry> {
  return (await remote.stat(ctx, path)) as FileEntry
}

test('what lies below and was not encrypted is left out of listings, or an error when names are strict', async () => {
  const { remote, below } = await crypt()
  await below.put(ctx, 'plain.txt', bodyOf('x'), {})
  await remote.put(ctx, 'hello.txt', bodyOf('hello'), {})
  const names = async (of: Remote) => (await Array.fromAsync(of.list(ctx, ''))).map(({ path }) => path)
  assert.deepEqual(await names(remote), ['hello.txt'])
  const strict = await crypt({ strictNames: true }, '', below)
  await rejectsWith(names(strict.remote), 'invalid')
})

test('a damaged block is an error, and zeros only for who asked for that; the blocks around it are fine', async () => {
  const { remote, below } = await crypt()
  const plain = Buffer.alloc(200_000, 'sluice ')
  await remote.put(ctx, 'f', bodyOf(plain), {})
  const entry = await stored(below, 's83tjtk0e6aogosoteqti6f544').catch(() => undefined)
  assert.equal(entry, undefined)
  const [inner] = (await Array.fromAsync(below.list(ctx, ''))) as FileEntry[]
  const bytes = Buffer.from(await collect(await below.open(ctx, inner as FileEntry)))
  bytes[32 + 65552 + 100] = (bytes[32 + 65552 + 100] ?? 0) ^ 1
  await below.put(ctx, (inner as FileEntry).path, bodyOf(bytes), {})
  await rejectsWith(collect(await remote.open(ctx, await stored(remote, 'f'))), 'invalid')
  const tail = await collect(await remote.open(ctx, await stored(remote, 'f'), { start: 150_000, end: 150_007 }))
  assert.ok(plain.subarray(150_000, 150_007).equals(tail))
  const saving = await crypt({ passBadBlocks: true }, '', below)
  const saved = await collect(await saving.remote.open(ctx, await stored(saving.remote, 'f')))
  const expected = Buffer.from(plain)
  expected.fill(0, 65536, 131072)
  assert.ok(expected.equals(saved))
})

test('a file that is not encrypted says so when it is read', async () => {
  const { remote, below } = await crypt({ filenameEncryption: 'off', suffix: 'none' })
  await below.put(ctx, 'short', bodyOf('x'), {})
  await below.put(ctx, 'long', bodyOf('x'.repeat(100)), {})
  await rejectsWith(remote.open(ctx, await stored(remote, 'short')), 'invalid')
  await rejectsWith(remote.open(ctx, await stored(remote, 'long')), 'invalid')
})

test('another password finds nothing', async () => {
  const { remote, below } = await crypt()
  await remote.put(ctx, 'dir/hello.txt', bodyOf('hello'), {})
  const other = await crypt({ password: 'tomato' }, '', below)
  assert.deepEqual(await Array.fromAsync(other.remote.list(ctx, '')), [])
  assert.equal(await other.remote.stat(ctx, 'dir/hello.txt'), undefined)
})

test('a crypt remote of nothing, or of itself, is refused', async () => {
  for (const remote of ['', 'c:', 'c:x']) await rejectsWith(crypt({ remote }), 'invalid')
})
