import { publicLink } from '../../operations/about.ts'
import { cleanUp } from '../../operations/delete.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, duration } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command } from '../command.ts'

const linkOptions = defineOptions('link', {
  expire: option(duration, Infinity, 'How long the link works'),
  unlink: option(bool, false, 'Take the link back'),
})

export const linkCommand: Command = {
  name: 'link',
  usage: 'REMOTE:PATH',
  summary: 'Make a link by which everybody can read a file or folder, where the storage can',
  options: [linkOptions],
  args: [1, 1],
  run: (io) =>
    attempts(io, { name: 'link', retry: false, stats: false }, async (ctx) => {
      const { remote, file } = await (await io.remotes()).openAt(io.args[0] ?? '')
      const { expire, unlink } = io.get(linkOptions)
      const url = await publicLink(ctx, remote, file?.path ?? '', { unlink, ...(expire < Infinity ? { expire } : {}) })
      return url === '' ? undefined : await io.stdout(`${url}\n`)
    }),
}

export const cleanupCommand: Command = {
  name: 'cleanup',
  usage: 'REMOTE:PATH',
  summary: 'Empty the trash of a storage or remove old versions, where it has such',
  args: [1, 1],
  run: (io) =>
    attempts(io, { name: 'cleanup', retry: true, stats: false }, async (ctx) => {
      await cleanUp(ctx, await (await io.remotes()).open(io.args[0] ?? ''))
    }),
}
