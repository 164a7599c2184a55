import { AppError, toAppError } from '../../base/error.ts'
import { plain } from '../../base/json.ts'
import { mainOptions } from '../../core/options.ts'
import { type Mark, markWords } from '../../core/outcomes.ts'
import { Workers } from '../../operations/workers.ts'
import { optional, type Params, required } from '../../schema/field.ts'
import { bool, float, goType, int, list, listOf, nullable, object, string } from '../../schema/params.ts'
import { call } from '../call.ts'
import { errorObject } from '../error.ts'
import type { Job } from '../jobs.ts'
import { type Call, method, nothing, StreamAnswer } from '../method.ts'
import { retryJob } from '../retry.ts'
import { wireTime } from '../time.ts'

const jobid = { jobid: required(int, 'Number of the job') }

export const jobMethods = [
  method({
    path: 'job/status',
    title: 'Reads the status of the job ID',
    help: 'A finished job is remembered for `--rc-job-expire-duration`; after that `job/history` knows it.',
    open: true,
    input: jobid,
    output: {
      id: required(int, 'Number of the job'),
      executeId: required(string, 'Of the process that ran it: numbers begin anew with each process'),
      group: required(string, 'Its stats group'),
      startTime: required(string, 'When it began'),
      endTime: required(string, 'When it ended'),
      duration: required(float, 'Seconds it took; 0 while it runs'),
      finished: required(bool, 'It has ended'),
      success: required(bool, 'It has ended without an error'),
      error: required(string, 'What went wrong'),
      output: required(nullable(object), 'What the method answered; null while it runs'),
      path: required(string, 'The method'),
      paused: required(bool, 'It waits for job/resume'),
      progress: optional(
        object,
        'How far its transfers are: bytes, totalBytes, transfers, totalTransfers, errors, speed, eta',
      ),
    },
    run: ({ services }, { jobid: id }) => {
      const job = services.jobs.find(id)
      return { ...statusOf(job, services.jobs.executeId), ...progressOf(services, job) }
    },
  }),
  method({
    path: 'job/list',
    title: 'Lists the IDs of the running jobs',
    help: 'Those that ended not long ago as well.',
    open: true,
    input: nothing,
    output: {
      executeId: required(string, 'Of this process'),
      jobids: required(listOf(int), 'All jobs'),
      runningIds: required(listOf(int), 'Those that run'),
      finishedIds: required(listOf(int), 'Those that have ended'),
    },
    run({ services: { jobs } }) {
      const [runningIds, finishedIds] = [jobs.running.map(({ id }) => id), jobs.finished.map(({ id }) => id)]
      return { executeId: jobs.executeId, jobids: [...runningIds, ...finishedIds], runningIds, finishedIds }
    },
  }),
  method({
    path: 'job/stop',
    title: 'Stop the running job',
    help: 'Answers at once; a job that has ended is left as it is.',
    input: jobid,
    output: nothing,
    run({ services }, { jobid: id }) {
      services.jobs.stop(id)
    },
  }),
  method({
    path: 'job/stopgroup',
    title: 'Stop all running jobs in a group',
    input: { group: required(string, 'The stats group') },
    output: nothing,
    run({ services }, { group }) {
      services.jobs.stopGroup(group)
    },
  }),
  method({
    path: 'job/pause',
    title: 'Pause the transfers of a job',
    help: 'Its transfers stop moving bytes, and none is begun, until `job/resume`. What the storage does by itself goes on.',
    input: jobid,
    output: nothing,
    run({ services }, { jobid: id }) {
      services.groups.get(services.jobs.find(id).group).pause()
    },
  }),
  method({
    path: 'job/resume',
    title: 'Go on with a paused job',
    input: jobid,
    output: nothing,
    run({ services }, { jobid: id }) {
      services.groups.get(services.jobs.find(id).group).resume()
    },
  }),
  method({
    path: 'job/report',
    title: 'Tells what became of each file of a job',
    help: 'Of `sync/*`, `operations/copyfile`, `movefile`, `delete`, `deletefile` and `check`. A file is `new` or `changed` at the destination, `matched` when it was the same already, `deleted` there, or `failed`; a folder that could not be read is `failed` as well. Of a check, that changes nothing: what a sync would do. Jobs of one `_group` have one report. With very many files the oldest lists are given up, the counts never are.',
    input: {
      jobid: optional(int, 'Number of the job'),
      group: optional(string, 'Its stats group, for jobs that are forgotten already'),
      what: optional(string, 'Only those: new, changed, matched, deleted or failed'),
      limit: optional(int, 'Files at most, 1000 when absent'),
      offset: optional(int, 'Files to leave out before that'),
    },
    output: {
      group: required(string, 'The stats group'),
      counts: required(object, 'files and bytes for each of new, changed, matched, deleted and failed'),
      files: required(listOf(object), 'path, what, mark (+ * = - !), size, error'),
      unlisted: required(int, 'Files that are counted but no more listed'),
    },
    run: ({ services }, { jobid: id, group: name, what, limit = 1000, offset = 0 }) => {
      if (name === undefined && id === undefined) throw new AppError('usage', `Didn't find key "jobid" in input`)
      const group = name ?? services.jobs.find(id ?? 0).group
      const page = services.outcomes.page(group, { mark: markOf(what), offset, limit })
      return { group, ...page, counts: { ...page.counts }, files: page.files as readonly object[] as readonly Item[] }
    },
  }),
  method({
    path: 'job/retry',
    title: 'Does what failed of a job again',
    help: 'As a new job. When a job of `sync/*`, `operations/delete` or `check` went through and only some files failed, just those are done again; of a `job/batch` the calls that failed; any other job as a whole.',
    input: jobid,
    output: {
      jobid: required(int, 'Number of the new job'),
      executeId: required(string, 'Of this process'),
      files: optional(int, 'Files and folders that are done again; absent when it is all of the job'),
    },
    run: (one, { jobid: id }) => retryJob(one, id),
  }),
  method({
    path: 'job/history',
    title: 'Lists jobs that have ended, also those of earlier runs of the program',
    help: 'Asynchronous jobs, the newest first, as many as `--rc-job-history` keeps. Of their parameters only those that say what they were about are kept.',
    input: {
      limit: optional(int, 'Jobs at most, 100 when absent'),
      offset: optional(int, 'Newer ones to leave out'),
    },
    output: {
      jobs: required(listOf(object), 'id, executeId, path, group, startTime, endTime, duration, success, error, input'),
    },
    async run({ services }, { limit = 100, offset = 0 }) {
      return { jobs: (await services.journal.read()).slice(offset, offset + limit) }
    },
  }),
  method({
    path: 'job/batch',
    title: 'Run a batch of rclone rc commands concurrently',
    help: 'Each input has a `_path`, the method, beside its parameters. The results are in the order of the inputs; one that failed is an error object.',
    input: {
      inputs: required(list, 'Parameters of calls, each with its _path'),
      concurrency: optional(int, 'Calls at a time; one after the other when 1 (default --transfers)'),
    },
    output: { results: required(listOf(object), 'An answer or an error object for each input') },
    async run(one, { inputs, concurrency = one.ctx.get(mainOptions).transfers }) {
      const results: Readonly<Record<string, unknown>>[] = []
      const workers = new Workers({ slots: Math.max(1, concurrency), backlog: Math.max(1, concurrency) })
      for (const [index, input] of inputs.entries())
        await workers.add(undefined, async () => void (results[index] = { ...(await inBatch(one, input)) }))
      await workers.idle()
      return { results }
    },
  }),
] as const

type Item = Readonly<Record<string, unknown>>

/** The mark for a word of `job/report`. Throws `usage`. */
function markOf(what: string | undefined): Mark | undefined {
  if (what === undefined || what === '') return undefined
  const found = (Object.entries(markWords) as [Mark, string][]).find(([mark, word]) => what === word || what === mark)
  if (!found)
    throw new AppError('usage', `unknown what ${JSON.stringify(what)}: use ${Object.values(markWords).join(', ')}`)
  return found[0]
}

/** Answers one input of a batch. */
async function inBatch(one: Call, input: unknown): Promise<object> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    const error = new AppError('usage', `"inputs" items must be objects not ${goType(input)}`)
    return errorObject(error, 'unknown', null)
  }
  const { _path: path, ...params } = input as Params
  try {
    if (path === undefined) throw new AppError('usage', `Didn't find key "_path" in input`)
    if (typeof path !== 'string')
      throw new AppError('usage', `expecting string value for key "_path" (was ${goType(path)})`)
    const found = one.services.methods.get(path)
    if (!found) throw new AppError('not-found', `couldn't find path ${JSON.stringify(path)}`)
    if (found.needs)
      throw new AppError('usage', `can't run path ${JSON.stringify(path)} as it needs the ${found.needs}`)
    const caller = { signal: () => one.ctx.signal, group: one.job.group, trusted: one.trusted }
    const { output, error } = await call(one.services, found, params, caller)
    return error ? errorObject(error, path, params) : output
  } catch (reason) {
    return errorObject(toAppError(reason), typeof path === 'string' ? path : '', params)
  }
}

function statusOf(job: Job, executeId: string) {
  const { id, group, path, startedAt, endedAt, finished, error, output } = job
  return {
    id,
    executeId,
    group,
    path,
    startTime: wireTime(startedAt),
    endTime: wireTime(endedAt),
    duration: endedAt === undefined ? 0 : (endedAt - startedAt) / 1000,
    finished,
    success: finished && !error,
    error: error?.message ?? '',
    output: finished ? shown(output) : null,
  }
}

function progressOf({ groups }: Call['services'], { group, finished }: Job) {
  if (finished || !groups.has(group)) return { paused: false }
  const { paused } = groups.get(group)
  const { bytes, totalBytes, transfers, totalTransfers, checks, totalChecks, errors, speed, eta } = groups
    .get(group)
    .snapshot() as Record<string, unknown>
  return { paused, progress: { bytes, totalBytes, transfers, totalTransfers, checks, totalChecks, errors, speed, eta } }
}

/** An answer within an answer: its keys are sorted, and a stream has been sent already. */
function shown(output: object | undefined): Readonly<Record<string, unknown>> {
  return output === undefined || output instanceof StreamAnswer ? {} : (plain(output) as Record<string, unknown>)
}
