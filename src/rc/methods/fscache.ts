import { required } from '../../schema/field.ts'
import { int } from '../../schema/params.ts'
import { method, nothing } from '../method.ts'

export const fscacheMethods = [
  method({
    path: 'fscache/clear',
    title: 'Clear the Fs cache',
    help: 'Remotes are kept open for five minutes after their last use; from now on they are opened anew. What runs goes on with those that it has.',
    input: nothing,
    output: nothing,
    run: async ({ services }) => (await services.remotes()).forget(),
  }),
  method({
    path: 'fscache/entries',
    title: 'Returns the number of entries in the fs cache',
    input: nothing,
    output: { entries: required(int, 'Remotes that are kept open') },
    run: async ({ services }) => ({ entries: (await services.remotes()).size }),
  }),
] as const
