import { defineBackend } from '../../remote/backend.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { string } from '../../schema/values.ts'

export const archiveOptions = defineOptions('archive', {
  remote: option(string, '', 'Zip file to look into, such as "myremote:path/to/file.zip"', {
    flag: 'archive-remote',
    required: true,
  }),
})

/** The files in a zip, wherever that lies: read by position, nothing is unpacked to disk. */
export const archiveBackend = defineBackend({
  name: 'archive',
  description: 'Read archives',
  options: archiveOptions,
  wraps: true,
  async open(ctx, args) {
    const { ArchiveRemote } = await import('./remote.ts')
    return await ArchiveRemote.open(ctx, args)
  },
})
