import { backendCommand } from '../../operations/command.ts'
import { optional, required } from '../../schema/field.ts'
import { any, string, strings, texts } from '../../schema/params.ts'
import { openFolder } from '../folder.ts'
import { method } from '../method.ts'
import { remoteSpec } from '../remote-spec.ts'

export const backendMethods = [
  method({
    path: 'backend/command',
    title: 'Runs a backend command',
    help: 'What only one kind of storage can do. Of the local disk there is `noop`, which gives back its arguments with the option `echo` and fails with the option `error`.',
    input: {
      fs: required(remoteSpec, 'The remote'),
      command: required(string, 'Name of the command'),
      arg: optional(strings, 'Its arguments'),
      opt: optional(texts, 'Its options by name'),
    },
    output: { result: optional(any, 'What the command gives') },
    async run(call, { fs, command, arg = [], opt = {} }) {
      const remote = await openFolder(call, fs)
      return { result: await backendCommand(call.ctx, remote, { name: command, args: arg, opt }) }
    },
  }),
] as const
