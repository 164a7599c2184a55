import { defineBackend, type Backend } from '../../remote/backend.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool } from '../../schema/values.ts'
import { MemoryStores } from './store.ts'

export const memoryOptions = defineOptions('memory', {
  discard: option(bool, false, 'Forget the bytes that are written and keep names and sizes only', {
    flag: 'memory-discard',
    advanced: true,
  }),
})

/** Objects in the memory of this process, lost at its end. All remotes of one name that share `stores` see the same objects. */
export function memoryBackend(stores = new MemoryStores()): Backend<typeof memoryOptions> {
  return defineBackend({
    name: 'memory',
    description: 'In memory object storage',
    options: memoryOptions,
    async open(_ctx, args) {
      const { MemoryRemote } = await import('./remote.ts')
      return new MemoryRemote(stores.get(args.name), args.name, args.root, args.config)
    },
  })
}
