import { defineBackend } from '../remote/backend.ts'
import { refuseNowhere, specBelow } from '../remote/below.ts'
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
    refuseNowhere('alias', args.name, remote)
    return await args.openRemote(specBelow(remote, args.root.replace(/^\/+|\/+$/g, '')))
  },
})
