import { bodyOf, collect, type Body } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Context } from '../../core/context.ts'
import { unstopped } from '../../core/tidying.ts'
import { type Hasher, hasher } from '../../remote/hash.ts'
import { incoming } from '../../remote/incoming.ts'
import type { FileEntry, PutInfo, Remote, RemoteInfo } from '../../remote/remote.ts'
import type { Values } from '../../schema/option.ts'
import type { Composite } from './composite.ts'
import type { chunkerOptions } from './index.ts'
import { formatMetadata, LONGEST, looksLikeMetadata } from './metadata.ts'
import { type ChunkNames, newTxn } from './names.ts'
import { Splitter } from './split.ts'

type Options = Values<typeof chunkerOptions>

interface UploadParts {
  readonly inner: Remote
  readonly names: ChunkNames
  readonly config: Options
  readonly info: RemoteInfo
}

/** What an upload became: a file in one piece, or the parts of one. */
export type Stored = FileEntry | Omit<Composite, 'path'>

/** What has a name already. */
export interface Present {
  readonly main: FileEntry | undefined
  readonly chunks: readonly FileEntry[]
}

/** What came of a body, under names that nobody sees. */
interface Received {
  readonly path: string
  readonly info: PutInfo
  readonly txn: string
  /** Chunks that are stored; or the body itself, when it goes on to its place in one piece; or what is there already. */
  readonly chunks: readonly FileEntry[]
  readonly direct: Body | undefined
  readonly stored?: FileEntry
  readonly hashes: { readonly md5?: string; readonly sha1?: string }
  readonly split: boolean
}

/** One upload: the chunks come under hidden names, and become the file when all are there. */
export class Upload {
  readonly #parts: UploadParts

  constructor(parts: UploadParts) {
    this.#parts = parts
  }

  /** Takes the body, unless it is known to fit in one piece. Throws what it throws, and leaves nothing then. */
  async begin(ctx: Context, path: string, body: Body, info: PutInfo): Promise<Received> {
    const { size = -1 } = info
    const direct = await this.#direct(ctx, body, info)
    const common = { path, info, txn: newTxn() }
    if (direct?.whole) {
      const plain = { ...common, chunks: [], hashes: {}, split: false }
      if (size <= LONGEST) return { ...plain, direct: direct.body }
      return { ...plain, direct: undefined, stored: await this.#parts.inner.put(ctx, path, direct.body, info) }
    }
    const sums = this.#hashers(info)
    const splitter = new Splitter(
      summed(incoming(direct?.body ?? body, info, ctx.signal), sums),
      this.#parts.config.chunkSize,
    )
    const chunks: FileEntry[] = []
    try {
      let left = size
      do {
        const { chunkSize } = this.#parts.config
        const announced = size < 0 ? {} : { size: Math.min(left, chunkSize) }
        const target = this.#parts.names.of(path, chunks.length, common.txn)
        chunks.push(await this.#parts.inner.put(ctx, target, splitter.piece(), { ...described(info), ...announced }))
        left -= chunkSize
      } while (await splitter.more())
      const hashes = {
        ...this.#known(info),
        ...Object.fromEntries([...sums].map(([kind, sum]) => [kind, sum.digest()])),
      }
      return { ...common, chunks, direct: undefined, hashes, split: await this.#isSplit(ctx, chunks) }
    } catch (error) {
      await splitter.leave().catch(() => {})
      await this.#discard(ctx, chunks)
      throw error
    }
  }

  /** Puts what came in its place, and takes away what was there. That is not stopped halfway. */
  async finish(ctx: Context, received: Received, old: Present): Promise<Stored> {
    const { path, info, chunks, direct, stored } = received
    const last = unstopped(ctx)
    if (stored) {
      // What is smaller may be the metadata of a later upload.
      if (old.main && old.main.size > LONGEST) await this.#remove(last, old.chunks)
      return stored
    }
    try {
      await this.#refuseTaken(ctx, received, old)
      if (direct) {
        const { size = 0 } = info
        await this.#removeStale(last, old, size)
        return await this.#parts.inner.put(last, path, direct, info)
      }
      return received.split ? await this.#composed(last, received, old) : await this.#single(last, received, old)
    } catch (error) {
      await this.#discard(ctx, chunks)
      throw error
    }
  }

  /**
   * The body, and whether it may go to its place as it is: when it is small enough for that and does not look like metadata.
   * Undefined when it is not known to be small.
   */
  async #direct(ctx: Context, body: Body, info: PutInfo): Promise<{ body: Body; whole: boolean } | undefined> {
    const { config } = this.#parts
    const { size = -1 } = info
    if (size < 0 || size > config.chunkSize || config.metaFormat === 'none' || this.#describesAll) return undefined
    if (size > LONGEST) return { body, whole: true }
    const bytes = await collect(incoming(body, info, ctx.signal))
    return { body: bodyOf(bytes), whole: !looksLikeMetadata(bytes) }
  }

  async #single(ctx: Context, { path, chunks }: Received, old: Present): Promise<Stored> {
    const [chunk] = chunks as [FileEntry]
    await this.#removeStale(ctx, old, chunk.size)
    const stored = await this.#moved(ctx, chunk, path)
    await this.#remove(ctx, old.chunks)
    return stored
  }

  async #composed(ctx: Context, received: Received, old: Present): Promise<Stored> {
    const { path, info, chunks, hashes } = received
    const { inner, names, config } = this.#parts
    const renames = config.transactions === 'rename' || (config.transactions === 'auto' && inner.move !== undefined)
    const txn = renames ? '' : received.txn
    const stored: FileEntry[] = []
    for (const [index, chunk] of chunks.entries())
      stored.push(renames ? await this.#moved(ctx, chunk, names.of(path, index)) : chunk)
    const size = chunks.reduce((sum, chunk) => sum + chunk.size, 0)
    const kept = new Set(stored.map((chunk) => chunk.path))
    const stale = old.chunks.filter((chunk) => !kept.has(chunk.path))
    if (config.metaFormat === 'none') {
      await this.#remove(ctx, [...stale, ...(old.main ? [old.main] : [])])
      return { main: undefined, chunks: stored, txn }
    }
    const text = Buffer.from(formatMetadata({ size, chunks: chunks.length, ...hashes, txn }))
    const main = await inner.put(ctx, path, bodyOf(text), { ...described(info), size: text.length })
    await this.#remove(ctx, stale)
    return { main, chunks: stored, txn }
  }

  /** Whether what came is to be described by metadata, and not one plain file. */
  async #isSplit(ctx: Context, chunks: readonly FileEntry[]): Promise<boolean> {
    const [first] = chunks
    if (chunks.length > 1 || this.#parts.config.metaFormat === 'none' || this.#describesAll || !first) return true
    if (first.size > LONGEST) return false
    return looksLikeMetadata(await collect(await this.#parts.inner.open(ctx, first)))
  }

  /** Whether files in one piece need metadata too: for a checksum that the wrapped remote does not have at hand. */
  get #describesAll(): boolean {
    const { config, inner } = this.#parts
    const kind = /^(md5|sha1)all$/.exec(config.hashType)?.[1]
    return kind !== undefined && (!inner.info.hashes.includes(kind) || inner.info.traits.slowHash === true)
  }

  /** The checksums to be computed. */
  #hashers(info: PutInfo): Map<'md5' | 'sha1', Hasher> {
    const { hashType } = this.#parts.config
    if (hashType === 'none' || hashType.endsWith('quick')) return new Map()
    const kind = hashType.startsWith('md5') ? 'md5' : 'sha1'
    return info.hashes?.[kind] ? new Map() : new Map([[kind, hasher(kind)]])
  }

  /** The checksums that the source tells, of which one is kept. */
  #known({ hashes = {} }: PutInfo): { md5?: string; sha1?: string } {
    const { hashType } = this.#parts.config
    if (hashType === 'none') return {}
    const order = hashType.startsWith('md5') ? (['md5', 'sha1'] as const) : (['sha1', 'md5'] as const)
    const kinds = hashType.endsWith('quick') ? order : order.slice(0, 1)
    const kind = kinds.find((one) => hashes[one])
    return kind ? { [kind]: hashes[kind]?.toLowerCase() } : {}
  }

  async #refuseTaken(ctx: Context, { path, info }: Received, old: Present): Promise<void> {
    if (info.ifAbsent && (old.main || old.chunks.length > 0))
      throw new AppError('exists', 'there is a file of that name already')
    const found = old.main ?? (await this.#parts.inner.stat(ctx, path))
    if (found?.kind === 'directory') throw new AppError('is-directory', 'there is a directory of that name')
  }

  /** A small plain file beside chunks would be taken for their metadata: then the chunks go first. */
  async #removeStale(ctx: Context, old: Present, size: number): Promise<void> {
    if (size <= LONGEST) await this.#remove(ctx, old.chunks)
  }

  async #moved(ctx: Context, chunk: FileEntry, to: string): Promise<FileEntry> {
    const { inner } = this.#parts
    if (inner.move) return await inner.move(ctx, chunk, to)
    const copied = (await inner.copy?.(ctx, chunk, to)) as FileEntry
    await inner.remove(ctx, chunk)
    return copied
  }

  async #remove(ctx: Context, files: readonly FileEntry[]): Promise<void> {
    for (const file of files) await this.#parts.inner.remove(ctx, file).catch(ignoreMissing)
  }

  /** Removes what came, also when the work was stopped. */
  async #discard(ctx: Context, chunks: readonly FileEntry[]): Promise<void> {
    const last = ctx.with({ signal: AbortSignal.timeout(CLEAN_MS) })
    for (const chunk of chunks) await this.#parts.inner.remove(last, chunk).catch(() => {})
  }
}

const CLEAN_MS = 10_000

function ignoreMissing(error: unknown): void {
  if (!(error instanceof AppError && error.code === 'not-found')) throw error
}

/** Of what is known of a file that which holds for its parts. */
function described({ modTime, durable }: PutInfo): PutInfo {
  return { ...(modTime === undefined ? {} : { modTime }), ...(durable === undefined ? {} : { durable }) }
}

async function* summed(body: Body, sums: ReadonlyMap<string, Hasher>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of body) {
    for (const sum of sums.values()) sum.update(chunk)
    yield chunk
  }
}
