import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type Body, collect } from '../base/body.ts'
import { AppError, messageOf } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { type ClientResponse, HttpClient } from '../net/client.ts'
import { leave } from '../net/response-body.ts'
import { rcAuthOptions, rcHttpOptions, rcOptions } from '../rc/options.ts'
import { quoteSpecValue } from '../remote/spec.ts'
import type { CommandIo } from './command.ts'
import { isLoopback } from './server-options.ts'

/** Largest description of a release, and largest interface, bytes. */
const LARGEST_RELEASE = 4 * 1024 * 1024
const LARGEST_ZIP = 256 * 1024 * 1024

/** What is known of the interface that was fetched last: `current.json`. */
interface Kept {
  /** Name of the release, or what the server calls this version of the zip. */
  readonly tag: string
  /** Name of the file beside this one. */
  readonly file: string
}

/**
 * Makes the options say what `--rc-web-gui` means: the interface is fetched where it is not there yet, its zip becomes
 * `--rc-files`, remotes are served, and without any login the user `gui` has a password of the moment. Gives that password.
 */
export async function prepareWebGui(io: CommandIo): Promise<{ readonly password?: string }> {
  if (io.get(rcOptions).files !== '')
    throw new AppError('usage', '--rc-web-gui fetches an interface, --rc-files names one: give one of the two')
  const zip = await fetchedZip(io)
  io.options.set(rcOptions, 'files', await rootedAtIndex(io, zip), 'flag')
  io.options.set(rcOptions, 'serve', true, 'flag')
  if (io.get(rcOptions).noAuth || hasLogin(io)) return {}
  const password = randomBytes(16).toString('base64url')
  io.options.set(rcAuthOptions, 'user', 'gui', 'flag')
  io.options.set(rcAuthOptions, 'pass', password, 'flag')
  return { password }
}

function hasLogin(io: CommandIo): boolean {
  const { htpasswd, user, userFromHeader, authProxy } = io.get(rcAuthOptions)
  const { clientCa } = io.get(rcHttpOptions)
  return [htpasswd, user, userFromHeader, clientCa].some((text) => text !== '') || authProxy.length > 0
}

/** The zip of the interface, as it is in the cache or newly fetched. */
async function fetchedZip(io: CommandIo): Promise<string> {
  const { webGuiUpdate, webGuiForceUpdate, webFetchUrl } = io.get(rcOptions)
  const dir = join(io.cacheDir, 'webgui')
  const kept = await keptIn(dir)
  if (kept && !webGuiUpdate && !webGuiForceUpdate) return join(dir, kept.file)
  const url = URL.parse(webFetchUrl)
  if (!url) throw new AppError('usage', '--rc-web-fetch-url is no URL')
  const client = HttpClient.of(io.ctx)
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 })
    const check = (path: string) => rootedAtIndex(io, path)
    const fetching = { ctx: io.ctx, client, dir, local: isLoopback(url.hostname), check }
    return await update(fetching, url, webGuiForceUpdate ? undefined : kept)
  } catch (error) {
    if (!kept) throw new AppError('io', `the web interface could not be fetched: ${messageOf(error)}`, { cause: error })
    io.ctx.log.error(`the web interface could not be updated, the one of before is used: ${messageOf(error)}`)
    return join(dir, kept.file)
  } finally {
    client.close()
  }
}

interface Fetching {
  readonly ctx: Context
  readonly client: HttpClient
  readonly dir: string
  /** The operator named a server of this machine, so that plain http to it is no risk. */
  readonly local: boolean
  /** Throws when a zip is no web interface. */
  check(path: string): Promise<unknown>
}

async function update(fetching: Fetching, url: URL, kept: Kept | undefined): Promise<string> {
  const { ctx, dir } = fetching
  const first = await get(fetching, url)
  const release = isJson(first) ? await releaseOf(first) : undefined
  const tag = release?.tag ?? first.headers.etag ?? first.headers['last-modified'] ?? ''
  if (kept && tag !== '' && kept.tag === tag) {
    if (!release) await leave(first.body)
    return join(dir, kept.file)
  }
  const { body } = release ? await get(fetching, release.url) : first
  const { file, sha256 } = await store(dir, body)
  await fetching.check(join(dir, file)).catch(async (error: unknown) => {
    if (file !== kept?.file) await rm(join(dir, file), { force: true })
    throw error
  })
  await writeWhole(join(dir, CURRENT), JSON.stringify({ tag, file } satisfies Kept))
  for (const old of await readdir(dir)) if (old !== file && old !== CURRENT) await rm(join(dir, old), { force: true })
  ctx.log.info(`web interface ${tag} fetched from ${url.host}, sha256 ${sha256}`)
  return join(dir, file)
}

const CURRENT = 'current.json'

async function keptIn(dir: string): Promise<Kept | undefined> {
  try {
    const kept = JSON.parse(await readFile(join(dir, CURRENT), 'utf8')) as Kept
    if (!/^gui-[0-9a-f]+\.zip$/.test(kept.file)) return undefined
    await access(join(dir, kept.file))
    return kept
  } catch {
    return undefined // there is none, or none that can be used
  }
}

async function get({ ctx, client, local }: Fetching, url: URL): Promise<ClientResponse> {
  checkScheme(url, local)
  const headers = { accept: 'application/json, application/zip, */*' }
  const response = await client.fetch(ctx, { method: 'GET', url, headers, follow: true })
  checkScheme(response.url, local)
  return response
}

function checkScheme(url: URL, local: boolean): void {
  if (url.protocol === 'https:' || (local && url.protocol === 'http:' && isLoopback(url.hostname))) return
  throw new AppError('invalid', `${url.host}: a web interface is fetched by https only`)
}

function isJson({ headers }: ClientResponse): boolean {
  return /^(?:application|text)\/(?:[\w.+-]*\+)?json\b/i.test(headers['content-type'] ?? '')
}

/** Reads the description of a release as GitHub gives it. */
async function releaseOf({ body }: ClientResponse): Promise<{ tag: string; url: URL }> {
  const json = JSON.parse(new TextDecoder().decode(await collect(body, LARGEST_RELEASE))) as {
    tag_name?: unknown
    assets?: readonly { browser_download_url?: unknown }[]
  }
  const links = (Array.isArray(json.assets) ? json.assets : []).map((asset) => String(asset.browser_download_url))
  const url = URL.parse(links.find((link) => /\.zip$/i.test(link)) ?? links[0] ?? '')
  if (!url || typeof json.tag_name !== 'string') throw new AppError('invalid', 'this is no description of a release')
  return { tag: json.tag_name, url }
}

/** Writes a zip under its final name once all of it is there. */
async function store(dir: string, body: Body): Promise<{ file: string; sha256: string }> {
  const part = join(dir, `${randomBytes(8).toString('hex')}.part`)
  const hash = createHash('sha256')
  let size = 0
  async function* counted(): Body {
    for await (const chunk of body) {
      size += chunk.length
      if (size > LARGEST_ZIP) throw new AppError('too-large', `it has more than ${LARGEST_ZIP} bytes`)
      hash.update(chunk)
      yield chunk
    }
  }
  try {
    await pipeline(counted(), createWriteStream(part, { mode: 0o600, flush: true }))
    const sha256 = hash.digest('hex')
    const file = `gui-${sha256.slice(0, 16)}.zip`
    await rename(part, join(dir, file))
    return { file, sha256 }
  } finally {
    await rm(part, { force: true })
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const part = `${path}.${randomBytes(4).toString('hex')}.part`
  await writeFile(part, text, { mode: 0o600, flush: true })
  await rename(part, path)
}

/** The text for the directory of a zip that index.html is in: releases have it in a folder. */
async function rootedAtIndex(io: CommandIo, zip: string): Promise<string> {
  const text = `:archive,remote=${quoteSpecValue(zip)}:`
  const remote = await (await io.remotes()).open(text)
  if (await remote.stat(io.ctx, 'index.html')) return text
  for await (const entry of remote.list(io.ctx, ''))
    if (entry.kind === 'directory' && (await remote.stat(io.ctx, `${entry.path}/index.html`))) return text + entry.path
  throw new AppError('invalid', 'the web interface that was fetched has no index.html')
}
