import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf } from '../../base/body.ts'
import { bench } from '../../operations/testing.ts'
import { usage } from '../../operations/usage.ts'
import { SizeBrowser } from './size-browser.ts'

async function planted() {
  const it = bench()
  const remote = await it.remotes.open(':memory:b')
  const tree = { 'big/a': 3000, 'big/deep/b': 2000, 'small/c': 10, d: 500 }
  for (const [path, size] of Object.entries(tree)) await remote.put(it.ctx, path, bodyOf(Buffer.alloc(size)), {})
  return { ...it, remote, root: await usage(it.ctx, remote) }
}

/** The names that are shown, the chosen one with its mark. */
function names(browser: SizeBrowser): string[] {
  return browser
    .frame(24, 80)
    .slice(1, -2)
    .map((line) => line[0] + (/(\S+)$/.exec(line)?.[1] ?? ''))
}

test('folders are added up, and keys lead around in them', async () => {
  const { root } = await planted()
  const browser = new SizeBrowser(root, 'nas:')
  assert.deepEqual(names(browser), ['>/big', ' d', ' /small'])
  assert.match(browser.frame(24, 80).at(-1) ?? '', /^5\.381 KiB in 4 files/)
  browser.press('l', 20)
  assert.deepEqual(names(browser), ['>a', ' /deep'])
  assert.equal(browser.frame(24, 80)[0], '-- nas:/big --')
  for (const key of ['down', 'enter', 'left']) browser.press(key, 20)
  assert.deepEqual(names(browser), [' a', '>/deep'])
  browser.press('h', 20)
  browser.press('n', 20)
  assert.deepEqual(names(browser), ['>/big', ' d', ' /small'])
  browser.press('n', 20)
  assert.deepEqual(names(browser), [' /small', ' d', '>/big'])
  assert.equal(browser.press('q', 20), 'quit')
})

test('nothing is deleted without a yes, and what is deleted is taken off', async () => {
  const { root } = await planted()
  const browser = new SizeBrowser(root, 'nas:')
  browser.press('d', 20)
  assert.match(browser.frame(24, 80).at(-1) ?? '', /^Delete big and 2 files in it\?/)
  assert.equal(browser.press('n', 20), undefined)
  browser.press('d', 20)
  const wish = browser.press('y', 20)
  assert.ok(typeof wish === 'object')
  assert.equal(wish.delete.folder?.path, 'big')
})

test('a frame fits the terminal, whatever names hold', async () => {
  const { remote, ctx } = await planted()
  for (let i = 0; i < 50; i++) await remote.put(ctx, `x/${i}\u001b[2J${'y'.repeat(200)}`, bodyOf('a'), {})
  const browser = new SizeBrowser(await usage(ctx, remote), 'nas:')
  for (const key of ['end', 'up', 'enter']) browser.press(key, 20)
  const frame = browser.frame(10, 40)
  assert.equal(frame.length, 10)
  for (const line of frame) assert.ok(line.length < 40 && !line.includes('\u001b'))
})
