import { AppError, toAppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { FileEntry, PutInfo, Remote } from '../remote/remote.ts'
import { DiskStore } from '../spool/disk.ts'
import { MemoryStore } from '../spool/memory.ts'
import { Spool } from '../spool/spool.ts'
import type { Store } from '../spool/store.ts'
import { TailStore } from '../spool/tail.ts'

/** Files up to this size (bytes) are held in memory while they are written; larger ones on disk. */
const IN_MEMORY = 256 * 1024

/** A file on its way into storage. */
export interface Storing {
  /** Takes the bytes, and lets others follow them. */
  readonly spool: Spool
  /** Why the storage takes no more. */
  failure(): AppError | undefined
  /** Everything is in the spool: gives the file its name. A spool that is completed otherwise is not stored. */
  finish(): Promise<FileEntry>
  /** Nothing more will come. Resolves when the storage has let go of a file that has not got its name. */
  end(): Promise<void>
}

/** What is known of a file before it comes. */
export interface Coming extends PutInfo {
  /** It may be refused at its end: who follows it is not told its size, so that the last byte is no end for them. */
  readonly unsure?: boolean
}

/** Where a file goes. */
export interface Destination {
  readonly remote: Remote
  readonly path: string
  readonly info: Coming
  /** Directory for temporary files. */
  readonly tempDir: string
}

/** Begins to store a file: where it is to be, when the storage can be read meanwhile, else by way of a temporary file. */
export async function storing(ctx: Context, to: Destination): Promise<Storing> {
  const { remote, info } = to
  const small = info.size !== undefined && info.size <= IN_MEMORY
  if (small || remote.info.type === 'memory') return uploading(ctx, to, new MemoryStore())
  if (remote.openWriter) return await inPlace(ctx, to)
  return uploading(ctx, to, new TailStore(await DiskStore.open(to.tempDir)))
}

async function inPlace(ctx: Context, { remote, path, info }: Destination): Promise<Storing> {
  const writer = await remote.openWriter?.(ctx, path, info)
  if (!writer) throw new AppError('unsupported', `${remote.info.description} takes no files piece by piece`)
  const spool = spoolOver(new TailStore(writer), info)
  let named = false
  return {
    spool,
    failure: () => undefined,
    async finish() {
      spool.complete()
      const entry = await writer.commit()
      named = true
      return entry
    },
    async end() {
      if (!named) await writer.close()
    },
  }
}

/** By `put`, which reads what was written from the spool. */
function uploading(ctx: Context, { remote, path, info }: Destination, store: Store): Storing {
  const spool = spoolOver(store, info)
  let failure: AppError | undefined
  let finishing = false
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* spool.follow(undefined, { signal: ctx.signal, sealed: true })
    if (!finishing) throw new AppError('aborted', 'not wanted any more')
  }
  const stored = remote.put(ctx, path, source(), info)
  stored.catch((reason: unknown) => (failure = toAppError(reason)))
  return {
    spool,
    failure: () => failure,
    async finish() {
      finishing = true
      spool.complete()
      return await stored
    },
    async end() {
      await stored.catch(() => {})
    },
  }
}

function spoolOver(store: Store, { size, unsure = false }: Coming): Spool {
  return new Spool(store, size === undefined || unsure ? {} : { size })
}
