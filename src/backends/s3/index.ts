import { type CommandInfo, defineBackend } from '../../remote/backend.ts'
import { s3Metadata } from './metadata.ts'
import { s3Options } from './options.ts'

const s3Commands: readonly CommandInfo[] = [
  {
    name: 'restore',
    summary: 'Have archived objects brought back',
    usage: '[PATH]',
    help: 'Of the object at the path, or of all below it. Gives the status of each.',
    options: {
      lifetime: 'Days that they stay',
      priority: 'How fast: Standard, Expedited or Bulk',
      description: 'Description of the job',
    },
  },
  { name: 'list-multipart-uploads', summary: 'List uploads that were never completed, by bucket' },
  {
    name: 'cleanup',
    summary: 'Remove uploads that were never completed',
    options: { 'max-age': 'Only those that are older; 24h unless given' },
  },
  {
    name: 'versioning',
    summary: 'Tell whether a bucket keeps old versions, or say whether it shall',
    usage: '[Enabled|Suspended]',
  },
]

/** Buckets of Amazon S3, and of the many stores that speak its language. */
export const s3Backend = defineBackend({
  name: 's3',
  description: 'Amazon S3 and compatible stores',
  options: s3Options,
  metadata: s3Metadata,
  commands: s3Commands,
  async open(ctx, args) {
    const { openS3 } = await import('./remote.ts')
    return await openS3(ctx, args)
  },
})
