import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Attributes, attributeFields, readAttributes } from './attributes.ts'
import { Framer, packetOf, PacketReader } from './packet.ts'

test('packets come out as they went in, however the stream cuts them', () => {
  const fields = fc.tuple(
    fc.nat(2 ** 32 - 1),
    fc.bigInt(0n, 2n ** 64n - 1n),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array(),
  )
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 })
  fc.assert(
    fc.property(fc.array(fields, { maxLength: 5 }), cuts, (packets, sizes) => {
      const stream = Buffer.concat(
        packets.flatMap(([number, large, text, data]) => [packetOf(7, [number, large, text], data), data]),
      )
      const framer = new Framer()
      const seen: unknown[] = []
      for (let at = 0, turn = 0; at < stream.length; turn++) {
        const size = sizes[turn % sizes.length] as number
        framer.push(stream.subarray(at, at + size), (packet) => {
          assert.equal(packet.type, 7)
          seen.push([packet.uint32(), packet.uint64(), packet.text(), Uint8Array.from(packet.bytes())])
          assert.ok(packet.ended)
        })
        at += size
      }
      assert.deepEqual(seen, packets)
    }),
  )
})

test('attributes come back, of the mode only the permissions', () => {
  const optional = { size: fc.maxSafeNat(), mode: fc.integer({ min: 0, max: 0o7777 }) }
  const some = fc.record(optional, { requiredKeys: [] })
  const times = fc.option(fc.record({ atime: fc.nat(), mtime: fc.nat() }), { nil: {} })
  fc.assert(
    fc.property(some, times, (first, second) => {
      const attributes: Attributes = { ...first, ...second }
      const packet = new PacketReader(packetOf(0, attributeFields(attributes)).subarray(4))
      assert.deepEqual(readAttributes(packet), attributes)
    }),
  )
})

test('what is no SFTP is an error, and so is a packet that is cut off', () => {
  assert.throws(() => new Framer().push(Buffer.from('Welcome to this server'), () => {}), { code: 'io' })
  assert.throws(() => new PacketReader(Buffer.from([101, 0, 0])).uint32(), { code: 'io' })
  assert.throws(() => new PacketReader(Buffer.from([101, 0, 0, 1, 0, 1])).bytes(), { code: 'io' })
})
