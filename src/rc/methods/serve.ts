import { ordered } from '../../base/json.ts'
import { optional, required } from '../../schema/field.ts'
import { listOf, object, shapeOf, string, strings } from '../../schema/params.ts'
import { method, nothing } from '../method.ts'

const server = {
  id: required(string, 'Its name, for `serve/stop`'),
  addr: required(string, 'Where it listens, `[::]:4321`'),
}

export const serveMethods = [
  method({
    path: 'serve/list',
    title: 'Show running servers',
    help: 'Those that `serve/start` began; secrets are left out of their parameters.',
    input: nothing,
    output: {
      list: required(
        listOf(shapeOf({ ...server, params: required(object, 'What it was started with') })),
        'The servers, the oldest first',
      ),
    },
    run: ({ services }) => ({ list: services.servers.list().map(({ id, addr, params }) => ({ addr, id, params })) }),
  }),
  method({
    path: 'serve/start',
    title: 'Create a new server',
    help: 'The options of the command are parameters under the names of its flags, with `_` for `-`: `{"type": "http", "fs": "nas:films", "addr": ":4321", "user": "me", "pass": "secret", "vfs_read_chunk_size": "32M"}`. Who may come in is up to these options alone: the login of the remote control does not protect it.',
    input: {
      type: required(string, 'What it speaks: `http`'),
      fs: required(string, 'Remote and path to serve'),
      addr: optional(string, 'Address and port to listen on, `127.0.0.1:8080` when absent; port 0 for any free one'),
      opt: optional(object, 'Options of the server, as `options/get` names them'),
      vfsOpt: optional(object, 'Options of the tree, as `options/get` names them'),
      proxyOpt: optional(object, 'Refused when it names a program: none is run for a call'),
    },
    output: server,
    async run({ ctx, services, raw, trusted }) {
      const { id, addr } = await services.servers.start(ctx, raw, { exec: trusted || services.allowExec })
      return ordered({ addr, id })
    },
  }),
  method({
    path: 'serve/stop',
    title: 'Unserve selected active serve',
    input: { id: required(string, 'Name of the server') },
    output: nothing,
    run: ({ services }, { id }) => services.servers.stop(id),
  }),
  method({
    path: 'serve/stopall',
    title: 'Stop all active servers',
    input: nothing,
    output: nothing,
    run: ({ services }) => services.servers.stopAll(),
  }),
  method({
    path: 'serve/types',
    title: 'Show all possible serve types',
    input: nothing,
    output: { types: required(strings, 'The types, in order') },
    run: ({ services }) => ({ types: services.servers.types }),
  }),
] as const
