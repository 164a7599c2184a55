import { AppError } from '../base/error.ts'
import { formatSize } from '../base/size.ts'
import { httpOptions } from '../http/options.ts'
import { readonly } from '../layers/readonly.ts'
import type { Handler } from '../http/message.ts'
import { originOptions } from '../origin/options.ts'
import { writable } from '../origin/writable.ts'
import { vfsOptions } from '../vfs/options.ts'
import type { Vfs } from '../vfs/vfs.ts'
import { Writes } from '../vfs/write.ts'
import { withoutSecrets } from './secrets.ts'
import type { ServerParts } from './server.ts'

export interface Reading {
  /** What the server was told to serve, and its tree. */
  readonly spec: string | undefined
  readonly root: Vfs | undefined
  readonly handler: Handler
}

/**
 * Puts the uploads that `--write` allows around a handler that reads; gives that handler when there are none. Throws
 * `not-found` when the place to write to is not there.
 */
export async function withUploads(parts: ServerParts, { spec, root, handler }: Reading): Promise<Handler> {
  const { write, maxUpload, noHoles, cors } = parts.get(originOptions)
  if (write === '') return handler
  const remotes = await parts.remotes()
  const settings = { exec: parts.exec ?? true }
  const opened = await remotes.open(write, settings)
  if (opened.info.traits.emptyDirectories && (await opened.stat(parts.ctx, ''))?.kind !== 'directory')
    throw new AppError(
      'not-found',
      `directory not found: ${write}. Make it first: --write takes uploads into a folder that is there`,
    )
  const shown = withoutSecrets(parts, opened)
  const remote = parts.get(vfsOptions).readOnly ? readonly(shown) : shown
  const follow = spec !== undefined && (await remotes.open(spec, settings)) === opened
  const writes = new Writes({ remote, tempDir: parts.tempDir, changed: (path) => void (follow && root?.forget(path)) })
  parts.ctx.log.info(
    `taking uploads into ${remote.info.description}, of ${maxUpload < 0 ? 'any size' : `up to ${formatSize(maxUpload)}`}`,
  )
  return writable({
    ctx: parts.ctx,
    tree: { remote, writes },
    most: maxUpload < 0 ? Infinity : maxUpload,
    holes: !noHoles,
    origins: cors === 'off' ? parts.get(httpOptions).allowOrigin : ['*'],
    read: spec === undefined ? undefined : handler,
    follow,
  })
}
