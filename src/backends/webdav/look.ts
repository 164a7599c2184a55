import { AppError } from '../../base/error.ts'
import { join, nameOf } from '../../base/path.ts'
import type { Context } from '../../core/context.ts'
import type { ClientResponse } from '../../net/client.ts'
import { leave } from '../../net/response-body.ts'
import { childOf, textOf, type XmlElement, xmlElements } from '../../net/xml.ts'
import { decodePath, type Encoding } from '../../remote/encoding.ts'
import type { Entry, Usage } from '../../remote/remote.ts'
import { davError, type DavClient } from './client.ts'
import { entryOf, failureOf, namesBelow, permissionsOf, propertiesOf, propfind, quota } from './multistatus.ts'

/** The entry of a URL, shown as `path`; undefined when there is none. */
export async function look(ctx: Context, client: DavClient, url: URL, path: string): Promise<Entry | undefined> {
  const answer = await ask(ctx, client, url, { depth: '0', text: propfind })
  if (isAbsent(answer, url)) {
    await leave(answer.body)
    return undefined
  }
  const [response] = await Array.fromAsync(responses(answer, path))
  if (!response) throw new AppError('io', `${path}: the server told nothing about it`)
  if (failureOf(response) === 404) return undefined
  return entryOf(path, propertiesOf(response))
}

export interface LookParts {
  readonly encoding: Encoding
  /** Permission letters of entries that are left out. */
  readonly leaveOut: readonly string[]
}

/** The children of a directory, as they come. Throws `not-directory` for a file, `not-found` for nothing. */
export async function* children(
  ctx: Context,
  client: DavClient,
  { url, path, encoding, leaveOut }: { readonly url: URL; readonly path: string } & LookParts,
): AsyncGenerator<Entry> {
  const answer = await ask(ctx, client, url, { depth: '1', text: propfind })
  if (isAbsent(answer, url)) {
    await leave(answer.body)
    throw await noDirectory(ctx, client, url, path)
  }
  for await (const response of responses(answer, path)) {
    const href = textOf(response, 'href') ?? ''
    const names = namesBelow(href, answer.url)
    const properties = propertiesOf(response)
    if (names?.length === 0) {
      if (!childOf(properties, 'resourcetype', 'collection'))
        throw new AppError('not-directory', `${path === '' ? 'the root' : path} is a file`)
    } else if (names?.length !== 1) ctx.log.debug(`left out: ${JSON.stringify(href)} is not in the directory`)
    else if (!leaveOut.some((letter) => permissionsOf(properties).includes(letter)))
      yield entryOf(join(path, decodePath(encoding, names[0] ?? '')), properties)
  }
}

/** Why a directory cannot be listed: servers that find a file in its place may just call the URL malformed. */
async function noDirectory(ctx: Context, client: DavClient, url: URL, path: string): Promise<AppError> {
  const file = new URL(url)
  file.pathname = file.pathname.replace(/\/$/, '')
  const found = await look(ctx, client, file, path)
  return found?.kind === 'file'
    ? new AppError('not-directory', `${path} is a file`)
    : new AppError('not-found', `${path === '' ? 'the root' : path} does not exist`)
}

/** The space that the account has, as far as the server tells; Nextcloud says "no limit" by a negative number. */
export async function usageOf(ctx: Context, client: DavClient, url: URL): Promise<Usage> {
  const [response] = await Array.fromAsync(responses(await ask(ctx, client, url, { depth: '0', text: quota }), ''))
  const properties = response && propertiesOf(response)
  const bytes = (name: string) => {
    const value = Number(textOf(properties, name) || NaN)
    return value >= 0 ? value : undefined
  }
  const [free, used] = [bytes('quota-available-bytes'), bytes('quota-used-bytes')]
  return {
    ...(free === undefined ? {} : { free }),
    ...(used === undefined ? {} : { used }),
    ...(free === undefined || used === undefined ? {} : { total: free + used }),
  }
}

/** Throws the first failure that an answer of status 207 tells of: of a tree that was removed or moved, say. */
export async function throwFailures(answer: ClientResponse, what: string): Promise<void> {
  if (answer.status !== 207) return await leave(answer.body)
  for await (const response of responses(answer, what)) {
    const status = failureOf(response)
    if (status === undefined) continue
    throw davError({ ...answer, status }, `${what}: ${nameOf((textOf(response, 'href') ?? '').replace(/\/$/, ''))}`)
  }
}

async function ask(
  ctx: Context,
  client: DavClient,
  url: URL,
  { depth, text }: { readonly depth: string; readonly text: string },
): Promise<ClientResponse> {
  return await client.request(ctx, { method: 'PROPFIND', url, headers: { depth }, text, follow: true })
}

async function* responses(answer: ClientResponse, path: string): AsyncGenerator<XmlElement> {
  if (answer.status === 207) return yield* xmlElements(answer.body, 'response')
  await leave(answer.body)
  const what = path === '' ? 'the root' : path
  if (answer.status >= 300) throw davError(answer, what)
  throw new AppError('unsupported', `${what}: the server does not speak WebDAV here, check the option url`)
}

/** Names that a server finds too long or malformed cannot be there: some say that they are forbidden. */
function isAbsent({ status }: ClientResponse, url: URL): boolean {
  if (status === 404 || status === 410 || status === 400 || status === 414) return true
  return status === 403 && url.pathname.split('/').some((name) => Buffer.byteLength(decodeURIComponent(name)) > 255)
}
