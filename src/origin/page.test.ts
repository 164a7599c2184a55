import { test } from 'node:test'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import axe from 'axe-core'
import { chromium } from 'playwright-core'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { find, missing } from '../../test/peers.ts'
import { testContext } from '../core/testing.ts'
import { received, testRequest } from '../http/testing.ts'
import { Listings } from './listing.ts'
import { FakeTree } from './testing.ts'

const tree = new FakeTree({
  'media/films/one.mkv': 'x',
  'media/photo of the sea.jpeg': 'x'.repeat(70_000),
  'media/song.flac': 'x',
  'media/readme.md': 'x',
  'media/a:b.txt': 'x',
  'media/<script>alert(1)<∕script>.txt': 'x',
  'media/javascript:alert(1)': 'x',
  'media/a very long name that goes on and on and on until it must be broken somewhere on small screens.pdf': 'x',
})
const ctx = testContext()
const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
    ' ',
  )

async function serve() {
  const listings = new Listings({ zip: true, modTimes: true })
  const asked: string[] = []
  const server = createServer((incoming, outgoing) => {
    asked.push(incoming.url ?? '')
    const request = testRequest(incoming.url)
    const node = request.directory ? tree.directory(request.path) : undefined
    const answer = node ? received(listings.answer(ctx, request, node)) : Promise.reject(new Error('a file'))
    const names = ['content-type', 'content-security-policy', 'x-frame-options']
    answer.then(
      ({ status, bytes, header }) => {
        for (const name of names) outgoing.setHeader(name, header(name) ?? '')
        outgoing.writeHead(status).end(bytes)
      },
      () => outgoing.writeHead(404).end(),
    )
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return { server, asked, url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}` }
}

test('the page in a browser', { skip: missing('chromium') }, async (t) => {
  const { server, asked, url } = await serve()
  const browser = await chromium.launch({ executablePath: find('chromium') ?? '', args: flags })
  t.after(async () => {
    await browser.close()
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  })

  /** Opens a page that must not log, throw or ask anything. */
  async function open(path: string, options: BrowserContextOptions, use: (page: Page) => Promise<void>): Promise<void> {
    const context = await browser.newContext(options)
    const page = await context.newPage()
    const noise: string[] = []
    page.on('console', (message) => noise.push(message.text()))
    page.on('pageerror', (error) => noise.push(error.message))
    page.on('dialog', (dialog) => {
      noise.push(dialog.message())
      void dialog.dismiss()
    })
    await page.goto(url + path)
    await use(page)
    assert.deepEqual(noise, [])
    await context.close()
  }

  await t.test('has no accessibility violation, light or dark, wide or narrow, with scripts or without', async () => {
    const cases = [
      ['/', 'light', 1100],
      ['/media/', 'light', 380],
      ['/media/', 'dark', 1100],
      ['/media/?sort=size&order=desc', 'dark', 380],
    ] as const
    for (const [path, colorScheme, width] of cases)
      await open(path, { colorScheme, viewport: { width, height: 800 }, bypassCSP: true }, async (page) => {
        await page.evaluate(axe.source)
        const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
          'axe.run()',
        )
        assert.deepEqual(
          violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`),
          [],
        )
        assert.ok(
          await page.evaluate('document.documentElement.scrollWidth <= innerWidth'),
          `${path} is wider than ${width}`,
        )
      })
  })

  await t.test('its policy lets its own style and script run, and its links lead to the files', async () => {
    await open('/media/', {}, async (page) => {
      assert.equal(await page.evaluate("getComputedStyle(document.querySelector('table')).borderCollapse"), 'collapse')
      const paths = await page.$$eval('tbody a', (links) =>
        links.map((a) => decodeURIComponent(new URL((a as unknown as { href: string }).href).pathname)),
      )
      assert.ok(paths.includes('/media/<script>alert(1)<∕script>.txt'))
      assert.ok(paths.includes('/media/javascript:alert(1)'))
      await page.getByLabel('Filter').fill('PHOTO')
      const shown = await page.locator('tbody tr:visible a').allTextContents()
      assert.deepEqual(shown, ['.. (parent directory)', 'photo of the sea.jpeg'])
      assert.equal(await page.locator('output').innerText(), '1 of 8')
    })
  })

  await t.test('sorting, the zip button and the way up work by keyboard and without scripts', async () => {
    await open('/media/', { javaScriptEnabled: false }, async (page) => {
      assert.equal(await page.getByLabel('Filter').isVisible(), false)
      await page.getByRole('button', { name: 'Size' }).focus()
      await page.keyboard.press('Enter')
      await page.waitForURL('**/media/?order=desc&sort=size')
      assert.equal(await page.getByRole('columnheader', { name: 'Size' }).getAttribute('aria-sort'), 'descending')
      await page.getByRole('button', { name: 'Download films as ZIP' }).click()
      await page.waitForURL('**/media/films/?download=zip')
      await page.goto(`${url}/media/films/`)
      await page.getByRole('link', { name: 'parent directory' }).click()
      await page.waitForURL('**/media/')
      await page.getByRole('navigation', { name: 'Breadcrumb' }).getByRole('link', { name: 'Home' }).click()
      await page.waitForURL(`${url}/`)
    })
  })

  assert.ok(
    asked.every((target) => !target.includes('favicon')),
    'the icon is in the page',
  )
})
