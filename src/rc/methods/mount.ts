import { AppError } from '../../base/error.ts'
import { optional, required } from '../../schema/field.ts'
import { any, listOf, object, string } from '../../schema/params.ts'
import { method, nothing } from '../method.ts'

export const mountMethods = [
  method({
    path: 'mount/mount',
    title: 'Create a new mount point',
    help: 'This program makes no mounts: it serves, and other programs mount what it serves. `serve/start` with type http gives an address; `rclone mount :http,url="ADDRESS":` mounts it.',
    input: {
      mountPoint: required(string, 'Where'),
      fs: required(string, 'What to mount'),
      mountType: optional(string, 'How'),
      mountOpt: optional(any, 'Options of the mount'),
      vfsOpt: optional(any, 'Options of its tree'),
    },
    output: { mountPoint: required(string, 'Where it is mounted') },
    run(_call, { fs }) {
      throw new AppError(
        'unsupported',
        `mounts are not made here: serve ${JSON.stringify(fs)} by serve/start with type http, and mount its address with rclone mount :http,url="http://ADDRESS/": MOUNTPOINT`,
      )
    },
  }),
  method({
    path: 'mount/types',
    title: 'Show all possible mount types',
    input: nothing,
    output: { mountTypes: required(listOf(string), 'Always none') },
    run: () => ({ mountTypes: [] }),
  }),
  method({
    path: 'mount/listmounts',
    title: 'Show current mount points',
    input: nothing,
    output: { mountPoints: required(listOf(object), 'Always none') },
    run: () => ({ mountPoints: [] }),
  }),
  method({
    path: 'mount/unmount',
    title: 'Unmount selected active mount',
    input: { mountPoint: required(string, 'Where it is mounted') },
    output: nothing,
    run() {
      throw new AppError('invalid', 'mount not found')
    },
  }),
  method({
    path: 'mount/unmountall',
    title: 'Unmount all active mounts',
    input: nothing,
    output: nothing,
    run: () => {},
  }),
] as const
