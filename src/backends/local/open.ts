import { resolve } from 'node:path'
import type { Context } from '../../core/context.ts'
import type { OpenArgs } from '../../remote/backend.ts'
import { encodePath } from '../../remote/encoding.ts'
import type { Remote } from '../../remote/remote.ts'
import { AS_THEY_ARE, type localOptions } from './index.ts'
import type { Looks } from './looks.ts'
import { OtherNames, withOtherNames } from './other-names.ts'
import { LocalRemote } from './remote.ts'

/** Opens a directory of this machine, with its names as the options want them. */
export function openLocal(ctx: Context, args: OpenArgs<typeof localOptions>, looks: Looks): Remote {
  const { encoding, unicodeNormalization } = args.config
  if (encoding.text === AS_THEY_ARE && !unicodeNormalization) return LocalRemote.open(ctx, args, looks)
  const root = encodePath(encoding, resolve(args.root === '' ? '.' : args.root))
  return withOtherNames(LocalRemote.open(ctx, { ...args, root }, looks), new OtherNames(root, args.config))
}
