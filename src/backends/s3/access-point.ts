/** A way into a bucket with rules of its own; its ARN stands for the name of the bucket. */
export interface AccessPoint {
  /** Where the bucket is. */
  readonly region: string
  /** The host that answers for it, asked for in a region. */
  host(region: string, dualStack: boolean): string
}

/** Paths have no slash in the name of a bucket: of the two forms of an ARN it is the one with a colon. */
const form = /^arn:aws(-cn)?:s3:([a-z0-9-]+):(\d+):accesspoint:([a-z0-9-]+)$/

/**
 * The access point that a bucket is named by, `arn:aws:s3:eu-central-1:123456789012:accesspoint:films`
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-points-naming.html).
 */
export function accessPointOf(bucket: string): AccessPoint | undefined {
  const [, china = '', region, account, name] = form.exec(bucket) ?? []
  if (region === undefined) return undefined
  return {
    region,
    host(at, dualStack) {
      const stack = dualStack ? 'dualstack.' : ''
      return `${name}-${account}.s3-accesspoint.${stack}${at}.amazonaws.com${china.replace('-', '.')}`
    },
  }
}

/** An object as `x-amz-copy-source` names it, before it is percent-encoded. */
export function copySource(bucket: string, key: string): string {
  return accessPointOf(bucket) ? `${bucket}/object/${key}` : `/${bucket}/${key}`
}
