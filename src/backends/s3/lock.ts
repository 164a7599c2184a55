import { parseDuration } from '../../base/duration.ts'
import { AppError, messageOf } from '../../base/error.ts'
import type { Headers } from '../../net/client.ts'
import type { S3Options } from './options.ts'

/** Whether new objects are locked: the store wants the MD5 of what it shall keep, before the bytes. */
export function isLocking({ objectLockMode, objectLockLegalHoldStatus }: S3Options): boolean {
  return objectLockMode !== '' || objectLockLegalHoldStatus !== ''
}

/**
 * The headers that keep a new object from being changed and removed
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html). Throws `invalid` for a mode without an end, and for
 * an end that is none. `now` in ms.
 */
export function lockHeaders(options: S3Options, now = Date.now()): Headers {
  const { objectLockMode, objectLockRetainUntilDate, objectLockLegalHoldStatus } = options
  if ((objectLockMode === '') !== (objectLockRetainUntilDate === ''))
    throw new AppError('invalid', 's3: object_lock_mode and object_lock_retain_until_date need each other')
  return {
    ...(objectLockMode === ''
      ? {}
      : {
          'x-amz-object-lock-mode': objectLockMode,
          'x-amz-object-lock-retain-until-date': endOf(objectLockRetainUntilDate, now).toISOString(),
        }),
    ...(objectLockLegalHoldStatus === '' ? {} : { 'x-amz-object-lock-legal-hold': objectLockLegalHoldStatus }),
  }
}

/** To remove what is locked in the mode GOVERNANCE. */
export function bypassHeaders({ bypassGovernanceRetention }: S3Options): Headers {
  return bypassGovernanceRetention ? { 'x-amz-bypass-governance-retention': 'true' } : {}
}

/** A moment, or a time from now. */
function endOf(text: string, now: number): Date {
  try {
    const end = new Date(/^\d{4}-/.test(text) ? text : now + parseDuration(text, now))
    if (!Number.isNaN(end.getTime())) return end
  } catch (error) {
    throw new AppError('invalid', `s3: object_lock_retain_until_date: ${messageOf(error)}`)
  }
  throw new AppError('invalid', `s3: object_lock_retain_until_date: "${text}" is no time`)
}
