import type { AppError, ErrorCode, Stop } from '../base/error.ts'
import type { EndSignal } from './signals.ts'

/** rclone's exit statuses (serve-http.md 5.7). */
export const exitCodes = {
  ok: 0,
  error: 1,
  usage: 2,
  directoryNotFound: 3,
  fileNotFound: 4,
  retry: 5,
  noRetry: 6,
  fatal: 7,
  transferLimit: 8,
  nothingTransferred: 9,
  durationLimit: 10,
  crash: 70,
  interrupted: 130,
  terminated: 143,
} as const

const byCode: Partial<Record<ErrorCode, number>> = {
  usage: exitCodes.usage,
  'not-found': exitCodes.directoryNotFound,
}

const byStop: Readonly<Record<Stop, number>> = {
  'no-retry': exitCodes.noRetry,
  fatal: exitCodes.fatal,
  'max-transfer': exitCodes.transferLimit,
  'max-duration': exitCodes.durationLimit,
}

/** The exit status for an error that ended a command. */
export function exitCodeOf(error: AppError): number {
  if (error.stop) return byStop[error.stop]
  if (error.code === 'not-found' && error.message.startsWith('object not found')) return exitCodes.fileNotFound
  return byCode[error.code] ?? (error.retry === false ? exitCodes.error : exitCodes.retry)
}

/** The exit status of a command that a signal ended before it was done: 128 and the number of the signal, as shells have it. */
export function exitCodeOfSignal(signal: EndSignal): number {
  return signal === 'SIGINT' ? exitCodes.interrupted : exitCodes.terminated
}

/** What each status means, for `help exit-codes` and the reference. */
export const exitMeanings: readonly (readonly [code: number, meaning: string])[] = [
  [exitCodes.ok, 'Success'],
  [exitCodes.error, 'Error not otherwise listed'],
  [exitCodes.usage, 'Wrong command line: unknown command or flag, wrong number of arguments, invalid value'],
  [exitCodes.directoryNotFound, 'Directory not found'],
  [exitCodes.fileNotFound, 'File not found'],
  [exitCodes.retry, 'Temporary error: trying again may help'],
  [exitCodes.noRetry, 'Error for which trying again does not help'],
  [exitCodes.fatal, 'Fatal error: the limits of the account or of a flag were reached'],
  [exitCodes.transferLimit, '--max-transfer was reached'],
  [exitCodes.nothingTransferred, '--error-on-no-transfer and nothing was transferred'],
  [exitCodes.durationLimit, '--max-duration was reached'],
  [exitCodes.crash, 'A mistake in the program: please report what the log says'],
  [exitCodes.interrupted, 'Interrupted by Ctrl-C (SIGINT) before the end'],
  [exitCodes.terminated, 'Ended by SIGTERM before the end; servers end with 0'],
]
