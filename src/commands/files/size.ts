import { formatSize } from '../../base/size.ts'
import { amount } from '../../core/report.ts'
import { sizeOf } from '../../operations/size.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command } from '../command.ts'

const sizeOptions = defineOptions('size', {
  json: option(bool, false, 'Write JSON'),
})

export const sizeCommand: Command = {
  name: 'size',
  usage: 'REMOTE:PATH',
  summary: 'Add up the files of a path',
  options: [sizeOptions],
  args: [1, 1],
  run: (io) =>
    attempts(io, { name: 'size', retry: false, stats: false }, async (ctx) => {
      const { remote } = await (await io.remotes()).openAt(io.args[0] ?? '')
      const { count, bytes, sizeless } = await sizeOf(ctx, remote)
      if (io.get(sizeOptions).json) return await io.stdout(`${JSON.stringify({ count, bytes, sizeless })}\n`)
      const short = count < 1000 ? String(count) : `${(count / 1000).toFixed(3)}k`
      const human = count < 1e6 ? short : `${(count / 1e6).toFixed(3)}M`
      const lines = [`Total objects: ${human} (${count})`, `Total size: ${amount(bytes)} (${bytes} Byte)`]
      if (sizeless > 0) lines.push(`Total objects with unknown size: ${formatSize(sizeless)} (${sizeless})`)
      return await io.stdout(`${lines.join('\n')}\n`)
    }),
}
