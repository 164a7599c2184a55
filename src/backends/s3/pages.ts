import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { retry, retryPolicy } from '../../layers/retry.ts'
import { childOf, textOf, type XmlElement, xmlElements } from '../../net/xml.ts'
import type { PageOptions } from '../../remote/object-store.ts'
import type { Store } from './store.ts'

type Query = Readonly<Record<string, string>>

/** A part of a listing, as one request gives it. */
export interface ListedPage {
  /** `<Contents>`, or `<Version>` and `<DeleteMarker>`, each with its key. */
  readonly objects: readonly Listed[]
  /** What goes on behind the next slash, slash included. */
  readonly prefixes: readonly string[]
}

/** An object in a listing. */
export interface Listed {
  readonly key: string
  readonly element: XmlElement
  /** The version, where it is not simply the latest. */
  readonly id?: string
}

interface PagesOptions extends PageOptions {
  /** All versions of each object. */
  readonly versions?: boolean
}

interface Read extends ListedPage {
  /** What asks for the next page; undefined at the end. */
  readonly next: Query | undefined
}

/** The pages of a listing (ListObjectsV2, ListObjects, ListObjectVersions). The next one is asked for while one is looked at. */
export async function* pages(ctx: Context, store: Store, options: PagesOptions): AsyncGenerator<ListedPage> {
  let page = await readPage(ctx, store, options, {})
  while (page.next) {
    const next = readPage(ctx, store, options, page.next)
    next.catch(() => {})
    yield page
    page = await next
  }
  yield page
}

/** The first page alone: to see whether there is anything. */
export async function firstPage(ctx: Context, store: Store, options: PagesOptions): Promise<ListedPage> {
  return await readPage(ctx, store, options, {})
}

type Form = 'v1' | 'v2' | 'versions'

async function readPage(ctx: Context, store: Store, options: PagesOptions, from: Query): Promise<Read> {
  const { quirks, client } = store
  const { listVersion, listUrlEncode, listChunk } = store.options
  const { bucket, prefix, recursive, limit = listChunk } = options
  const form = options.versions
    ? 'versions'
    : listVersion === 1 || (listVersion === 0 && quirks.oldListing)
      ? 'v1'
      : 'v2'
  const encoded = listUrlEncode ?? !quirks.plainListing
  const query: Query = {
    ...(form === 'v2' ? { 'list-type': '2' } : form === 'versions' ? { versions: '' } : {}),
    prefix,
    ...(recursive ? {} : { delimiter: '/' }),
    'max-keys': String(limit),
    ...(encoded ? { 'encoding-type': 'url' } : {}),
    ...from,
  }
  return await retry(ctx, retryPolicy(ctx), async () => {
    const { body } = await client.send(ctx, { method: 'GET', bucket, query })
    return await parse(xmlElements(body, ...parts), form, encoded)
  })
}

const objectNames = ['Contents', 'Version', 'DeleteMarker']
const markers = ['NextContinuationToken', 'NextMarker', 'NextKeyMarker', 'NextVersionIdMarker']
const parts = [...objectNames, 'CommonPrefixes', 'IsTruncated', ...markers]

async function parse(elements: AsyncIterable<XmlElement>, form: Form, encoded: boolean): Promise<Read> {
  const decode = encoded ? decoded : (text: string) => text
  const objects: Listed[] = []
  const prefixes: string[] = []
  const said: Record<string, string> = {}
  for await (const element of elements) {
    const { name } = element
    // Names may begin and end with spaces, other texts don't.
    if (objectNames.includes(name)) objects.push({ key: decode(childOf(element, 'Key')?.text ?? ''), element })
    else if (name === 'CommonPrefixes') prefixes.push(decode(childOf(element, 'Prefix')?.text ?? ''))
    else said[name] = name.endsWith('Marker') ? decode(element.text) : element.text.trim()
  }
  const next = said.IsTruncated === 'true' ? continued[form](said, lastOf({ objects, prefixes })) : undefined
  return { objects, prefixes, next }
}

/** What asks for the page after one: by what that said, else by its last name. */
const continued: Readonly<Record<Form, (said: Readonly<Record<string, string>>, last: string) => Query>> = {
  v1: ({ NextMarker }, last) => ({ marker: NextMarker || last }),
  v2({ NextContinuationToken: token }) {
    if (token) return { 'continuation-token': token }
    throw new AppError('io', 'the store sent a listing that does not tell how it goes on: set list_version = 1')
  },
  versions: ({ NextKeyMarker, NextVersionIdMarker: version }, last) => ({
    'key-marker': NextKeyMarker || last,
    ...(version ? { 'version-id-marker': version } : {}),
  }),
}

function lastOf({ objects, prefixes }: ListedPage): string {
  const [key = '', prefix = ''] = [objects.at(-1)?.key, prefixes.at(-1)]
  return key > prefix ? key : prefix
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}

/** The text of an element of a listed object. */
export function fieldOf({ element }: Listed, name: string): string {
  return textOf(element, name) ?? ''
}
