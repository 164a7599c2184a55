import { test } from 'node:test'
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { bodyOf, collect } from '../base/body.ts'
import type { Body } from '../base/body.ts'
import type { Range } from '../base/range.ts'
import { contentRange, multipart, selectRanges } from './range.ts'

/** Ranges as a client writes them: first and last byte. */
function select(header: string | undefined, size: number): string | undefined {
  return selectRanges(header, size)
    ?.map((r) => `${r.start}-${r.end - 1}`)
    .join(',')
}

test('each form of a range on a file of 12 bytes', () => {
  const table: [string, string | undefined][] = [
    ['bytes=0-4', '0-4'],
    ['bytes=-5', '7-11'],
    ['bytes=6-', '6-11'],
    ['bytes=0-100', '0-11'],
    ['bytes=-100', '0-11'],
    ['bytes=11-11', '11-11'],
    ['bytes= 1 - 2 ', '1-2'],
    [' bytes = 1-2', '1-2'],
    ['BYTES=0-1', '0-1'],
    ['bytes=0-1,4-5', '0-1,4-5'],
    ['bytes=4-5,0-1', '4-5,0-1'],
    ['bytes=0-0, 0-0, 0-0', '0-0,0-0,0-0'],
    ['bytes=100-200,0-1', '0-1'],
    ['bytes=0-1,', '0-1'],
    [',', undefined],
    ['bytes=,0-1,,', '0-1'],
    ['bytes=0-9007199254740993', '0-11'],
    ['bytes=-99999999999999999999', '0-11'],
    // not satisfiable
    ['bytes=12-', ''],
    ['bytes=100-', ''],
    ['bytes=-0', ''],
    ['bytes=100-,-0', ''],
    ['bytes=9223372036854775807-', ''],
    ['bytes=99999999999999999999-', ''],
    // malformed, unknown, or too much: the whole file
    ['bytes=', undefined],
    ['bytes=,,,,', undefined],
    ['bytes=-', undefined],
    ['bytes=5-2', undefined],
    ['bytes=0-1,5-2', undefined],
    ['bytes=99999999999999999999-99999999999999999998', undefined],
    ['bytes=a-b', undefined],
    ['bytes=0x0-0x3', undefined],
    ['bytes=+1-2', undefined],
    ['bytes=1--2', undefined],
    ['bytes=1 2-3', undefined],
    ['bytes=0-1;q=1', undefined],
    ['bytes 0-1', undefined],
    ['bytes:0-1', undefined],
    ['lines=1-2', undefined],
    ['0-1', undefined],
    ['', undefined],
    ['bytes=0-11,0-11,0-11', undefined],
    ['bytes=0-5,0-6', undefined],
    ['bytes=0-1, bytes=4-5', undefined],
  ]
  for (const [header, expected] of table) assert.equal(select(header, 12), expected, header)
  assert.equal(select(undefined, 12), undefined)
})

test('an empty file has no satisfiable range, and a suffix of it is the whole of it', () => {
  assert.equal(select('bytes=0-0', 0), '')
  assert.equal(select('bytes=0-', 0), '')
  assert.equal(select('bytes=-5', 0), undefined)
})

test('ranges of a file of unknown size are ignored', () => {
  assert.equal(select('bytes=0-0', -1), undefined)
})

test('many ranges are joined where they touch and refused where they do not', () => {
  const touching = Array.from({ length: 40 }, (_, i) => `${(39 - i) * 10}-${(39 - i) * 10 + 9}`).join(',')
  assert.equal(select(`bytes=${touching}`, 10_000), '0-399')
  const apart = (n: number) => Array.from({ length: n }, (_, i) => `${i * 1000}-${i * 1000}`).join(',')
  assert.equal(select(`bytes=${apart(64)}`, 1e6)?.split(',').length, 64)
  assert.equal(select(`bytes=${apart(65)}`, 1e6), undefined)
  assert.equal(select(`bytes=${'0-,'.repeat(200)}`, 10), '0-9', 'two hundred overlapping ones are one')
})

test('whatever is asked: parts lie inside, are in total no more than the file, and whole is given for rubbish', () => {
  const number = fc.oneof(fc.nat(30), fc.nat(), fc.bigInt({ min: 0n, max: 1n << 70n })).map(String)
  const member = fc.oneof(
    fc.tuple(number, number).map(([a, b]) => `${a}-${b}`),
    number.map((a) => `${a}-`),
    number.map((a) => `-${a}`),
    fc.string({ maxLength: 6 }),
  )
  const header = fc.array(member, { maxLength: 80 }).map((members) => `bytes=${members.join(',')}`)
  fc.assert(
    fc.property(fc.oneof(header, fc.string()), fc.nat(60), (text, size) => {
      const ranges = selectRanges(text, size)
      if (!ranges) return
      let total = 0
      for (const { start, end } of ranges) {
        assert.ok(
          Number.isSafeInteger(start) && Number.isSafeInteger(end) && 0 <= start && start < end && end <= size,
          text,
        )
        total += end - start
      }
      assert.ok(total <= size && ranges.length <= 64, text)
    }),
    { numRuns: 2000 },
  )
})

test('a single range means the same as slicing', () => {
  fc.assert(
    fc.property(fc.nat(20), fc.nat(25), fc.nat(25), (size, first, length) => {
      const bytes = Array.from({ length: size }, (_, i) => i)
      const [range] = selectRanges(`bytes=${first}-${first + length}`, size) ?? []
      assert.deepEqual(range ? bytes.slice(range.start, range.end) : [], bytes.slice(first, first + length + 1))
    }),
  )
})

test('a multipart body has the length it announces and frames each part', async () => {
  const data = Buffer.from('hello world\n')
  const open = (r: Range): Promise<Body> => Promise.resolve(bodyOf(data.subarray(r.start, r.end)))
  const ranges = [
    { start: 0, end: 2 },
    { start: 4, end: 6 },
  ]
  const first = await open(ranges[0] as Range)
  const made = multipart(ranges, { size: 12, contentType: 'text/plain', open, first }, 'BOUND')
  const body = Buffer.from(await collect(made.body)).toString()
  assert.equal(made.contentType, 'multipart/byteranges; boundary=BOUND')
  assert.equal(body.length, made.length)
  assert.equal(
    body,
    '--BOUND\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-1/12\r\n\r\nhe\r\n' +
      '--BOUND\r\nContent-Type: text/plain\r\nContent-Range: bytes 4-5/12\r\n\r\no \r\n--BOUND--\r\n',
  )
  assert.equal(contentRange(undefined, 12), 'bytes */12')
})

test('a client that leaves before the first part gives its file back', async () => {
  let closed = 0
  const part = (): Body => ({
    [Symbol.asyncIterator]: () => ({
      next: () => Promise.resolve({ done: false, value: Buffer.from('xx') }),
      return: () => Promise.resolve({ done: true, value: void closed++ }),
    }),
  })
  const ranges = [
    { start: 0, end: 2 },
    { start: 4, end: 6 },
  ]
  const made = () =>
    multipart(ranges, { size: 12, contentType: 'a/b', open: () => Promise.resolve(part()), first: part() }, 'B').body
  await made()[Symbol.asyncIterator]().return?.()
  assert.equal(closed, 1)
  const reading = made()[Symbol.asyncIterator]()
  await reading.next()
  await reading.next()
  await reading.return?.()
  assert.equal(closed, 2)
  assert.equal((await reading.next()).done, true)
})
