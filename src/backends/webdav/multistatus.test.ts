import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf } from '../../base/body.ts'
import { parseXml } from '../../net/xml.ts'
import { entryOf, failureOf, namesBelow, propertiesOf } from './multistatus.ts'

const base = new URL('http://host:8080/dav/a%20b/')

test('an href leads below the directory, whatever its form and host', () => {
  for (const [href, names] of [
    ['/dav/a%20b/', []],
    ['/dav/a%20b', []],
    ['/dav/a b/x', ['x']],
    ['/dav/%61%20b/sub/', ['sub']],
    ['http://host:8080/dav/a%20b/x%2ey', ['x.y']],
    ['https://inner.example/dav/a%20b/%C3%BC', ['ü']],
    ['//other/dav/a%20b/100%25', ['100%']],
    ['/dav/a%20b/one/two', ['one', 'two']],
  ] as const)
    assert.deepEqual(namesBelow(href, base), names, href)
})

test('an href that leads elsewhere, or to no name, is refused', () => {
  for (const href of [
    '',
    'x',
    '../x',
    '/dav/x',
    '/dav/a%20b/..',
    '/dav/a%20b/../x',
    '/dav/a%20b/%2e%2e/x',
    '/dav/a%20b/.',
    '/dav/a%20b//x',
    '/dav/a%20b/x%2fy',
    '/dav/a%20b/x%00',
    '/dav/a%20b/%',
    '/dav/a%20b/%ff',
    'http://host:8080',
  ])
    assert.equal(namesBelow(href, base), undefined, href)
})

async function response(inner: string) {
  return await parseXml(
    bodyOf(`<r:response xmlns:r="DAV:" xmlns:o="http://owncloud.org/ns"><r:href>/x</r:href>${inner}</r:response>`),
  )
}

const fine = '<r:status>HTTP/1.1 200 OK</r:status>'
const absent = '<r:status>HTTP/1.1 404 Not Found</r:status>'

test('only properties that the server has are taken', async () => {
  const answer = await response(
    `<r:propstat><r:prop><r:getcontentlength>7</r:getcontentlength><r:getetag/></r:prop>${absent}</r:propstat>
<r:propstat><r:prop><r:resourcetype/><r:getetag>W/"v1"</r:getetag><r:getcontentlength> 12 </r:getcontentlength>
<r:getlastmodified>Sat, 03 Feb 2001 04:05:06 GMT</r:getlastmodified>
<o:checksums><o:checksum>SHA1:ABC MD5:def ADLER32:9</o:checksum></o:checksums></r:prop>${fine}</r:propstat>`,
  )
  assert.equal(failureOf(answer), undefined)
  assert.deepEqual(entryOf('x', propertiesOf(answer)), {
    kind: 'file',
    path: 'x',
    size: 12,
    modTime: 981_173_106_000_000_000n,
    version: 'v1',
    hashes: { sha1: 'abc', md5: 'def' },
  })
})

test('a failure is told by the status of the whole, or of all properties', async () => {
  assert.equal(failureOf(await response('<r:status>HTTP/1.1 423 Locked</r:status>')), 423)
  assert.equal(failureOf(await response(`<r:propstat><r:prop/>${absent}</r:propstat>`)), 404)
  assert.equal(failureOf(await response('')), undefined)
})
