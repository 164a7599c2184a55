import { throwIfAborted } from '../../base/abort.ts'
import type { Body, ByteSource } from '../../base/body.ts'
import { AppError } from '../../base/error.ts'
import type { Range } from '../../base/range.ts'
import type { Context } from '../../core/context.ts'
import type { Item } from './item.ts'

/** Reads a file of the cache at any place; what is missing is fetched first, or read past a cache that has no room for it. */
export class CacheReader implements ByteSource {
  readonly #ctx: Context
  readonly #item: Item
  readonly #range: Range
  #past: { at: number; readonly source: AsyncIterator<Uint8Array>; rest: Uint8Array } | undefined

  /** Of an item that was acquired: `close` releases it. */
  constructor(ctx: Context, item: Item, range: Range) {
    this.#ctx = ctx
    this.#item = item
    this.#range = range
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    const item = this.#item
    throwIfAborted(this.#ctx.signal)
    if (item.isWhole) return await item.read(into, position)
    const there = this.#goesPast(position) ? false : await item.need(position, this.#ctx.signal)
    if (!there) return await this.#readPast(into, position)
    const end = item.present.from(position)?.end ?? position
    return await item.read(into.subarray(0, end - position), position)
  }

  /** A file that is whole in the cache is one on the disk; until then each byte may have to be waited for. */
  sendTo(socket: number, position: number, count: number): number | undefined {
    return this.#item.isWhole ? this.#item.sendTo(socket, position, count) : undefined
  }

  async close(): Promise<void> {
    await this.#leavePast()
    this.#item.release()
  }

  /** Whoever reads past the cache goes on with it, until there is something in the cache again. */
  #goesPast(position: number): boolean {
    return this.#past?.at === position && !this.#item.present.has({ start: position, end: position + 1 })
  }

  async #readPast(into: Uint8Array, position: number): Promise<number> {
    if (this.#past?.at !== position) {
      await this.#leavePast()
      const body: Body = await this.#item.fetch(this.#ctx, { start: position, end: this.#range.end })
      this.#past = { at: position, source: body[Symbol.asyncIterator](), rest: new Uint8Array() }
    }
    const past = this.#past
    while (past.rest.length === 0) {
      const { done, value } = await past.source.next()
      if (done) throw new AppError('io', `the file ended at byte ${position}`)
      past.rest = value
    }
    const bytes = past.rest.subarray(0, into.length)
    into.set(bytes)
    past.rest = past.rest.subarray(bytes.length)
    past.at += bytes.length
    return bytes.length
  }

  async #leavePast(): Promise<void> {
    const past = this.#past
    this.#past = undefined
    await past?.source.return?.()
  }
}
