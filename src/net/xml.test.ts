import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { childOf, escapeXml, parseXml, textOf, type XmlElement, xmlElements } from './xml.ts'

async function* pieces(text: string, size = 7): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield await Promise.resolve(bytes.subarray(at, at + size))
}

async function all(elements: AsyncIterable<XmlElement>): Promise<XmlElement[]> {
  const found: XmlElement[] = []
  for await (const element of elements) found.push(element)
  return found
}

const listing = `<?xml version="1.0"?><D:multistatus xmlns:D="DAV:"><D:response><D:href>/é%20&amp;1</D:href>
  <D:propstat><D:prop><D:size unit="b"> 12 </D:size></D:prop></D:propstat></D:response>
  <D:response><D:href>/two</D:href></D:response><D:more/></D:multistatus>`

test('a document is read with names without their prefixes', async () => {
  const root = await parseXml(pieces(listing))
  assert.equal(root.name, 'multistatus')
  assert.deepEqual(
    root.children.map(({ name }) => name),
    ['response', 'response', 'more'],
  )
  assert.equal(textOf(root, 'response', 'href'), '/é%20&1')
  assert.equal(textOf(root, 'response', 'propstat', 'prop', 'size'), '12')
  assert.equal(childOf(root, 'response', 'propstat', 'prop', 'size')?.attributes['unit'], 'b')
  assert.equal(textOf(root, 'nothing', 'href'), undefined)
})

test('of a long document the elements come one by one', async () => {
  const seen: string[] = []
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* pieces(listing.slice(0, listing.indexOf('<D:response><D:href>/two')))
    seen.push('half')
    yield* pieces(listing.slice(listing.indexOf('<D:response><D:href>/two')))
  }
  for await (const element of xmlElements(source(), 'response')) seen.push(textOf(element, 'href') ?? '')
  assert.deepEqual(seen, ['/é%20&1', 'half', '/two'])
})

test('a document that ends early is an error, and so is none', async () => {
  for (const text of ['', 'Not found', listing.slice(0, -3), listing.slice(0, 200)])
    await assert.rejects(parseXml(pieces(text)), { code: 'io' })
})

test('entities that a document defines are not resolved', async () => {
  const bomb = `<!DOCTYPE a [<!ENTITY b "bbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;&c;</a>`
  assert.equal((await parseXml(pieces(bomb))).text, '&c;&c;')
})

test('a document that is nested without end is refused', async () => {
  await assert.rejects(all(xmlElements(pieces('<a>'.repeat(100_000), 4096))), /nested too deep/)
})

test('text that is escaped is read as it was', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: 'grapheme' }), async (text) => {
      const root = await parseXml(pieces(`<a b="${escapeXml(text)}">${escapeXml(text)}</a>`))
      assert.equal(root.text, text)
      assert.equal(root.attributes['b'], text)
    }),
  )
})
