import type { Readable } from 'node:stream'
import type { Context } from '../core/context.ts'
import type { Events } from '../core/events.ts'
import { httpOptions } from '../http/options.ts'
import type { UploadPaths } from '../http/exchange.ts'
import { Live } from '../media/live.ts'
import { isLongPost } from '../media/long-post.ts'
import { parseMount } from '../media/mount.ts'
import { liveOptions, mountDefaults } from '../media/options.ts'
import { isPlaylist } from '../base/mime.ts'
import { originOptions } from '../origin/options.ts'
import type { CommandIo } from './command.ts'
import { sourceOf } from './live-sources.ts'

export type LiveIo = Pick<CommandIo, 'env' | 'get' | 'remotes'> & {
  readonly ctx: Context
  readonly events: Events
  readonly stdin: Readable
  readonly exec?: boolean
  readonly version: string
}

/** The live mounts that the options of a server ask for. Their sources begin at once. Throws `usage`, and what a source is refused for. */
export async function openLive(io: LiveIo, locked: boolean): Promise<Live> {
  const options = io.get(liveOptions)
  const defaults = mountDefaults(options)
  const mounts = options.live.map((text) => parseMount(text, defaults))
  const exec = io.exec ?? true
  const parts = { ...io, remotes: await io.remotes(), exec, reach: exec ? undefined : ('public' as const) }
  const { cors } = io.get(originOptions)
  const live = new Live({
    ctx: io.ctx,
    events: io.events,
    origins: cors === 'off' ? io.get(httpOptions).allowOrigin : ['*'],
    locked,
    serverId: `sluice/${io.version}`,
    defaults,
    sourceOf: (mount, trust) => sourceOf({ ...parts, ...trust }, mount),
  })
  try {
    for (const mount of mounts) live.start(mount)
  } catch (error) {
    await live.close()
    throw error
  }
  return live
}

/** What a server with these mounts takes in: bodies without an end where they are, and playlists without delay. */
export function uploadPaths(live: Live, { earlyContinue }: { readonly earlyContinue: boolean }): UploadPaths {
  return {
    endless: (path) => live.has(path) || isLongPost(path),
    early: (path) => earlyContinue && (live.has(path) || isPlaylist(path) || isLongPost(path)),
  }
}
