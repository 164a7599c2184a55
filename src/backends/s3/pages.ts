import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
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

/** A page that is on its way. */
interface Coming {
  readonly page: Promise<Read>
  /** What asks for the next page, as soon as that is known; undefined at the end, and for a page that fails. */
  readonly next: Promise<Query | undefined>
}

/**
 * The pages of a listing (ListObjectsV2, ListObjects, ListObjectVersions). The next one is asked for while one still comes in
 * and is looked at; where only some entries are wanted (`limit`), no more than are needed.
 */
export async function* pages(ctx: Context, store: Store, options: PagesOptions): AsyncGenerator<ListedPage> {
  if (options.limit !== undefined) {
    yield* pagesUntilAny(ctx, store, options)
    return
  }
  let coming: Coming | undefined = begin(ctx, store, options, {})
  while (coming) {
    const { page, next }: Coming = coming
    const following = next.then((query) => query && begin(ctx, store, options, query))
    const read = await page
    coming = await following
    yield read
  }
}

async function* pagesUntilAny(ctx: Context, store: Store, options: PagesOptions): AsyncGenerator<ListedPage> {
  for (let from: Query | undefined = {}; from;) {
    const page: Read = await readPage(ctx, store, options, from)
    yield page
    from = page.objects.length + page.prefixes.length > 0 ? undefined : page.next
  }
}

/** The first page alone: to see whether there is anything. */
export async function firstPage(ctx: Context, store: Store, options: PagesOptions): Promise<ListedPage> {
  return await readPage(ctx, store, options, {})
}

function begin(ctx: Context, store: Store, options: PagesOptions, from: Query): Coming {
  const next = Promise.withResolvers<Query | undefined>()
  const page = readPage(ctx, store, options, from, next.resolve)
  page.then((read) => next.resolve(read.next)).catch(() => next.resolve(undefined))
  return { page, next: next.promise }
}

type Form = 'v1' | 'v2' | 'versions'

/** `known` is told what asks for the next page when that comes before the entries. */
async function readPage(
  ctx: Context,
  store: Store,
  options: PagesOptions,
  from: Query,
  known?: (next: Query) => void,
): Promise<Read> {
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
  return await client.again(ctx, async () => {
    const { body } = await client.send(ctx, { method: 'GET', bucket, query })
    return await parse(xmlElements(body, ...parts), { form, encoded, known })
  })
}

const objectNames = ['Contents', 'Version', 'DeleteMarker']
const markers = ['NextContinuationToken', 'NextMarker', 'NextKeyMarker', 'NextVersionIdMarker']
const parts = [...objectNames, 'CommonPrefixes', 'IsTruncated', ...markers]

interface Parsing {
  readonly form: Form
  /** Names are percent-encoded. */
  readonly encoded: boolean
  readonly known: ((next: Query) => void) | undefined
}

async function parse(elements: AsyncIterable<XmlElement>, { form, encoded, known }: Parsing): Promise<Read> {
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
    if (objects.length + prefixes.length === 1 && said.IsTruncated === 'true' && said[leading[form]])
      known?.(continued[form](said, ''))
  }
  const next = said.IsTruncated === 'true' ? continued[form](said, lastOf({ objects, prefixes })) : undefined
  return { objects, prefixes, next }
}

/** What tells how a listing goes on, in stores that do not leave it to the last name. */
const leading: Readonly<Record<Form, string>> = {
  v1: 'NextMarker',
  v2: 'NextContinuationToken',
  versions: 'NextKeyMarker',
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
