import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { chromium, type Page, type Request } from 'playwright-core'
import { methods } from '../../src/rc/methods/index.ts'
import { find, missing } from '../peers.ts'
import { files, rcd, scratch } from '../program.ts'
import { web } from '../web.ts'

const flags =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'.split(
    ' ',
  )

async function browser(t: TestContext) {
  const launched = await chromium.launch({ executablePath: find('chromium') ?? '', args: flags })
  t.after(() => launched.close())
  return launched
}

/** A web site of somebody else, on another port. */
async function foreignSite(t: TestContext): Promise<string> {
  return await web(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>evil</title>')
  })
}

/** Ways in which a page can make a browser send something: functions for the page that get the URL of a method. */
const attacks: Readonly<Record<string, string>> = {
  form: `(url) => new Promise((resolve) => {
    const frame = document.createElement('iframe')
    frame.name = 'target'
    document.body.append(frame)
    const form = document.body.appendChild(document.createElement('form'))
    Object.assign(form, { method: 'post', action: url, target: 'target' })
    frame.addEventListener('load', () => resolve(), { once: true })
    form.submit()
  })`,
  'text/plain fetch': `(url) => fetch(url, { method: 'POST', body: '{}' })`,
  'JSON fetch': `(url) => fetch(url, { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } })`,
  'no-cors fetch': `(url) => fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}' })`,
  beacon: `(url) => navigator.sendBeacon(url, 'a=b')`,
  image: `(url) => new Promise((resolve) => {
    const image = new Image()
    image.addEventListener('error', () => resolve())
    image.src = url
  })`,
  frame: `(url) => new Promise((resolve) => {
    const frame = document.createElement('iframe')
    frame.addEventListener('load', () => resolve())
    frame.src = url
    document.body.append(frame)
  })`,
  'sandboxed frame, whose origin is null': `(url) => new Promise((resolve) => {
    addEventListener('message', () => resolve(), { once: true })
    const frame = document.createElement('iframe')
    frame.setAttribute('sandbox', 'allow-scripts')
    const script = "fetch(" + JSON.stringify(url) + ", { method: 'POST', mode: 'no-cors', body: '{}' })"
    frame.srcdoc = '<script>' + script + ".catch(() => {}).finally(() => parent.postMessage('sent', '*'))<\\/script>"
    document.body.append(frame)
  })`,
}

/** Lets a page attack. What it gets of the answer is no business of ours. */
async function attack(page: Page, name: string, url: string): Promise<void> {
  const predicate = (request: Request) => request.url() === url
  // The page itself does not learn what becomes of a beacon.
  const over =
    name === 'beacon' &&
    Promise.race([
      page.waitForEvent('requestfinished', { predicate }),
      page.waitForEvent('requestfailed', { predicate }),
    ])
  await page.evaluate(`(${attacks[name]})(${JSON.stringify(url)}).then?.(() => undefined, () => undefined)`)
  await over
}

test('no page of another site makes a call, whichever way it tries', { skip: missing('chromium') }, async (t) => {
  const server = await rcd(t, ['--rc-no-auth', '--rc-serve'])
  const site = await foreignSite(t)
  const page = await (await browser(t)).newPage()
  for (const name of Object.keys(attacks)) {
    await page.goto(site)
    // It would be seen: the limit is another one then.
    await attack(page, name, `${server.url}core/bwlimit?rate=1M`)
    const { body } = await server.call('core/bwlimit')
    assert.equal(body.rate, 'off', name)
  }
})

test(
  'the same attempts work where every origin is allowed, so that they are ones',
  { skip: missing('chromium') },
  async (t) => {
    const server = await rcd(t, ['--rc-no-auth', '--rc-allow-origin', '*'])
    const site = await foreignSite(t)
    const page = await (await browser(t)).newPage()
    for (const name of Object.keys(attacks).filter((one) => one !== 'image' && one !== 'frame')) {
      await server.call('core/bwlimit', { rate: 'off' })
      await page.goto(site)
      await attack(page, name, `${server.url}core/bwlimit?rate=1M`)
      assert.equal((await server.call('core/bwlimit')).body.rate, '1Mi', name)
    }
  },
)

test(
  'a page that is allowed by its origin makes calls and reads the answers',
  { skip: missing('chromium') },
  async (t) => {
    const site = await foreignSite(t)
    const server = await rcd(t, ['--rc-no-auth', '--rc-allow-origin', site.slice(0, -1)])
    const page = await (await browser(t)).newPage()
    await page.goto(site)
    const answer = await page.evaluate(async (url) => {
      const headers = { 'content-type': 'application/json', authorization: 'Basic eDp5' }
      const response = await fetch(url, { method: 'POST', body: '{"a":1}', headers })
      return { text: await response.text(), job: response.headers.get('x-rclone-jobid') }
    }, `${server.url}rc/noop`)
    assert.equal(answer.text, '{\n\t"a": 1\n}\n')
    assert.match(answer.job ?? '', /^\d+$/)
  },
)

test('what was stored as a page runs no script at the remote control', { skip: missing('chromium') }, async (t) => {
  const dir = scratch(t)
  const call = "fetch('/core/bwlimit?rate=1M', { method: 'POST' }); document.title = 'ran'"
  files(dir, {
    'page.html': `<!doctype html><title>stored</title><script>${call}</script><img src=x onerror="${call}">`,
    'pic.svg': `<svg xmlns="http://www.w3.org/2000/svg" onload="${call}"><script>${call}</script></svg>`,
    'sw.js': 'self.addEventListener("fetch", () => {})',
    '<img src=x onerror=document.title="ran">.txt': 'x',
    'rclone.conf': `[nas]\ntype = alias\nremote = ${dir}\n`,
  })
  const server = await rcd(t, ['--rc-no-auth', '--rc-serve', '--config', join(dir, 'rclone.conf')])
  const page = await (await browser(t)).newPage()
  for (const path of ['page.html', 'pic.svg', '']) {
    await page.goto(`${server.url}[nas:]/${path}`)
    assert.notEqual(await page.title(), 'ran', path)
  }
  await page.goto(`${server.url}[nas:]/`)
  const registered = await page.evaluate(
    `navigator.serviceWorker.register('sw.js').then(() => 'registered', () => 'refused')`,
  )
  assert.equal(registered, 'refused')
  assert.equal((await server.call('core/bwlimit')).body.rate, 'off')
})

test('a name of somebody else for this machine (DNS rebinding) is not answered', async (t) => {
  const server = await rcd(t)
  for (const host of ['rebind.example', `rebind.example:${server.port}`, '127.0.0.1.example', 'localhost.example']) {
    const socket = connect(server.port, '127.0.0.1')
    socket.end(`POST /core/bwlimit?rate=1M HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`)
    let text = ''
    for await (const chunk of socket.setEncoding('utf8')) text += chunk as string
    assert.match(text, /^HTTP\/1\.1 421 /, host)
  }
  assert.equal((await server.call('core/bwlimit')).body.rate, 'off')
})

/** What everybody may call when no login is set up: what rclone 1.74 and later leave open. */
const openMethods = [
  'cache/stats',
  'core/du',
  'core/group-list',
  'core/stats',
  'core/transferred',
  'core/version',
  'job/list',
  'job/status',
  'rc/error',
  'rc/list',
  'rc/noop',
  'vfs/list',
  'vfs/queue',
  'vfs/stats',
]

test('without any login everything but a few harmless methods is refused', async (t) => {
  const server = await rcd(t, ['--rc-serve'])
  const answered: string[] = []
  for (const { path } of methods) {
    const { status, body } = await server.call(path)
    if (status !== 403) answered.push(path)
    else assert.match(String(body.error), /authentication must be set up on the rc server to use/)
  }
  assert.deepEqual(answered.toSorted(), openMethods)
})
