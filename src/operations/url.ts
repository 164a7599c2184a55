import { AppError, toAppError } from '../base/error.ts'
import { isEntryName, join } from '../base/path.ts'
import { fromMs } from '../base/time.ts'
import type { Context } from '../core/context.ts'
import { type ClientResponse, HttpClient } from '../net/client.ts'
import { leave } from '../net/response-body.ts'
import type { Reach } from '../net/guard.ts'
import { statusText } from '../net/status.ts'
import { type FileEntry, type Remote, rootText } from '../remote/remote.ts'
import { leaveOut } from './leave-out.ts'

export interface UrlOptions {
  /** The path is a folder; the file is named as the last part of the URL. */
  readonly autoFilename?: boolean
  /** As that, but the name comes from the header Content-Disposition. */
  readonly headerFilename?: boolean
  /** Which addresses the URL may lead to: all when a person gave it. */
  readonly reach?: Reach
  /** Fails with `exists` rather than replace a file. */
  readonly noClobber?: boolean
}

/** Downloads a URL into a file. Gives its path, and the entry unless `--dry-run` is set. Redirects are followed. */
export async function copyUrl(
  ctx: Context,
  { remote, path }: { readonly remote: Remote; readonly path: string },
  url: string,
  options: UrlOptions = {},
): Promise<{ readonly path: string; readonly entry: FileEntry | undefined }> {
  return await withUrl(ctx, { url, reach: options.reach }, async (response) => {
    const to = options.autoFilename || options.headerFilename ? join(path, nameFor(response, options)) : path
    if (await leaveOut(ctx, 'copy URL', { object: to })) {
      await leave(response.body)
      return { path: to, entry: undefined }
    }
    const size = Number(response.headers['content-length'] ?? -1)
    const modified = Date.parse(response.headers['last-modified'] ?? '')
    const type = response.headers['content-type']
    const ends = { dstFs: rootText(remote.info), dstRemote: to }
    const transfer = ctx.stats.transfer(to, size, 'transfer', ends)
    try {
      const entry = await remote.put(
        ctx,
        to,
        transfer.account(response.body, () => ctx.signal),
        {
          ...(size >= 0 ? { size } : {}),
          modTime: fromMs(Number.isNaN(modified) ? Date.now() : modified),
          ...(type === undefined ? {} : { contentType: type }),
          ...(options.noClobber ? { ifAbsent: true } : {}),
        },
      )
      transfer.done()
      ctx.log.info('Copied (new)', { object: to })
      return { path: to, entry }
    } catch (reason) {
      const error = toAppError(reason)
      transfer.done(error)
      await leave(response.body).catch(() => {})
      throw error.code === 'exists' ? new AppError('exists', 'CopyURL failed: file already exist') : error
    }
  })
}

/** Hands the bytes of a URL to `write`, chunk by chunk. */
export async function readUrl(ctx: Context, url: string, write: (chunk: Uint8Array) => Promise<void>): Promise<void> {
  await withUrl(ctx, { url }, async ({ body }) => {
    for await (const chunk of body) await write(chunk)
  })
}

interface Address {
  readonly url: string
  readonly reach?: Reach | undefined
}

async function withUrl<T>(
  ctx: Context,
  { url: text, reach }: Address,
  use: (response: ClientResponse) => Promise<T>,
): Promise<T> {
  const url = URL.parse(text)
  if (!url || !/^https?:$/.test(url.protocol))
    throw new AppError('invalid', `${JSON.stringify(text)} is not an http or https URL`, { stop: 'no-retry' })
  const client = HttpClient.of(ctx, { reach })
  try {
    const response = await client.request(ctx, { method: 'GET', url, follow: true })
    if (response.status < 200 || response.status > 299) {
      await leave(response.body)
      const { status } = response
      const message = `CopyURL failed: ${statusText(status)}`
      throw new AppError('io', message, { retry: status >= 500 ? 'now' : false })
    }
    return await use(response)
  } finally {
    client.close()
  }
}

/** The name of the file that an answer brings. Throws `invalid` when there is none, or one that leads elsewhere. */
function nameFor({ url, headers }: ClientResponse, { headerFilename }: UrlOptions): string {
  const name = headerFilename ? dispositionName(headers['content-disposition'] ?? '') : lastPart(url)
  if (isEntryName(name) && !name.includes('\\')) return name
  throw new AppError(
    'invalid',
    headerFilename
      ? 'CopyURL failed: filename not found in the Content-Disposition header'
      : "CopyURL failed: file name wasn't found in url",
  )
}

function lastPart(url: URL): string {
  const part = url.pathname.slice(url.pathname.lastIndexOf('/') + 1)
  return decoded(part)
}

/** The file name of a Content-Disposition header (RFC 6266), `filename*` first; `''` without one. */
function dispositionName(header: string): string {
  const extended = /;\s*filename\*\s*=\s*utf-8''([^;\s]+)/i.exec(header)?.[1]
  if (extended !== undefined) return decoded(extended)
  const [, quoted, plain] = /;\s*filename\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^;\s]+))/i.exec(header) ?? []
  return quoted === undefined ? (plain ?? '') : quoted.replaceAll(/\\(.)/g, '$1')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
