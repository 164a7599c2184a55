import type { RemoteInfo } from '../remote/remote.ts'

/** Digits of the second that a storage tells: 9 for nanoseconds, 0 for seconds and for storage without times. */
export function timeDigits({ precision, traits }: RemoteInfo): number {
  // A disk tells nanoseconds even where it can't set them.
  if (traits.isLocal) return 9
  if (precision === undefined || precision >= 1e9) return 0
  return 9 - Math.max(0, Math.ceil(Math.log10(Math.max(1, precision))))
}
