import { AppError } from '../base/error.ts'
import { formatSize } from '../base/size.ts'
import { httpOptions } from '../http/options.ts'
import { join } from '../base/path.ts'
import { readonly } from '../layers/readonly.ts'
import type { Handler } from '../http/message.ts'
import { originOptions } from '../origin/options.ts'
import { writable } from '../origin/writable.ts'
import { vfsOptions } from '../vfs/options.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { Writes } from '../vfs/write.ts'
import type { Mount, Mounts } from './mounts.ts'
import { withoutSecrets } from './secrets.ts'
import type { ServerParts } from './server.ts'

export interface Reading {
  /** What the server shows, and its tree. */
  readonly mounts: Mounts | undefined
  readonly root: Vfs | undefined
}

/** Where uploads go. */
export interface Uploads extends Mounts {
  /** What is read at the same path is what is written. */
  readonly follow: boolean
  /** Something at a path was changed. */
  changed(path: string): void
}

/**
 * Opens what uploads go into: what `--write` names, or, with rules that let somebody write, what is served. Undefined when there
 * are no uploads. Throws `not-found` when the place to write to is not there.
 */
export async function openUploads(
  parts: ServerParts,
  { mounts, root }: Reading,
  allowed: boolean,
): Promise<Uploads | undefined> {
  const { write } = parts.get(originOptions)
  if (write === '')
    return allowed && mounts ? { ...mounts, follow: true, changed: (path) => void root?.forget(path) } : undefined
  const remotes = await parts.remotes()
  const settings = { exec: parts.exec ?? true }
  const opened = await remotes.open(write, settings)
  if (opened.info.traits.emptyDirectories && (await opened.stat(parts.ctx, ''))?.kind !== 'directory')
    throw new AppError(
      'not-found',
      `directory not found: ${write}. Make it first: --write takes uploads into a folder that is there`,
    )
  const remote = withoutSecrets(parts, opened)
  let same: Mount | undefined
  for (const mount of mounts?.all ?? []) if ((await remotes.open(mount.spec, settings)) === opened) same = mount
  return {
    spec: write,
    remote,
    description: remote.info.description,
    all: [{ name: '', spec: write, remote }],
    follow: same?.name === '',
    changed: (path) => void (same && root?.forget(join(same.name, path))),
  }
}

/** Origins whose web pages may change something here; `*` = any. */
export function writingOrigins({ get }: Pick<ServerParts, 'get'>): readonly string[] {
  return get(originOptions).cors === 'off' ? get(httpOptions).allowOrigin : ['*']
}

/** Puts uploads around a handler that reads; undefined = a server that only takes. */
export function withUploads(parts: ServerParts, uploads: Uploads, read: Handler | undefined): Handler {
  const { maxUpload, noHoles } = parts.get(originOptions)
  const { follow, description } = uploads
  const remote = parts.get(vfsOptions).readOnly ? readonly(uploads.remote) : uploads.remote
  const writes = new Writes({ remote, tempDir: parts.tempDir, changed: (path) => uploads.changed(path) })
  parts.ctx.log.info(
    `taking uploads into ${description}, of ${maxUpload < 0 ? 'any size' : `up to ${formatSize(maxUpload)}`}`,
  )
  return writable({
    ctx: parts.ctx,
    tree: { remote, writes },
    most: maxUpload < 0 ? Infinity : maxUpload,
    holes: !noHoles,
    origins: writingOrigins(parts),
    read,
    follow,
  })
}
