import { setTimeout as sleep } from 'node:timers/promises'
import { orAbort } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { AppError, isOutage, toAppError } from '../base/error.ts'
import { usefulType } from '../base/mime.ts'
import type { Context } from '../core/context.ts'
import { evaluate } from '../http/conditional.ts'
import { textResponse } from '../http/error.ts'
import type { Handler, HttpRequest, HttpResponse } from '../http/message.ts'
import { foreignPage } from '../http/same-site.ts'
import { encodePath } from '../http/target.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import type { Coming } from '../vfs/storing.ts'
import type { Arrival, WriteHandle, Writes } from '../vfs/write.ts'
import { entityTag } from './describe.ts'
import { isPacked, refuseCoding, unpacked } from './content-coding.ts'
import { Digests } from './digest.ts'
import { isPart, type Part, partOf, patched } from './part.ts'

/** Where uploads go. */
export interface WritableTree {
  readonly remote: Remote
  readonly writes: Writes
}

export interface UploadSettings {
  /** Of the server: what came whole is stored although its client has left, as packagers do that read no answers. */
  readonly ctx: Context
  readonly tree: WritableTree
  /** Largest file, bytes; Infinity = any. */
  readonly most: number
  /** Bytes may be left out between the end of a file and a part that is added; they become zeros. */
  readonly holes: boolean
  /** Origins whose web pages may upload; `*` = any. */
  readonly origins: readonly string[]
  /** False: a power cut may lose what was just stored (`PutInfo.durable`). Default true. */
  readonly durable?: boolean
  /** Throws when there is no place for another file. */
  readonly admit?: () => void
  /**
   * A folder for live media: what is refused is heard out before it is answered, for packagers give up when they are cut off
   * (live.md 0, fact 3), and a folder goes with its last file (live.md 3.6).
   */
  readonly live?: boolean
}

/** The methods that change something. */
export const changing: readonly string[] = ['PUT', 'POST', 'PATCH', 'DELETE']

/**
 * PUT and POST store a file, whole or a part of it; PATCH stores a part; DELETE removes. A file gets its name when all of it
 * is stored and checked, so that what was there before stays when anything goes wrong (httpout.md 3.3).
 */
export function uploadHandler(settings: UploadSettings): Handler {
  return async function upload({ signal }, request) {
    const foreign = foreignPage(request, settings.origins)
    if (foreign !== undefined) throw new AppError('denied', foreign)
    if (request.method === 'DELETE') return await remove(settings.ctx, request, settings)
    if (request.lengthless) return textResponse(411, 'A body needs Content-Length or Transfer-Encoding: chunked')
    return await store(signal, request, settings)
  }
}

/** How long a removal waits for the upload of the same file to end, ms. */
const PATIENCE_MS = 5000

async function remove(
  ctx: Context,
  request: HttpRequest,
  { tree, live = false }: UploadSettings,
): Promise<HttpResponse> {
  const { path } = request
  const answer = await inTurn(tree.writes, path, async () => {
    const entry = path === '' ? undefined : await tree.remote.stat(ctx, path)
    if (!entry) return textResponse(path === '' ? 403 : 404)
    if (entry.kind === 'directory') throw new AppError('is-directory', 'a folder is not removed')
    if (failsConditions(request, entry)) return textResponse(412)
    await tree.remote.remove(ctx, entry)
    tree.writes.forget(path)
    return { status: 204, headers: [] }
  })
  if (live && answer.status === 204) await tree.writes.prune(ctx, path)
  return answer
}

/** A packager may remove what it has just sent and what is still on its way to the disk, and then send a part of it anew. */
async function inTurn(writes: Writes, path: string, work: () => Promise<HttpResponse>): Promise<HttpResponse> {
  const arrival = writes.arrive(path)
  try {
    await Promise.race([arrival.first(), sleep(PATIENCE_MS, undefined, { ref: false })])
    return await writes.exclusive(path, work)
  } finally {
    arrival.end()
  }
}

async function store(signal: AbortSignal, request: HttpRequest, settings: UploadSettings): Promise<HttpResponse> {
  // Before anything is waited for: publishers send the next version without reading the answer to this one.
  const arrival = settings.tree.writes.arrive(request.path)
  try {
    // Parts are put into what is there: of two at a time the later one would undo the other.
    if (isPart(request)) await orAbort(signal, arrival.first())
    return await storeInTurn(settings.ctx, request, settings, arrival)
  } catch (reason) {
    if (settings.live) await drained(request.body)
    const answer = misplaced(reason)
    if (answer) return answer
    throw reason
  } finally {
    arrival.end()
  }
}

/** Says of a place where no file can be what is wrong with it: nothing is missing. */
function misplaced(reason: unknown): HttpResponse | undefined {
  const { code } = toAppError(reason)
  if (code === 'not-directory') return textResponse(409, 'A file lies where a folder would have to be')
  return code === 'not-found' ? textResponse(400, 'A file of this name cannot be stored here') : undefined
}

async function storeInTurn(
  ctx: Context,
  request: HttpRequest,
  settings: UploadSettings,
  arrival: Arrival,
): Promise<HttpResponse> {
  const { tree } = settings
  const { path, method } = request
  const refused = refuseCoding(request)
  if (refused) return refused
  if (path === '' || request.directory) {
    // Encoders ask so whether they may publish here (DASH-IF Live Media Ingest).
    if (settings.live && request.contentLength === 0) return { status: 200, headers: [] }
    throw new AppError('is-directory', 'a file can only be stored under a name')
  }
  const old = await oldFile(ctx, tree.remote, request)
  if (failsConditions(request, old)) return textResponse(412)
  const part = partOf(request, old?.size ?? 0)
  if (method === 'PATCH' && !part) return patchNeedsPart()
  refuseSize(request, part, old?.size ?? 0, settings)
  settings.admit?.()
  const handle = await tree.writes.open(ctx, path, putInfo(request, part, settings), arrival)
  return answer(request, await fill(ctx, request, handle, { settings, part, old }))
}

/** Throws `too-large`, and `range` for a part that would leave bytes out where that is not wanted. */
function refuseSize(request: HttpRequest, part: Part | undefined, old: number, settings: UploadSettings): void {
  const largest = part ? Math.max(part.start, part.end ?? 0, part.total ?? 0) : (request.contentLength ?? 0)
  if (largest > settings.most) throw tooLarge(settings.most)
  // A file that is not there yet begins at its beginning.
  const holes = settings.holes && old > 0
  if (part && part.start > old && !holes) throw new AppError('range', `the file ends at byte ${old}`)
}

function putInfo(request: HttpRequest, part: Part | undefined, { durable }: UploadSettings): Coming {
  // Packagers send `*` for a type.
  const contentType = usefulType(request.header('content-type'))
  const size = part || isPacked(request) ? undefined : request.contentLength
  return {
    ...(size === undefined ? {} : { size }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(request.header('if-none-match') === '*' ? { ifAbsent: true } : {}),
    unsure: judged.some((name) => request.header(name) !== undefined),
    ...(durable === undefined ? {} : { durable }),
  }
}

function patchNeedsPart(): HttpResponse {
  return textResponse(405, 'PATCH needs a Content-Range', ['allow', 'GET, HEAD, OPTIONS, PUT, POST, DELETE'])
}

interface Filling {
  readonly settings: UploadSettings
  readonly part: Part | undefined
  readonly old: FileEntry | undefined
}

interface Filled {
  /** Undefined when a newer version has its name. */
  readonly stored: FileEntry | undefined
  /** There was a file of that name. */
  readonly replaced: boolean
}

/** Takes the body in, checks it, and has the file get its name. Gives what is there then. */
async function fill(
  ctx: Context,
  request: HttpRequest,
  handle: WriteHandle,
  { settings, part, old }: Filling,
): Promise<Filled> {
  const { tree, most } = settings
  // What came with another version before this one is replaced by it.
  let replaced = old !== undefined
  try {
    const [sent, file] = [new Digests(request, 'content-digest'), new Digests(request, 'repr-digest')]
    const transfer = ctx.stats.transfer(handle.path, request.contentLength ?? -1)
    const coming = transfer.account(sent.over(request.body), () => ctx.signal)
    const packed = isPacked(request)
    // To HTTP a coding is a part of the file, so that both sums are of what is packed.
    const body = limited(packed ? unpacked(file.over(coming)) : coming, {
      start: part?.start ?? 0,
      most,
      refuse: settings.live ? (reason) => handle.abort(reason) : undefined,
    })
    try {
      const whole = part ? patched(part, body, reader(ctx, tree.remote, old)) : body
      for await (const chunk of packed ? whole : file.over(whole)) await handle.write(chunk)
      sent.check()
      file.check()
      const stored = await handle.commit(async () => {
        const now = await oldFile(ctx, tree.remote, request)
        replaced = now !== undefined
        if (failsConditions(request, now)) throw new AppError('precondition', 'another version came in between')
      })
      transfer.done()
      return { stored, replaced: replaced || stored === undefined }
    } catch (reason) {
      transfer.done(toAppError(reason))
      throw reason
    }
  } catch (reason) {
    await handle.abort(reason)
    throw reason
  }
}

interface Limit {
  /** Place in its file of the first byte. */
  readonly start: number
  readonly most: number
  /** Called as soon as a body goes too far, of which the rest is then heard out; absent = it ends there. */
  readonly refuse: ((reason: AppError) => Promise<void>) | undefined
}

/** Ends with `too-large` when a body goes further than allowed. */
async function* limited(body: Body, { start, most, refuse }: Limit): AsyncGenerator<Uint8Array> {
  let end = start
  let reason: AppError | undefined
  for await (const chunk of body) {
    end += chunk.length
    if (end <= most) yield chunk
    else if (!reason) {
      reason = tooLarge(most)
      if (!refuse) throw reason
      await refuse(reason)
    }
  }
  if (reason) throw reason
}

/** Reads a body to its end, and drops it. */
async function drained(body: Body): Promise<void> {
  try {
    const chunks = body[Symbol.asyncIterator]()
    while (!(await chunks.next()).done);
  } catch {
    // the client has left
  }
}

function reader(ctx: Context, remote: Remote, old: FileEntry | undefined) {
  return {
    size: old?.size ?? 0,
    async *open(start: number, end: number): AsyncGenerator<Uint8Array> {
      try {
        yield* await remote.open(ctx, old as FileEntry, { start, end })
      } catch (reason) {
        // A whole file that came later does not wait for the parts of the one before it.
        if (toAppError(reason).code !== 'not-found') throw reason
        throw new AppError('exists', 'another version came in between: send this part again if that needs it')
      }
    },
  }
}

/** Headers with a condition. */
const conditions = ['if-match', 'if-none-match', 'if-unmodified-since']
/** Headers that make an upload depend on what is there. */
const dependent = [...conditions, 'content-range', 'range']
/** Headers of what is judged when all of it has come. */
const judged = [...conditions, 'content-digest', 'repr-digest']

/**
 * The file that an upload replaces. None, when its storage cannot be asked but keeps uploads meanwhile, and the request asks
 * for nothing that depends on it.
 */
async function oldFile(ctx: Context, remote: Remote, request: HttpRequest): Promise<FileEntry | undefined> {
  try {
    return await fileAt(ctx, remote, request.path)
  } catch (error) {
    const waits = remote.info.traits.keepsUploads && isOutage(error)
    if (!waits || dependent.some((name) => request.header(name) !== undefined)) throw error
    return undefined
  }
}

/** The file at a path; undefined when there is none. Throws `is-directory`. */
async function fileAt(ctx: Context, remote: Remote, path: string): Promise<FileEntry | undefined> {
  const entry = await remote.stat(ctx, path)
  if (entry?.kind === 'directory') throw new AppError('is-directory', 'there is a folder of that name')
  return entry
}

function failsConditions(request: HttpRequest, entry: FileEntry | undefined): boolean {
  const known = entry ? { etag: entityTag(entry), modTime: entry.modTime, exists: true } : { exists: false }
  return evaluate(request, known) === 'failed'
}

function answer(request: HttpRequest, { stored, replaced }: Filled): HttpResponse {
  const etag = stored && entityTag(stored)
  const headers = etag === undefined ? [] : ['etag', etag]
  if (replaced) return { status: 204, headers }
  const location = `${encodePath(request.base)}/${encodePath(request.path)}`
  return { status: 201, headers: ['location', location, ...headers], length: 0 }
}

function tooLarge(most: number): AppError {
  return new AppError('too-large', `a file may have ${most} bytes at most: see --max-upload`)
}
