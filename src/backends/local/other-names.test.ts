import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { defaultsOf } from '../../schema/option.ts'
import { bytesAt, fileAt, listed, putText } from '../../../test/conformance/helpers.ts'
import { files, scratch, serve, sluice } from '../../../test/program.ts'
import { type LocalOptions, localOptions } from './index.ts'
import { OtherNames, withOtherNames } from './other-names.ts'
import { temporary } from './testing.ts'

/** A local remote in a temporary directory, with its names in another way. */
function shownAs(t: TestContext, options: Partial<LocalOptions>) {
  const { ctx, remote, root } = temporary(t)
  const names = new OtherNames(root, { ...defaultsOf(localOptions), ...options })
  return { ctx, root, remote: withOtherNames(remote, names) }
}

const nfc = '\u00fc'
const nfd = 'u\u0308'

test('--local-encoding stores names under others, the root as well, and shows them as they are meant', async (t) => {
  const dir = scratch(t)
  files(dir, { 'from/a:b/c?.txt': 'content', 'from/plain.txt': 'plain' })
  const { code, stderr } = await sluice(['copy', join(dir, 'from'), `:local,encoding='Colon,Question':${dir}/to:here`])
  assert.equal(code, 0, stderr)
  const stored = readdirSync(join(dir, 'to：here'), { recursive: true }) as string[]
  assert.deepEqual(stored.toSorted(), ['a：b', 'a：b/c？.txt', 'plain.txt'])
  const shown = await sluice(['lsf', '-R', '--local-encoding', 'Colon,Question', `${dir}/to:here`])
  assert.deepEqual(shown.stdout.split('\n').toSorted(), ['', 'a:b/', 'a:b/c?.txt', 'plain.txt'])
})

test('--local-unicode-normalization shows names in NFC, and finds them in the form they have', async (t) => {
  const { remote, ctx, root } = shownAs(t, { unicodeNormalization: true })
  mkdirSync(join(root, nfd), { recursive: true })
  writeFileSync(join(root, nfd, `${nfd}.txt`), 'old')
  assert.deepEqual([...(await listed(ctx, remote, '')).keys()], [nfc])
  assert.deepEqual([...(await listed(ctx, remote, nfc)).keys()], [`${nfc}/${nfc}.txt`])
  assert.equal((await bytesAt(ctx, remote, `${nfc}/${nfc}.txt`)).toString(), 'old')
  await putText(ctx, remote, `${nfc}/${nfc}.txt`, 'new')
  assert.equal((await fileAt(ctx, remote, `${nfc}/${nfc}.txt`)).size, 3)
  assert.deepEqual(readdirSync(join(root, nfd)), [`${nfd}.txt`])
  assert.equal(remote.storedPath?.(await fileAt(ctx, remote, `${nfc}/${nfc}.txt`)), `${nfd}/${nfd}.txt`)
})

test('rules are about where a file with another name lies', async (t) => {
  const dir = scratch(t)
  files(dir, { 'www/a：b/secret.txt': 'secret', 'www/open.txt': 'open' })
  writeFileSync(join(dir, 'rules'), `[${join(dir, 'www/a：b')}]\nru = $NONE\n`)
  const http = await serve(t, [
    'serve',
    'http',
    join(dir, 'www'),
    '--local-encoding',
    'Colon',
    '--rules',
    join(dir, 'rules'),
  ])
  assert.equal((await fetch(`${http.url}open.txt`)).status, 200)
  for (const path of ['a:b/secret.txt', 'a%3Ab/secret.txt', 'a%EF%BC%9Ab/secret.txt'])
    assert.notEqual((await fetch(`${http.url}${path}`)).status, 200, path)
})
