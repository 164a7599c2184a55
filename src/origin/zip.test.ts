import { test } from 'node:test'
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { missing } from '../../test/peers.ts'
import { bodyOf, collect } from '../base/body.ts'
import type { Body } from '../base/body.ts'
import { fromMs } from '../base/time.ts'
import { packed } from './packed.ts'
import { zip, zipLength } from './zip.ts'
import type { ZipItem, ZipMethod } from './zip.ts'

const time = fromMs(Date.parse('2020-01-02T03:04:06Z'))

function file(name: string, content: string | Uint8Array, size?: number): ZipItem {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content
  return { name, size: size ?? bytes.length, modTime: time, open: () => Promise.resolve(bodyOf(bytes)) }
}
const directory = (name: string): ZipItem => ({ name: `${name}/`, size: 0, modTime: time })

const items: ZipItem[] = [
  directory('sub'),
  file('sub/a.txt', 'hello world\n'),
  file('ünï 😀.txt', 'uni'),
  file('empty', ''),
  file('a:b.txt', 'col'),
  file('big.txt', 'x'.repeat(300_000)),
  directory('none'),
  { ...file('unknown size', 'how much?', -1) },
  { ...file('old', 'o'), modTime: fromMs(Date.parse('1970-06-01T00:00:00Z')) },
  { ...file('far', 'f'), modTime: fromMs(Date.parse('2200-01-01T00:00:00Z')) },
]

async function written(list: Iterable<ZipItem>, method: ZipMethod): Promise<Buffer> {
  return Buffer.from(await collect(packed(zip(list, method))))
}

/** What Python's zipfile reads. */
function python(bytes: Uint8Array): { name: string; size: number; time: number[]; content: string; method: number }[] {
  const root = mkdtempSync(join(tmpdir(), 'zip-'))
  try {
    writeFileSync(join(root, 'a.zip'), bytes)
    const program = `import zipfile,json,sys
z=zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
print(json.dumps([{'name':i.filename,'size':i.file_size,'time':i.date_time,'content':z.read(i).decode()[:40],'method':i.compress_type} for i in z.infolist()]))`
    const { stdout, stderr } = spawnSync('python3', ['-c', program, join(root, 'a.zip')], { encoding: 'utf8' })
    assert.equal(stderr, '')
    return JSON.parse(stdout) as ReturnType<typeof python>
  } finally {
    rmSync(root, { recursive: true })
  }
}

function unzip(bytes: Uint8Array): string {
  const root = mkdtempSync(join(tmpdir(), 'zip-'))
  try {
    writeFileSync(join(root, 'a.zip'), bytes)
    const { stdout, stderr, status } = spawnSync('unzip', ['-tq', join(root, 'a.zip')], {
      encoding: 'utf8',
      maxBuffer: 2 ** 26,
    })
    assert.equal(status, 0, stdout + stderr)
    return stdout
  } finally {
    rmSync(root, { recursive: true })
  }
}

test('stored and deflated archives are read by unzip', { skip: missing('unzip') }, async () => {
  for (const method of ['store', 'deflate'] as const)
    assert.match(unzip(await written(items, method)), /No errors detected/)
})

test('names, sizes, times and contents arrive in Python', { skip: missing('python3') }, async () => {
  for (const method of ['store', 'deflate'] as const) {
    const read = python(await written(items, method))
    assert.deepEqual(
      read.map(({ name }) => name),
      items.map(({ name }) => name),
    )
    assert.deepEqual(
      read.map(({ content }) => content),
      ['', 'hello world\n', 'uni', '', 'col', 'x'.repeat(40), '', 'how much?', 'o', 'f'],
    )
    assert.deepEqual(read[1]?.time, [2020, 1, 2, 3, 4, 6])
    assert.deepEqual(read[8]?.time.slice(0, 3), [1980, 1, 1])
    assert.equal(read[1]?.method, method === 'store' ? 0 : 8)
  }
})

test('the length of a stored archive is known before, to the byte', async () => {
  const known = items.filter(({ size }) => size >= 0)
  assert.equal((await written(known, 'store')).length, zipLength(known))
  assert.equal(zipLength(items), undefined)
  assert.equal((await written([], 'store')).length, zipLength([]))
  const many = Array.from({ length: 70_000 }, (_, i) => directory(`d${i}`))
  assert.equal((await written(many, 'store')).length, zipLength(many))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.string({ minLength: 1 }), fc.uint8Array()), { maxLength: 10 }),
      async (files) => {
        const list = files.map(([name, content]) => file(name, content))
        assert.equal((await written(list, 'store')).length, zipLength(list))
      },
    ),
  )
})

test('more than 65535 members need ZIP64, and have it', { skip: missing('unzip') }, async () => {
  const many = Array.from({ length: 65_540 }, (_, i) => directory(`d${i}`))
  assert.match(unzip(await written(many, 'store')), /No errors detected/)
})

test(
  'a member beyond 4 GiB is written with ZIP64 sizes, and its length is known',
  { skip: missing('unzip') },
  async () => {
    const size = 2 ** 32 + 5
    const zeros = new Uint8Array(1024 * 1024)
    async function* content(): Body & AsyncGenerator<Uint8Array> {
      for (let left = size; left > 0; left -= zeros.length) yield left >= zeros.length ? zeros : zeros.subarray(0, left)
    }
    const large: ZipItem[] = [
      { name: 'large', size, modTime: time, open: () => Promise.resolve(content()) },
      file('after', 'behind it'),
    ]
    let length = 0
    let tail = Buffer.alloc(0)
    for await (const chunk of zip(large, 'store')) {
      length += chunk.length
      if (chunk.length < 1000) tail = Buffer.concat([tail, chunk])
    }
    assert.equal(length, zipLength(large))
    // The offset of the second member stands in an extra field of its central record.
    const central = tail.lastIndexOf(Buffer.from('504b0102', 'hex'))
    assert.equal(tail.readUInt32LE(central + 42), 0xffffffff)
    assert.equal(tail.readBigUInt64LE(central + 46 + 'after'.length + 4) > 2n ** 32n, true)
  },
)

test('a file that fails or has another size breaks the archive', async () => {
  const failing: ZipItem = { ...file('a', ''), size: 5, open: () => Promise.reject(new Error('gone')) }
  await assert.rejects(written([failing], 'store'), /gone/)
  await assert.rejects(written([file('a', 'abc', 5)], 'store'), /a has 3 bytes, 5 were expected/)
  await assert.rejects(written([file('a', 'abcdef', 5)], 'deflate'), /a has more than the 5 bytes/)
})

test('what a file has grown by does not go out: it would fill the length that was announced', async () => {
  const grown = [file('a', 'a'.repeat(1000), 5)]
  let sent = 0
  const send = async () => {
    for await (const chunk of zip(grown, 'store')) sent += chunk.length
  }
  await assert.rejects(send(), /a has more than the 5 bytes/)
  assert.ok(sent < (zipLength(grown) ?? 0), `${sent}`)
})

test('who stops reading has the open file closed, stored or deflated', async () => {
  for (const method of ['store', 'deflate'] as const) {
    const closed: string[] = []
    async function* endless(): Body & AsyncGenerator<Uint8Array> {
      try {
        for (;;) {
          yield crypto.getRandomValues(new Uint8Array(65536))
          await Promise.resolve()
        }
      } finally {
        closed.push(method)
      }
    }
    const item = { name: 'a', size: -1, modTime: time, open: () => Promise.resolve(endless()) }
    const reading = packed(zip([item], method))
    for (let i = 0; i < 5; i++) await reading.next()
    await reading.return(undefined)
    for (let i = 0; i < 50 && closed.length === 0; i++) await new Promise((resolve) => setImmediate(resolve))
    assert.deepEqual(closed, [method])
  }
})

test('small chunks are joined, large ones passed on', async () => {
  const small = Array.from({ length: 1000 }, () => new Uint8Array(200))
  const large = new Uint8Array(500_000)
  const got: Uint8Array[] = []
  for await (const chunk of packed([large, ...small, large])) got.push(chunk)
  assert.equal(got[0], large)
  assert.ok(got.length < 8)
  assert.equal(
    got.reduce((sum, { length }) => sum + length, 0),
    1_200_000,
  )
})
