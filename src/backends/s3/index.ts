import { defineBackend } from '../../remote/backend.ts'
import { s3Metadata } from './metadata.ts'
import { s3Options } from './options.ts'

/** Buckets of Amazon S3, and of the many stores that speak its language. */
export const s3Backend = defineBackend({
  name: 's3',
  description: 'Amazon S3 and compatible stores',
  options: s3Options,
  metadata: s3Metadata,
  async open(ctx, args) {
    const { openS3 } = await import('./remote.ts')
    return await openS3(ctx, args)
  },
})
