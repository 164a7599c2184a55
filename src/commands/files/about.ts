import { AppError } from '../../base/error.ts'
import { amount } from '../../core/report.ts'
import { usageOf } from '../../operations/about.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command } from '../command.ts'

const aboutOptions = defineOptions('about', {
  json: option(bool, false, 'Write JSON'),
  full: option(bool, false, 'Write bytes instead of rounded sizes'),
})

export const aboutCommand: Command = {
  name: 'about',
  usage: 'REMOTE:',
  summary: 'Show how much space there is and how much is used',
  options: [aboutOptions],
  args: [1, 1],
  run: (io) =>
    attempts(io, { name: 'about', retry: false, stats: false }, async (ctx) => {
      const usage = await usageOf(ctx, (await (await io.remotes()).openAt(io.args[0] ?? '')).remote)
      const { json, full } = io.get(aboutOptions)
      if (json) return await io.stdout(`${JSON.stringify(usage, undefined, '\t')}\n`)
      const lines = Object.entries(usage).map(([key, value]) => {
        const label = `${key[0]?.toUpperCase()}${key.slice(1)}:`.padEnd(9)
        return `${label}${full || key === 'objects' ? value : amount(value)}\n`
      })
      if (lines.length === 0) throw new AppError('unsupported', 'nothing is known about this storage')
      return await io.stdout(lines.join(''))
    }),
}
