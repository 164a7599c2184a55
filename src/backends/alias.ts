import { AppError } from '../base/error.ts'
import { defineBackend } from '../remote/backend.ts'
import { specBelow } from '../remote/below.ts'
import { defineOptions, option } from '../schema/option.ts'
import { string } from '../schema/values.ts'

const aliasOptions = defineOptions('alias', {
  remote: option(string, '', 'Remote or path that the alias stands for, such as "myremote:path/to/dir"', {
    flag: 'alias-remote',
    required: true,
  }),
})

/** Another name for a remote or a path: gives the remote itself. */
export const aliasBackend = defineBackend({
  name: 'alias',
  description: 'Alias for an existing remote',
  options: aliasOptions,
  wraps: true,
  async open(_ctx, args) {
    const { remote } = args.config
    if (remote === '')
      throw new AppError('invalid', "alias can't point to an empty remote - check the value of the remote setting")
    if (remote.startsWith(`${args.name}:`))
      throw new AppError('invalid', "can't point alias remote at itself - check the value of the remote setting")
    return await args.openRemote(specBelow(remote, args.root.replace(/^\/+|\/+$/g, '')))
  },
})
