import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import axe from 'axe-core'
import { type BrowserContextOptions, chromium, type Page } from 'playwright-core'
import { find, missing } from '../peers.ts'
import { files, run, scratch, serve } from '../program.ts'

const flags = '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking'.split(' ')
const skip = missing('chromium')

/** A folder that is served for reading and writing, with `old.txt` in it. */
async function drop(t: TestContext, args: readonly string[] = []) {
  const dir = scratch(t)
  files(dir, { 'old.txt': 'old', 'sub/': '' })
  const server = await serve(t, ['serve', 'http', dir, '--write', dir, ...args])
  return { dir, server, text: (name: string) => readFileSync(join(dir, name), 'utf8') }
}

/** A page on which nothing may go wrong unseen. */
async function open(t: TestContext, url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const browser = await chromium.launch({ executablePath: find('chromium') ?? '', args: flags })
  t.after(() => browser.close())
  const page = await (await browser.newContext(options)).newPage()
  page.on('pageerror', (error) => assert.fail(error))
  page.on('console', (message) =>
    assert.match(message.text(), /Failed to load resource/, 'what a refused request is told'),
  )
  await page.goto(url)
  return page
}

const file = (name: string, content: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(content) })
/** What the page of a folder has that takes files. */
const form = 'enctype="multipart/form-data"'
const names = (page: Page) => page.locator('tbody tr:not(.u) a').allTextContents()

test('files are added to a folder by its page, and one is asked about before it is replaced', { skip }, async (t) => {
  const { dir, server, text } = await drop(t)
  const page = await open(t, `${server.url}sub/`)
  await page.getByLabel('Add files').setInputFiles([file('a b.txt', 'one'), file('ü#%?.txt', 'two')])
  await page.getByRole('button', { name: 'Upload' }).click()
  await page.getByRole('link', { name: 'a b.txt' }).waitFor()
  assert.deepEqual(await names(page), ['a b.txt', 'ü#%?.txt'])
  assert.equal(readFileSync(join(dir, 'sub/ü#%?.txt'), 'utf8'), 'two')

  await page.goto(server.url)
  const answers = [false, true]
  page.on('dialog', async (dialog) => {
    assert.equal(dialog.message(), 'old.txt is there already. Replace it?')
    await (answers.shift() ? dialog.accept() : dialog.dismiss())
  })
  for (const expected of ['old', 'new']) {
    const reloaded = expected === 'new' && page.waitForEvent('load')
    await page.getByLabel('Add files').setInputFiles(file('old.txt', 'new'))
    await page.getByRole('button', { name: 'Upload' }).click()
    await (reloaded || page.getByText('Nothing was changed').waitFor())
    assert.equal(text('old.txt'), expected)
  }
})

test('files that are dropped anywhere on the page of a folder are stored in it', { skip }, async (t) => {
  const { server, text } = await drop(t)
  const page = await open(t, server.url)
  await page.evaluate(`(() => {
    const dataTransfer = new DataTransfer()
    for (const name of ['x.txt', 'y.txt']) dataTransfer.items.add(new File([name], name))
    const event = (type) => new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true })
    if (document.body.dispatchEvent(event('dragover'))) throw new Error('not taken')
    document.body.dispatchEvent(event('drop'))
  })()`)
  await page.getByRole('link', { name: 'y.txt' }).waitFor()
  assert.equal(text('x.txt') + text('y.txt'), 'x.txty.txt')
})

test('what the server refuses is shown on the page, and the other files are stored', { skip }, async (t) => {
  const { dir, server } = await drop(t, ['--max-upload', '10B'])
  const page = await open(t, server.url)
  await page.getByLabel('Add files').setInputFiles([file('large.txt', 'x'.repeat(100)), file('small.txt', 'x')])
  await page.getByRole('button', { name: 'Upload' }).click()
  await page.getByText('large.txt: a file may have 10 bytes at most').waitFor()
  assert.deepEqual([existsSync(join(dir, 'large.txt')), existsSync(join(dir, 'small.txt'))], [false, true])
})

test('without scripts the form does it, and replaces nothing unless it is told to', { skip }, async (t) => {
  const { server, text } = await drop(t)
  const page = await open(t, `${server.url}?sort=size&order=desc`, { javaScriptEnabled: false })
  const send = async (button: string, name: string) => {
    await page.getByLabel('Add files').setInputFiles(file(name, 'new'))
    await page.getByRole('button', { name: button, exact: true }).click()
  }
  await send('Upload', 'first.txt')
  await page.waitForURL(server.url)
  assert.deepEqual(await names(page), ['sub/', 'first.txt', 'old.txt'])
  await send('Upload', 'old.txt')
  await page.getByText('old.txt: there is a file of this name already').waitFor()
  await page.goBack()
  await send('Upload and replace', 'old.txt')
  await page.waitForURL(server.url)
  assert.equal(text('old.txt'), 'new')
})

test('the form has no accessibility violation, wide or narrow, light or dark', { skip }, async (t) => {
  const { server } = await drop(t)
  for (const [colorScheme, width] of [
    ['light', 1100],
    ['dark', 380],
  ] as const) {
    const page = await open(t, server.url, { colorScheme, viewport: { width, height: 800 }, bypassCSP: true })
    await page.evaluate(axe.source)
    const { violations } = await page.evaluate<{ violations: { id: string }[] }>('axe.run()')
    assert.deepEqual(violations, [])
    assert.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
  }
})

test('curl sends many files in one form', { skip: missing('curl') }, async (t) => {
  const { dir, server, text } = await drop(t)
  files(dir, { 'out/1.txt': '1', 'out/2.txt': '2' })
  const parts = ['-F', `a=@${dir}/out/1.txt`, '-F', `b=@${dir}/out/2.txt`, '-F', 'note=not a file']
  const sent = await run('curl', ['-s', '-w', '%{http_code}', ...parts, `${server.url}sub/`])
  assert.equal(sent.stdout, '1.txt\n2.txt\n201')
  assert.equal(text('sub/1.txt') + text('sub/2.txt'), '12')
  const again = await run('curl', ['-s', '-w', '%{http_code}', ...parts, `${server.url}sub/`])
  assert.match(again.stdout, /^1\.txt: there is a file of this name already.*409$/s)
})

test('the places that are told of uploads are URLs, also below a prefix of other letters', async (t) => {
  const { server } = await drop(t, ['--baseurl', '/ü'])
  const put = await fetch(`${server.url}a b`, { method: 'PUT', body: 'x' })
  assert.deepEqual([put.status, put.headers.get('location')], [201, '/%C3%BC/a%20b'])
  const body = new FormData()
  body.append('file', new Blob(['x']), 'c')
  const init = { method: 'POST', body, headers: { accept: 'text/html' }, redirect: 'manual' } as const
  const sent = await fetch(`${server.url}sub/`, init)
  assert.deepEqual([sent.status, sent.headers.get('location')], [303, '/%C3%BC/sub/'])
})

test('a form from a page of another site is refused, as are names that lead elsewhere', async (t) => {
  const { dir, server } = await drop(t)
  const send = async (name: string, headers: Record<string, string> = {}) => {
    const body = new FormData()
    body.append('file', new Blob(['x']), name)
    return (await fetch(`${server.url}sub/`, { method: 'POST', body, headers })).status
  }
  assert.equal(await send('a.txt', { origin: 'http://elsewhere.example' }), 403)
  assert.equal(await send('..'), 400)
  assert.equal(await send('../up.txt'), 201, 'folders that a client puts before the name are not its name')
  assert.deepEqual([existsSync(join(dir, 'up.txt')), existsSync(join(dir, 'sub/up.txt'))], [false, true])
})

test('a page has the form only where what is read is written as well', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a/x': '', 'b/x': '' })
  const shows = async (url: string) =>
    (await (await fetch(url, { headers: { accept: 'text/html' } })).text()).includes(form)
  const both = await drop(t)
  assert.equal(await shows(both.server.url), true)
  const reading = await serve(t, ['serve', 'http', dir])
  assert.equal(await shows(reading.url), false)
  const apart = await serve(t, ['serve', 'http', join(dir, 'a'), '--write', join(dir, 'b')])
  assert.equal(await shows(apart.url), false)
  const frozen = await drop(t, ['--read-only'])
  assert.equal(await shows(frozen.server.url), false)
})

test('rules say who sees the form of a folder, and which of its files are taken', async (t) => {
  const dir = scratch(t)
  const sha1 = createHash('sha1').update('ann').digest('base64')
  files(dir, {
    'in/x': '',
    'out/x': '',
    users: `ann:{SHA}${sha1}\n`,
    rules: `[${dir}/in]\nru=ann\nwu=ann\n[${dir}/out]\nru=ann\n[url:/in/*.key]\nwu=eve\n`,
  })
  const server = await serve(t, ['serve', 'http', '--rules', join(dir, 'rules'), '--htpasswd', join(dir, 'users')])
  const headers = { authorization: `Basic ${btoa('ann:ann')}`, accept: 'text/html' }
  const shows = async (path: string) => (await (await fetch(server.url + path, { headers })).text()).includes(form)
  assert.deepEqual([await shows(''), await shows('in/'), await shows('out/')], [false, true, false])
  const body = new FormData()
  for (const name of ['a.txt', 'b.key']) body.append('file', new Blob(['x']), name)
  const sent = await fetch(`${server.url}in/`, { method: 'POST', body, headers })
  assert.deepEqual([sent.status, await sent.text()], [403, 'b.key: Forbidden. Stored before it: a.txt\n'])
  assert.deepEqual([existsSync(join(dir, 'in/a.txt')), existsSync(join(dir, 'in/b.key'))], [true, false])
})
