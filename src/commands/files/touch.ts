import { AppError } from '../../base/error.ts'
import { fromMs, type Nanoseconds } from '../../base/time.ts'
import { splitText } from '../../operations/bridge.ts'
import { touch, touchAll } from '../../operations/touch.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, string } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command, CommandIo } from '../command.ts'

const touchOptions = defineOptions('touch', {
  noCreate: option(bool, false, 'Create no file', { short: 'C' }),
  timestamp: option(string, '', 'The time to set: 060102, 2006-01-02T15:04:05 or 2006-01-02T15:04:05.999, in UTC', {
    short: 't',
  }),
  localtime: option(bool, false, '--timestamp is in the zone of this machine'),
  recursive: option(bool, false, 'Set the times of the files in the folders of a folder as well', { short: 'R' }),
})

/** The time that `--timestamp` names, now without it. Throws `usage`. */
export function parseTimestamp(text: string, local: boolean, now: number): Nanoseconds {
  if (text === '') return fromMs(now)
  const [, yy, mm, dd] = /^(\d\d)(\d\d)(\d\d)$/.exec(text) ?? []
  const long = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d{1,9})?$/.exec(text)
  const century = Number(yy) >= 69 ? '19' : '20'
  const base = long ? `${long[1]}T${long[2]}` : yy === undefined ? '' : `${century}${yy}-${mm}-${dd}T00:00:00`
  const ms = Date.parse(local ? base : `${base}Z`)
  if (base === '' || Number.isNaN(ms))
    throw new AppError('usage', `bad --timestamp ${JSON.stringify(text)}: write it like 2006-01-02T15:04:05`)
  return fromMs(ms) + BigInt((long?.[3] ?? '').slice(1).padEnd(9, '0') || 0)
}

async function run(io: CommandIo): Promise<number> {
  const { noCreate, timestamp, localtime, recursive } = io.get(touchOptions)
  const time = parseTimestamp(timestamp, localtime, Date.now())
  return await attempts(io, { name: 'touch', retry: true, stats: false }, async (ctx) => {
    const remotes = await io.remotes()
    const [text = ''] = io.args
    const { remote, file } = await remotes.openAt(text)
    if (file) return await touch(ctx, remote, file.path, { time, create: !noCreate })
    if (await remote.stat(ctx, '')) return await touchAll(ctx, remote, { time, recurse: recursive })
    const { parent, name } = splitText(text)
    return await touch(ctx, await remotes.open(parent), name, { time, create: !noCreate && !recursive })
  })
}

export const touchCommand: Command = {
  name: 'touch',
  usage: 'REMOTE:PATH',
  summary: 'Set the time of a file, or create an empty one',
  help: 'Of a folder all files in it, with -R those in its folders as well.',
  options: [touchOptions],
  args: [1, 1],
  run,
}
