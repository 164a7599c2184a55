import { defineBackend } from '../../remote/backend.ts'
import { refuseNowhere } from '../../remote/below.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { commaList, duration, size, string } from '../../schema/values.ts'

export const hasherOptions = defineOptions('hasher', {
  remote: option(string, '', 'Remote whose checksums are to be kept, such as "myremote:path"', {
    flag: 'hasher-remote',
    required: true,
  }),
  hashes: option(commaList, ['md5', 'sha1'], 'Checksums to keep, separated by commas', { flag: 'hasher-hashes' }),
  maxAge: option(duration, Infinity, 'How long a checksum is kept; off is for ever, 0 keeps none', {
    flag: 'hasher-max-age',
  }),
  autoSize: option(size, 0, 'Files up to this size are read when a checksum of them is asked for and not known', {
    flag: 'hasher-auto-size',
    advanced: true,
  }),
})

/** A remote that remembers the checksums of what goes through it, for storage that has none or makes them slowly. */
export const hasherBackend = defineBackend({
  name: 'hasher',
  description: 'Better checksums for other remotes',
  options: hasherOptions,
  wraps: true,
  async open(ctx, args) {
    refuseNowhere('hasher', args.name, args.config.remote)
    const { openHasher } = await import('./remote.ts')
    return await openHasher(ctx, args)
  },
})
