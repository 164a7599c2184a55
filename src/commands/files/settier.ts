import { setTierAt, setTiers } from '../../operations/tier.ts'
import { attempts } from '../attempts.ts'
import type { Command } from '../command.ts'

export const settierCommand: Command = {
  name: 'settier',
  usage: 'TIER REMOTE:PATH',
  summary: 'Move files to another storage class, where the storage has several',
  help: 'Of a folder all files that the filter shows. What classes there are is for the storage to say.',
  examples: [["sluice settier --include '*.bak' Cool azure:backup", 'all backups']],
  args: [2, 2],
  run: (io) =>
    attempts(io, { name: 'settier', retry: true, stats: false }, async (ctx) => {
      const [tier = '', text = ''] = io.args
      const { remote, file } = await (await io.remotes()).openAt(text)
      await (file ? setTierAt(ctx, remote, file.path, tier) : setTiers(ctx, remote, tier))
    }),
}
