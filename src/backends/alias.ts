import { defineBackend, type Named } from '../remote/backend.ts'
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
  standsFor,
  async open(_ctx, args) {
    return await args.openRemote(standsFor(args))
  },
})

function standsFor({ name, root, config: { remote } }: Named<typeof aliasOptions>): string {
  refuseNowhere('alias', name, remote)
  return specBelow(remote, root.replace(/^\/+|\/+$/g, ''))
}
