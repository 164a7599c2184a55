import { AppError } from '../../base/error.ts'
import { defineBackend } from '../../remote/backend.ts'
import { refuseNowhere } from '../../remote/below.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, int, oneOf, size, string } from '../../schema/values.ts'

const GiB = 1024 ** 3
const advanced = true

export const chunkerOptions = defineOptions('chunker', {
  remote: option(string, '', 'Remote to keep the chunks in, such as "myremote:path/to/dir"', {
    flag: 'chunker-remote',
    required: true,
  }),
  chunkSize: option(size, 2 * GiB, 'Files larger than this are split in chunks', { flag: 'chunker-chunk-size' }),
  hashType: option(
    oneOf('none', 'md5', 'sha1', 'md5all', 'sha1all', 'md5quick', 'sha1quick'),
    'md5',
    'Which checksum is kept of files in chunks',
    {
      flag: 'chunker-hash-type',
      examples: [
        { value: 'none', help: 'Only that which the wrapped remote has of files in one piece' },
        { value: 'md5', help: 'MD5 of files in chunks' },
        { value: 'sha1', help: 'SHA-1 of files in chunks' },
        { value: 'md5all', help: 'MD5 of all files' },
        { value: 'sha1all', help: 'SHA-1 of all files' },
        { value: 'md5quick', help: 'MD5, or SHA-1 if that is what the source knows; nothing is computed' },
        { value: 'sha1quick', help: 'The same the other way round' },
      ],
    },
  ),
  nameFormat: option(
    string,
    '*.rclone_chunk.###',
    'Names of chunks: the * is the name of the file, the # are the number of the chunk',
    { flag: 'chunker-name-format', advanced },
  ),
  startFrom: option(int, 1, 'Number of the first chunk', { flag: 'chunker-start-from', advanced }),
  metaFormat: option(oneOf('none', 'simplejson'), 'simplejson', 'What describes a file in chunks', {
    flag: 'chunker-meta-format',
    advanced,
    examples: [
      { value: 'none', help: 'Nothing; the names of the chunks have to do. Needs hash_type none' },
      { value: 'simplejson', help: 'A small JSON file under the name of the file' },
    ],
  }),
  failHard: option(bool, false, 'Fail on files whose chunks do not fit together, instead of leaving them out', {
    flag: 'chunker-fail-hard',
    advanced,
  }),
  transactions: option(oneOf('rename', 'norename', 'auto'), 'rename', 'How an upload becomes a file', {
    flag: 'chunker-transactions',
    advanced,
    examples: [
      { value: 'rename', help: 'Its chunks are renamed when all are there' },
      { value: 'norename', help: 'Its chunks keep their names, which the JSON file tells' },
      { value: 'auto', help: 'rename where the wrapped remote can rename, else norename' },
    ],
  }),
})

/** A remote that splits large files over several of another one, as rclone's chunker does: each reads what the other wrote. */
export const chunkerBackend = defineBackend({
  name: 'chunker',
  description: 'Transparently chunk/split large files',
  options: chunkerOptions,
  wraps: true,
  async open(_ctx, args) {
    const { remote, chunkSize, metaFormat, hashType, transactions } = args.config
    refuseNowhere('chunker', args.name, remote)
    if (chunkSize < 1) throw new AppError('invalid', 'chunker: chunk_size must be at least 1')
    if (metaFormat === 'none' && hashType !== 'none')
      throw new AppError('invalid', `chunker: hash_type ${hashType} needs meta_format simplejson`)
    if (metaFormat === 'none' && transactions === 'norename')
      throw new AppError('invalid', 'chunker: transactions norename need meta_format simplejson')
    const { openChunker } = await import('./remote.ts')
    return await openChunker(args)
  },
})
