import { AppError, toAppError } from '../../base/error.ts'
import type { Json } from '../../base/json.ts'
import { backendCommand as runOn } from '../../operations/command.ts'
import { infoOf } from '../../operations/features.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, pairOf, strings } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command, CommandIo } from '../command.ts'
import { backendNamed, commandsOf } from '../help.ts'

const backendOptions = defineOptions('backend', {
  option: option(strings, [], 'Option of the command, as NAME=VALUE or NAME. Give it several times', { short: 'o' }),
  json: option(bool, false, 'Write the answer as JSON, whatever it is'),
})

export const backendCommand: Command = {
  name: 'backend',
  usage: 'COMMAND REMOTE:PATH [ARGUMENT]...',
  summary: 'Have a storage do what only its kind can',
  help:
    'sluice backend help REMOTE:, or the name of a kind of storage, tells what there is; sluice backend features REMOTE: what the ' +
    'storage can do, as JSON. The remote control has the same as backend/command, config/providers and operations/fsinfo.',
  examples: [
    ['sluice backend help s3', 'what only s3 can do'],
    ['sluice backend list-multipart-uploads s3:bucket', 'uploads that were never completed'],
    ['sluice backend encode secret: name.txt', 'the name under which a file is stored'],
  ],
  options: [backendOptions],
  args: [2, Infinity],
  run: (io) =>
    attempts(io, { name: 'backend', retry: false, stats: false }, async (ctx) => {
      const [name = '', text = '', ...args] = io.args
      if (name === 'help') return await io.stdout(await helpOf(io, text))
      const { remote } = await (await io.remotes()).openAt(text)
      if (name === 'features') return await io.stdout(`${JSON.stringify(infoOf(remote), null, '\t')}\n`)
      const { option: pairs, json } = io.get(backendOptions)
      const answer = await runOn(ctx, remote, { name, args, opt: Object.fromEntries(pairs.map(pairOf)) })
      await io.stdout(json ? `${JSON.stringify(answer, null, '\t')}\n` : written(answer))
    }),
}

/** The commands of a remote, or of a kind of storage by its name. Throws `unsupported` when it has none. */
async function helpOf(io: CommandIo, text: string): Promise<string> {
  const backend = text.includes(':') ? await (await io.remotes()).kindOf(text) : backendNamed(text, io.backends)
  if (!backend.commands) throw new AppError('unsupported', `${backend.name} has no backend commands`)
  return commandsOf(backend)
}

const decodeOptions = defineOptions('cryptdecode', {
  reverse: option(bool, false, 'Encrypt the names instead of decrypting them'),
})

export const cryptdecodeCommand: Command = {
  name: 'cryptdecode',
  usage: 'CRYPT: NAME...',
  summary: 'Tell the names that encrypted ones stand for',
  options: [decodeOptions],
  args: [2, Infinity],
  run: (io) =>
    attempts(io, { name: 'cryptdecode', retry: false, stats: false }, async (ctx) => {
      const [text = '', ...names] = io.args
      const remote = await (await io.remotes()).open(text)
      if (remote.info.type !== 'crypt') throw new AppError('invalid', `${text} is not a crypt remote`)
      const command = io.get(decodeOptions).reverse ? 'encode' : 'decode'
      for (const name of names) {
        const found = await runOn(ctx, remote, { name: command, args: [name], opt: {} }).catch((reason: unknown) => {
          ctx.log.debug(toAppError(reason).message, { object: name })
          return ['Failed to decrypt']
        })
        await io.stdout(`${name} \t ${(found as string[])[0]}\n`)
      }
    }),
}

/** A text as it is, texts line by line, all else as JSON; nothing for no answer. */
function written(answer: Json): string {
  if (answer === null) return ''
  if (typeof answer === 'string') return `${answer}\n`
  if (Array.isArray(answer) && answer.every((item) => typeof item === 'string'))
    return answer.map((item) => `${item}\n`).join('')
  return `${JSON.stringify(answer, null, '\t')}\n`
}
