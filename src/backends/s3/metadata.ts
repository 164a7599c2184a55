import type { MetadataInfo, MetadataKey } from '../../remote/metadata.ts'

const header = (name: string, example: string): MetadataKey => ({ help: `${name} header`, type: 'string', example })

/** The metadata of objects: some names are headers of theirs, all others are kept as they come. */
export const s3Metadata: MetadataInfo = {
  help: 'Names are kept in lower case. The time of a file is kept as metadata as well, in the form that rclone has it.',
  keys: {
    'cache-control': header('Cache-Control', 'no-cache'),
    'content-disposition': header('Content-Disposition', 'inline'),
    'content-encoding': header('Content-Encoding', 'gzip'),
    'content-language': header('Content-Language', 'en-US'),
  },
  user: true,
}

/** The names of metadata that are headers of the object. */
export const headersOfObjects = Object.keys(s3Metadata.keys)
