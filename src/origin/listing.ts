import { hash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Context } from '../core/context.ts'
import { join, nameOf } from '../base/path.ts'
import { toHttpDate } from '../base/time.ts'
import type { Nanoseconds } from '../base/time.ts'
import { evaluate } from '../http/conditional.ts'
import { textResponse } from '../http/error.ts'
import type { HeaderList, HttpRequest, HttpResponse } from '../http/message.ts'
import { preferredType } from '../http/negotiate.ts'
import type { Entry } from '../remote/remote.ts'
import type { Template } from '../template/template.ts'
import type { DirNode } from '../vfs/node.ts'
import { renderers } from './listing-form.ts'
import { policy, uploadPolicy } from './listing-page.ts'
import type { Form, Renderer, View } from './listing-view.ts'
import { orderOf, sortEntries } from './sort.ts'
import { templateData } from './template.ts'

export interface ListingSettings {
  /** A page of the user's own, instead of ours. */
  readonly template?: Template
  /** Directories can be downloaded as ZIP. */
  readonly zip: boolean
  /** Modification times are shown (not with --no-modtime). */
  readonly modTimes: boolean
  /** Heading of the page, when it is not the path. */
  readonly title?: string
}

/** Larger directories are sent as the storage gives them, unsorted, so that they need no memory. */
const mostSorted = 50_000
const cacheBytes = 32 * 1024 * 1024
/** How much of a streamed listing is sent at a time, in characters. */
const piece = 64 * 1024

/** What who asks may do. */
export interface Reader {
  /** Tells, by their paths, which of the folders may be named; absent = all. */
  readonly admits?: ((path: string) => boolean) | undefined
  /** Files may be added to the directory. */
  readonly upload?: boolean
}

interface Streamed {
  readonly headers: HeaderList
  /** False for an entry that is left out. */
  readonly named: (entry: Entry) => boolean
}

/** A rendered listing. */
interface Rendered {
  readonly bytes: Uint8Array
  readonly etag: string
  /** When the directory or something in it last changed. */
  readonly changed: Nanoseconds
}

/**
 * Answers GET and HEAD of directories, in the form that Accept asks for: a page (HTML), `application/json` or `text/plain`.
 *
 * The JSON is an array of `{"name", "url", "isDir", "size", "modTime"}`: `url` is the link relative to the directory, `size`
 * is in bytes, -1 when unknown and for directories, `modTime` is RFC 3339 in UTC and absent when unknown. The plain text has
 * a name in each line, directories end in `/`.
 */
export class Listings {
  readonly #settings: ListingSettings
  /** Pages by the array of entries they show: the tree gives the same array while the directory is unchanged. */
  readonly #pages = new WeakMap<readonly Entry[], Map<string, Rendered>>()
  readonly #sizes = new LRUCache<Rendered, () => void>({
    maxSize: cacheBytes,
    sizeCalculation: (_, page) => page.bytes.length + 1024,
    dispose: (forget) => forget(),
  })

  constructor(settings: ListingSettings) {
    this.#settings = settings
  }

  async answer(ctx: Context, request: HttpRequest, node: DirNode, reader: Reader = {}): Promise<HttpResponse> {
    const { admits, upload = false } = reader
    const begun = performance.now()
    const form = preferredType(request.header('accept'), ['text/html', 'application/json', 'text/plain'])
    const named = (entry: Entry) =>
      entry.kind !== 'directory' || !admits || admits(join(request.path, nameOf(entry.path)))
    const entries = only(await node.entries(ctx, mostSorted), named)
    const listed = performance.now()
    const query = new URLSearchParams(request.query)
    const view: View = { path: request.path, order: orderOf(query), upload, ...this.#settings }
    const own = entries && form === 'text/html' ? this.#settings.template : undefined
    const headers = headersOf(form, node, own === undefined && (upload ? uploadPolicy : policy))
    if (!entries) return this.#stream(ctx, node, renderers[form](view, undefined), { headers, named })

    const rendered = this.#rendered(node, entries, form, view, query)
    headers.push('etag', rendered.etag)
    headers.push(
      'server-timing',
      `list;dur=${(listed - begun).toFixed(1)}, render;dur=${(performance.now() - listed).toFixed(1)}`,
    )
    const verdict = evaluate(request, { etag: rendered.etag, modTime: rendered.changed })
    if (verdict === 'failed') return textResponse(412)
    if (verdict === 'not-modified') return { status: 304, headers: headers.slice(headers.indexOf('vary')) }
    return { status: 200, headers, body: rendered.bytes, length: rendered.bytes.length }
  }

  // oxlint-disable-next-line max-params -- they are what makes one page differ from another
  #rendered(node: DirNode, entries: readonly Entry[], form: Form, view: View, query: URLSearchParams): Rendered {
    const template = form === 'text/html' ? this.#settings.template : undefined
    const { key, descending } = view.order
    // A template sees the words of the query themselves.
    const variant = JSON.stringify([
      form,
      key,
      descending,
      view.path,
      view.upload,
      template && [query.get('sort'), query.get('order')],
    ])
    let pages = this.#pages.get(entries)
    if (!pages) this.#pages.set(entries, (pages = new Map<string, Rendered>()))
    const known = pages.get(variant)
    if (known) {
      this.#sizes.get(known)
      return known
    }
    const sorted = sortEntries(entries, view.order)
    const text = template
      ? template.render(templateData({ ...view, entries: sorted, query }))
      : whole(renderers[form](view, sorted), sorted)
    const bytes = Buffer.from(text)
    const rendered = {
      bytes,
      etag: `"${hash('sha1', bytes, 'base64url').slice(0, 20)}"`,
      changed: latest(node, entries),
    }
    pages.set(variant, rendered)
    const owner = pages
    this.#sizes.set(rendered, () => void owner.delete(variant))
    return rendered
  }

  #stream(ctx: Context, node: DirNode, renderer: Renderer, { headers, named }: Streamed): HttpResponse {
    async function* pieces(): AsyncGenerator<Uint8Array> {
      let text = renderer.head
      let index = 0
      for await (const entry of node.scan(ctx)) {
        if (named(entry)) text += renderer.row(entry, index++)
        if (text.length < piece) continue
        yield Buffer.from(text)
        text = ''
      }
      yield Buffer.from(text + renderer.tail)
    }
    return { status: 200, headers, body: pieces() }
  }
}

/** `guard`: what the page may load; false for a template of the user's, who decides that alone. */
function headersOf(form: Form, node: DirNode, guard: HeaderList | false): HeaderList {
  const headers = ['content-type', `${form}; charset=utf-8`, 'x-content-type-options', 'nosniff', 'vary', 'Accept']
  // The date of a directory says little about how long its listing stays true: ask each time.
  headers.push('cache-control', 'no-cache')
  if (form === 'text/html' && guard) headers.push(...guard)
  if (node.entry.modTime !== 0n) headers.push('last-modified', toHttpDate(node.entry.modTime))
  return headers
}

function whole(renderer: Renderer, entries: readonly Entry[]): string {
  let text = renderer.head
  for (let i = 0; i < entries.length; i++) text += renderer.row(entries[i] as Entry, i)
  return text + renderer.tail
}

/** The same array when nothing is left out, for which there may be a page. */
function only(entries: readonly Entry[] | undefined, named: (entry: Entry) => boolean): readonly Entry[] | undefined {
  return entries?.every(named) ? entries : entries?.filter(named)
}

function latest(node: DirNode, entries: readonly Entry[]): Nanoseconds {
  let time = node.entry.modTime
  for (const entry of entries) if (entry.modTime > time) time = entry.modTime
  return time
}
