import { randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { bodyOf, collect } from '../base/body.ts'
import { derive } from '../base/derive.ts'
import { AppError } from '../base/error.ts'
import type { Range } from '../base/range.ts'
import type { Context } from '../core/context.ts'
import { evaluate } from '../http/conditional.ts'
import { textResponse } from '../http/error.ts'
import type { HeaderList, HttpRequest, HttpResponse } from '../http/message.ts'
import { contentRange, gpacRanges, multipart, selectRanges } from '../http/range.ts'
import type { FileEntry } from '../remote/remote.ts'
import type { FileNode } from '../vfs/node.ts'
import { Descriptions, validators } from './describe.ts'
import { isPlain } from './plain.ts'
import type { Description } from './describe.ts'
import { tracked } from './tracked.ts'

/** Whether parts of files may be asked for: `none` says that they may not, `silent` (--no-seek) says nothing. */
export type Ranges = 'bytes' | 'none' | 'silent'

/** Files up to this size are kept in memory while they are asked for and unchanged. */
const smallFile = 64 * 1024
const smallFiles = 32 * 1024 * 1024

/** A small file, ready to be sent. */
interface Ready {
  readonly headers: HeaderList
  readonly bytes: Uint8Array
}

/** Answers GET and HEAD of files. */
export class Files {
  readonly #ranges: Ranges
  readonly #joinsRanges: boolean
  readonly #descriptions = new Descriptions()
  readonly #ready = new LRUCache<FileEntry, Ready>({
    maxSize: smallFiles,
    sizeCalculation: ({ bytes }) => bytes.length + 1024,
  })

  /** `joinsRanges`: GPAC's clients get several parts as they ask for them, one behind the other. */
  constructor(ranges: Ranges, { joinsRanges = false }: { readonly joinsRanges?: boolean } = {}) {
    this.#ranges = ranges
    this.#joinsRanges = joinsRanges
  }

  /**
   * A small file that was just seen unchanged (`Tree.peek`), from memory and without a promise; undefined when it is not in
   * memory, when more than the file itself is asked for, or when a bandwidth limit is in force.
   */
  hot(ctx: Context, request: HttpRequest, { entry }: FileNode): HttpResponse | undefined {
    const ready = this.#ready.get(entry)
    return ready && ctx.stats.unlimited && isPlain(request) ? send(ctx, request, ready) : undefined
  }

  /**
   * Decides by the conditions and the range of the request what to send, then opens the file. `keep` says that `Tree.peek`
   * will tell when the file changes, so that a small one may be kept in memory. Throws what the storage throws.
   */
  async serve(ctx: Context, request: HttpRequest, node: FileNode, keep = false): Promise<HttpResponse> {
    const { size } = node.entry
    const small = keep && size > 0 && size <= smallFile && ctx.stats.unlimited && isPlain(request)
    const description = await this.#descriptions.of(ctx, node)
    return small
      ? await this.#makeReady(ctx, request, node, description)
      : await this.#decide(ctx, request, node, description)
  }

  async #makeReady(
    ctx: Context,
    request: HttpRequest,
    node: FileNode,
    description: Description,
  ): Promise<HttpResponse> {
    const { entry } = node
    const bytes = await collect(await node.open(ctx), smallFile)
    if (bytes.length !== entry.size)
      throw new AppError('io', `${entry.path} has ${bytes.length} bytes, ${entry.size} were expected`)
    const ready = { headers: this.#headers(description), bytes }
    this.#ready.set(entry, ready)
    return send(ctx, request, ready)
  }

  #headers(description: Description): HeaderList {
    const headers = ['content-type', description.contentType, ...validators(description)]
    if (this.#ranges !== 'silent') headers.push('accept-ranges', this.#ranges)
    return headers
  }

  #decide(
    ctx: Context,
    request: HttpRequest,
    node: FileNode,
    description: Description,
  ): HttpResponse | Promise<HttpResponse> {
    const { entry } = node
    const verdict = evaluate(request, { etag: description.etag, modTime: entry.modTime })
    if (verdict === 'failed') return textResponse(412)
    if (verdict === 'not-modified') return { status: 304, headers: validators(description) }
    if (request.method === 'HEAD') return this.#head(entry, description)
    const wanted = verdict === 'ignore-range' || this.#ranges !== 'bytes' ? undefined : request.header('range')
    const joined = this.#joinsRanges && isGpac(request) ? gpacRanges(wanted, entry.size) : undefined
    if (joined) return this.#joined(ctx, node, description, joined)
    const ranges = selectRanges(wanted, entry.size)
    if (!ranges) return this.#whole(ctx, node, description)
    const [first] = ranges
    if (!first) return textResponse(416, undefined, ['content-range', contentRange(undefined, entry.size)])
    return ranges.length > 1 ? this.#parts(ctx, node, description, ranges) : this.#part(ctx, node, description, first)
  }

  #head({ size }: FileEntry, description: Description): HttpResponse {
    // A body of unknown length stands for the one that GET would send.
    if (size < 0) return { status: 200, headers: this.#headers(description), body: bodyOf() }
    return { status: 200, headers: this.#headers(description), length: size }
  }

  async #whole(ctx: Context, node: FileNode, description: Description): Promise<HttpResponse> {
    const { size, path } = node.entry
    const headers = this.#headers(description)
    const body = await node.open(ctx)
    return tracked(
      ctx,
      { status: 200, headers, length: size < 0 ? undefined : size },
      body,
      ctx.stats.transfer(path, size),
    )
  }

  async #part(ctx: Context, node: FileNode, description: Description, range: Range): Promise<HttpResponse> {
    const { size, path } = node.entry
    const headers = [...this.#headers(description), 'content-range', contentRange(range, size)]
    const length = range.end - range.start
    return tracked(ctx, { status: 206, headers, length }, await node.open(ctx, range), ctx.stats.transfer(path, length))
  }

  async #joined(
    ctx: Context,
    node: FileNode,
    description: Description,
    ranges: readonly Range[],
  ): Promise<HttpResponse> {
    const { size, path } = node.entry
    const length = ranges.reduce((sum, { start, end }) => sum + end - start, 0)
    const places = ranges.map(({ start, end }) => `${start}-${end - 1}/${size}`).join(', ')
    const headers = [...this.#headers(description), 'content-range', `bytes ${places}`]
    const body = derive(await node.open(ctx, ranges[0]), async function* parts(first) {
      yield* first
      for (const range of ranges.slice(1)) yield* await node.open(ctx, range)
    })
    return tracked(ctx, { status: 206, headers, length }, body, ctx.stats.transfer(path, length))
  }

  async #parts(
    ctx: Context,
    node: FileNode,
    description: Description,
    ranges: readonly Range[],
  ): Promise<HttpResponse> {
    const { size, path } = node.entry
    const first = await node.open(ctx, ranges[0])
    const { contentType } = description
    const file = { size, contentType, first, open: (range: Range) => node.open(ctx, range) }
    const parts = multipart(ranges, file, randomBytes(24).toString('hex'))
    const headers = this.#headers({ ...description, contentType: parts.contentType })
    return tracked(
      ctx,
      { status: 206, headers, length: parts.length },
      parts.body,
      ctx.stats.transfer(path, parts.length),
    )
  }
}

/** True for the client of GPAC. */
function isGpac(request: HttpRequest): boolean {
  return request.header('user-agent')?.startsWith('GPAC/') ?? false
}

/** True when nothing but the whole file can be the answer. */
function send(ctx: Context, request: HttpRequest, { headers, bytes }: Ready): HttpResponse {
  if (request.method === 'GET') ctx.stats.sent(bytes.length)
  // The headers are copied because those who come behind add theirs.
  return { status: 200, headers: headers.slice(), body: bytes, length: bytes.length }
}
