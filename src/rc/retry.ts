import { AppError } from '../base/error.ts'
import { call } from './call.ts'
import type { Job } from './jobs.ts'
import type { Call } from './method.ts'

export interface Retried {
  /** The new job. */
  readonly jobid: number
  readonly executeId: string
  /** How many files and folders it is about; absent when all of the job is done again. */
  readonly files?: number
}

/**
 * Does again what failed of a job: its failed files alone when all of the others were done, the failed calls of a batch, else all
 * of it. Throws `invalid` when it still runs or nothing of it failed.
 */
export async function retryJob({ services, trusted }: Call, id: number): Promise<Retried> {
  const job = services.jobs.find(id)
  if (!job.finished) throw new AppError('invalid', `job ${id} still runs: wait for its end, or stop it`)
  const method = services.methods.get(job.path)
  if (!method || method.needs === 'request')
    throw new AppError('invalid', `${job.path} can't be done again: it needs the body of its request`)
  const inputs = failedInputs(job)
  // What failed in a group of several jobs may be of another one.
  const failed = job.group === `job/${id}` ? services.outcomes.failed(job.group) : undefined
  if (!job.error && inputs.length === 0 && !failed?.length) throw new AppError('invalid', `nothing of job ${id} failed`)
  const only = method.narrows && failed?.length && wentThrough(job) ? failed : undefined
  const { _async: _, ...rest } = job.input
  const input = inputs.length > 0 ? { ...rest, inputs } : rest
  const outcome = await call(services, method, input, { async: true, trusted, ...(only ? { only } : {}) })
  if (!outcome.job) throw outcome.error ?? new AppError('io', `job ${id} could not be begun again`)
  const { executeId } = services.jobs
  return { jobid: outcome.job.id, executeId, ...(only ? { files: only.length } : {}) }
}

/** The calls of a batch that ended with an error. */
function failedInputs({ path, input, output }: Job): readonly unknown[] {
  const { results } = (output ?? {}) as { results?: unknown }
  if (path !== 'job/batch' || !Array.isArray(input.inputs) || !Array.isArray(results)) return []
  return (input.inputs as readonly unknown[]).filter((_, index) => {
    const { error, status } = (results[index] ?? {}) as { error?: unknown; status?: unknown }
    return typeof error === 'string' && typeof status === 'number'
  })
}

/** Whether a job came to all of its files, though some of them failed. */
function wentThrough({ error }: Job): boolean {
  return !error || (error.code !== 'aborted' && (error.stop === undefined || error.stop === 'no-retry'))
}
