import { parseDuration } from '../../base/duration.ts'
import { AppError } from '../../base/error.ts'
import type { Json } from '../../base/json.ts'
import type { Context } from '../../core/context.ts'
import { escapeXml, textOf } from '../../net/xml.ts'
import { md5Header, needBucket } from './client.ts'
import { find } from './find.ts'
import { descendants } from './listing.ts'
import type { Store } from './store.ts'
import { cleanUp, GIVEN_UP_AFTER_MS, listUnfinished } from './unfinished.ts'

/** What a command gets: words, and options by name. */
interface Wanted {
  readonly args: readonly string[]
  readonly opt: Readonly<Record<string, string>>
}

const commands: Readonly<Record<string, (ctx: Context, store: Store, wanted: Wanted) => Promise<Json>>> = {
  'list-multipart-uploads': listUnfinished,
  async cleanup(ctx, store, { opt }) {
    const age = opt['max-age']
    await cleanUp(ctx, store, age === undefined ? GIVEN_UP_AFTER_MS : parseDuration(age))
    return null
  },
  restore,
  versioning,
}

/** Runs a command of rclone's s3. Throws `unsupported` for one that is not known. */
export async function command(ctx: Context, store: Store, name: string, wanted: Wanted): Promise<Json> {
  const run = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!run) throw new AppError('unsupported', 'command not found')
  return await run(ctx, store, wanted)
}

/** Has archived objects brought back for some days: the one at the path, or all below. */
async function restore(ctx: Context, store: Store, { args, opt }: Wanted): Promise<Json> {
  const { lifetime = '', priority = '', description = '' } = opt
  const body = Buffer.from(
    `<RestoreRequest xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${[
      /^\d+$/.test(lifetime) ? `<Days>${lifetime}</Days>` : '',
      description === '' ? '' : `<Description>${escapeXml(description)}</Description>`,
      priority === '' ? '' : `<GlacierJobParameters><Tier>${escapeXml(priority)}</Tier></GlacierJobParameters>`,
    ].join('')}</RestoreRequest>`,
  )
  const results: Json[] = []
  const one = async (path: string) => {
    const call = { method: 'POST', ...store.places.of(path), query: { restore: '' }, headers: md5Header(body), body }
    const status = await store.client.run(ctx, call).then(
      () => 'OK',
      (error: unknown) => String(error instanceof Error ? error.message : error),
    )
    results.push({ Status: status, Remote: path })
  }
  const [path = ''] = args
  const entry = await find(ctx, store, path)
  if (entry?.kind === 'file') await one(path)
  else for await (const below of descendants(ctx, store, path)) if (below.kind === 'file') await one(below.path)
  return results
}

/** Tells whether a bucket keeps old versions, after `Enabled` or `Suspended` said whether it shall. */
async function versioning(ctx: Context, store: Store, { args: [wanted] }: Wanted): Promise<Json> {
  const { bucket } = store.places.of('')
  needBucket(bucket)
  const query = { versioning: '' }
  if (wanted !== undefined) {
    if (wanted !== 'Enabled' && wanted !== 'Suspended')
      throw new AppError('invalid', 'versioning is "Enabled" or "Suspended"')
    const body = Buffer.from(
      `<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Status>${wanted}</Status></VersioningConfiguration>`,
    )
    await store.client.run(ctx, { method: 'PUT', bucket, query, headers: md5Header(body), body })
  }
  const answer = await store.client.document(ctx, { method: 'GET', bucket, query })
  return textOf(answer, 'Status') || 'Unversioned'
}
