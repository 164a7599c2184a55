import assert from 'node:assert/strict'
import { bodyOf, collect, type Body } from '../../src/base/body.ts'
import { AppError, type ErrorCode } from '../../src/base/error.ts'
import type { Context } from '../../src/core/context.ts'
import { extend } from '../../src/layers/extend.ts'
import type { Entry, FileEntry, PutInfo, Remote } from '../../src/remote/remote.ts'

/** Fails unless the work throws an AppError of one of these codes. */
export async function rejectsWith(work: Promise<unknown>, ...codes: ErrorCode[]): Promise<void> {
  await assert.rejects(work, (error: unknown) => {
    assert.ok(error instanceof AppError, `not an AppError: ${String(error)}`)
    assert.ok(codes.includes(error.code), `code ${error.code}, not ${codes.join(' or ')}: ${error.message}`)
    return true
  })
}

/** All children of a directory, by path. */
export async function listed(ctx: Context, remote: Remote, dir: string): Promise<Map<string, Entry>> {
  const found = new Map<string, Entry>()
  for await (const entry of remote.list(ctx, dir)) {
    assert.ok(!found.has(entry.path), `${entry.path} is listed twice`)
    found.set(entry.path, entry)
  }
  return found
}

export async function fileAt(ctx: Context, remote: Remote, path: string): Promise<FileEntry> {
  const entry = await remote.stat(ctx, path)
  if (entry?.kind !== 'file') assert.fail(`${path} is not a file`)
  return entry
}

/** The bytes of a file. */
export async function bytesAt(ctx: Context, remote: Remote, path: string): Promise<Buffer> {
  return Buffer.from(await collect(await remote.open(ctx, await fileAt(ctx, remote, path))))
}

export async function putText(
  ctx: Context,
  remote: Remote,
  path: string,
  text: string,
  info: PutInfo = {},
): Promise<FileEntry> {
  return await remote.put(ctx, path, bodyOf(text), { size: Buffer.byteLength(text), ...info })
}

/** The remote as one whose listings tell when a file was uploaded: now, for all of them. */
export function uploadedNow(inner: Remote): Remote {
  const uploaded = (entry: Entry): Entry =>
    entry.kind === 'file' ? { ...entry, modTime: 9_000_000_000n, timeOfUpload: true } : entry
  return extend(inner, {
    async *list(ctx, dir) {
      for await (const entry of inner.list(ctx, dir)) yield uploaded(entry)
    },
  })
}

/** Bytes that come one by one chunk and then fail. */
export async function* failing(chunks: readonly string[], error: Error): Body & AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk)
  throw error
}

/** A body that gives one chunk and then keeps everybody waiting. */
export async function* hanging(first: string): Body & AsyncGenerator<Uint8Array> {
  yield Buffer.from(first)
  // The longest timer: the loop stays alive for as long as the test runs.
  await new Promise((resolve) => setTimeout(resolve, 2 ** 30).unref())
}
