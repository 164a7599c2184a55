import { parseDuration } from '../../base/duration.ts'
import { AppError, messageOf } from '../../base/error.ts'
import type { Json } from '../../base/json.ts'
import type { Context } from '../../core/context.ts'
import { escapeXml, textOf } from '../../net/xml.ts'
import type { Place, StoreCommand } from '../../remote/object-store.ts'
import { GIVEN_UP_AFTER_MS } from '../../remote/partial.ts'
import { md5Header } from './client.ts'
import { findObject } from './find.ts'
import { pages } from './pages.ts'
import type { Store } from './store.ts'
import { cleanUp, listUnfinished } from './unfinished.ts'

type PlaceOf = (path: string) => Place
type Run = (ctx: Context, store: Store, command: StoreCommand, placeOf: PlaceOf) => Promise<Json>

const commands: Readonly<Record<string, Run>> = {
  'list-multipart-uploads': (ctx, store, _command, placeOf) => listUnfinished(ctx, store, placeOf('')),
  async cleanup(ctx, store, { opt }, placeOf) {
    const age = opt['max-age']
    await cleanUp(ctx, store, placeOf(''), age === undefined ? GIVEN_UP_AFTER_MS : parseDuration(age))
    return null
  },
  restore,
  versioning,
}

/** Runs a command of rclone's s3. Throws `unsupported` for one that is not known. */
export async function runCommand(ctx: Context, store: Store, command: StoreCommand, placeOf: PlaceOf): Promise<Json> {
  const run = Object.hasOwn(commands, command.name) ? commands[command.name] : undefined
  if (!run) throw new AppError('unsupported', 'command not found')
  return await run(ctx, store, command, placeOf)
}

/** Has archived objects brought back for some days: the one at the path, or all below. */
async function restore(
  ctx: Context,
  store: Store,
  { args: [path = ''], opt }: StoreCommand,
  placeOf: PlaceOf,
): Promise<Json> {
  const { lifetime = '', priority = '', description = '' } = opt
  const body = Buffer.from(
    `<RestoreRequest xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${[
      /^\d+$/.test(lifetime) ? `<Days>${lifetime}</Days>` : '',
      description === '' ? '' : `<Description>${escapeXml(description)}</Description>`,
      priority === '' ? '' : `<GlacierJobParameters><Tier>${escapeXml(priority)}</Tier></GlacierJobParameters>`,
    ].join('')}</RestoreRequest>`,
  )
  const results: Json[] = []
  for await (const place of objectsAt(ctx, store, placeOf(path))) {
    const call = { method: 'POST', ...place, query: { restore: '' }, headers: md5Header(body), body }
    const status = await store.client.run(ctx, call).then(() => 'OK', messageOf)
    results.push({ Status: status, Remote: place.key })
  }
  return results
}

/** The object at a place, or all below it. */
async function* objectsAt(ctx: Context, store: Store, place: Place): AsyncGenerator<Place> {
  const { bucket, key } = place
  if (bucket === '') throw new AppError('invalid', 'name a bucket')
  if (key !== '' && (await findObject(ctx, store, place))) {
    yield place
    return
  }
  const options = { bucket, prefix: key === '' ? '' : `${key}/`, recursive: true }
  for await (const { objects } of pages(ctx, store, options))
    for (const object of objects) yield { bucket, key: object.key }
}

/** Tells whether a bucket keeps old versions, after `Enabled` or `Suspended` said whether it shall. */
async function versioning(
  ctx: Context,
  store: Store,
  { args: [wanted] }: StoreCommand,
  placeOf: PlaceOf,
): Promise<Json> {
  const { bucket } = placeOf('')
  if (bucket === '') throw new AppError('invalid', 'name a bucket')
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
