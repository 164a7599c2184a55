import { AppError, toAppError } from '../base/error.ts'
import type { Context, OwnValues } from '../core/context.ts'
import { type Filter, narrowed } from '../core/filter.ts'
import { filterOptions } from '../core/filter-options.ts'
import type { HttpRequest } from '../http/message.ts'
import { decode, type Params } from '../schema/field.ts'
import { bool, object, string } from '../schema/params.ts'
import { type BlockValues, readBlock, readFlat } from './block-values.ts'
import type { Job } from './jobs.ts'
import { Answer, type Call, type Method } from './method.ts'
import type { RcBlock, Services } from './services.ts'

/** Who calls, and how. */
export interface Caller {
  /** The HTTP request that carries the call. */
  readonly request?: HttpRequest
  /** The caller waits for this call: it ends when the signal aborts. */
  readonly signal?: () => AbortSignal
  /** Answer at once with the number of the job (`Prefer: respond-async`). */
  readonly async?: boolean
  /** A person at the command line: may build remotes that run programs. */
  readonly trusted?: boolean
  /** Of a call that goes by a filter: only these files, and what lies in folders of these paths. */
  readonly only?: readonly string[]
  /** Stats group for a call that names none: that of the call it is a part of. */
  readonly group?: string
}

/** What came of a call. */
export interface Outcome {
  /** Undefined when it was refused before it became a job. */
  readonly job: Job | undefined
  /** It goes on; the output is `{jobid, executeId}`. */
  readonly detached: boolean
  readonly output: object
  readonly error: AppError | undefined
}

/** The parameters that are about the call, not for the method (rc.md section 2). */
const special = ['_async', '_group', '_config', '_filter', '_request', '_response', '_path']

/**
 * Calls a method as a job: its parameters are read, the special ones set up its context, and its output or its error comes
 * back. Never throws.
 */
export async function call(services: Services, method: Method, input: Params, caller: Caller = {}): Promise<Outcome> {
  const id = services.jobs.nextId()
  try {
    const detached = (caller.async ?? false) || (Object.hasOwn(input, '_async') && bool.read('_async', input._async))
    const setting = await settingOf(services, method, input)
    const named = Object.hasOwn(input, '_group') ? string.read('_group', input._group) : ''
    const group = named === '' ? caller.group : named
    // The body of the request ends with it: such a job has ended when its caller is told of it.
    const attached = !detached || method.needs === 'request'
    const start = { id, path: method.path, input, group, detached, ...(attached ? { signal: caller.signal } : {}) }
    const { job, done } = services.jobs.begin(start, (running) => run(services, method, setting, running, caller))
    if (detached && attached) await done
    if (detached)
      return { job, detached, output: { jobid: job.id, executeId: services.jobs.executeId }, error: undefined }
    const { output, error } = await done
    return { job, detached, output: output ?? {}, error }
  } catch (reason) {
    return { job: undefined, detached: false, output: {}, error: toAppError(reason) }
  }
}

interface Setting {
  readonly params: Params
  readonly values: OwnValues | undefined
  readonly filter: Filter | undefined
}

/** Takes the special parameters apart: what they set, and what is left for the method. */
async function settingOf(services: Services, method: Method, input: Params): Promise<Setting> {
  const main = services.blocks.find(({ name }) => name === 'main') as RcBlock
  const filter = services.blocks.find(({ name }) => name === 'filter') as RcBlock
  const isFlat = (key: string) => (main.flat.has(key) || filter.flat.has(key)) && !Object.hasOwn(method.input, key)
  // The usual call has nothing of all that.
  if (!Object.keys(input).some((key) => special.includes(key) || isFlat(key)))
    return { params: input, values: undefined, filter: undefined }
  const values: BlockValues = new Map()
  const taken = new Set(special)
  const flat = Object.fromEntries(Object.entries(input).filter(([key]) => isFlat(key)))
  for (const block of [main, filter]) {
    const read = readFlat(block, flat)
    for (const key of read.taken) taken.add(key)
    merge(values, read.values)
  }
  const params: Params = Object.fromEntries(Object.entries(input).filter(([key]) => !taken.has(key)))
  for (const [key, block] of [
    ['_config', main],
    ['_filter', filter],
  ] as const)
    if (input[key] !== null && Object.hasOwn(input, key)) merge(values, readNamed(block, key, input[key]))
  const rules = values.get(filterOptions)
  return {
    params,
    values: values.size > 0 ? values : undefined,
    filter: rules && (await services.filterOf(rules)),
  }
}

/** The values in `_config` or `_filter`. Throws `usage` for one that does not fit. */
function readNamed(block: RcBlock, key: string, value: unknown): BlockValues {
  try {
    return readBlock(block, object.read(key, value))
  } catch (reason) {
    const error = toAppError(reason)
    if (error.code !== 'usage' || error.message.startsWith('key ')) throw error
    throw new AppError('usage', `key ${JSON.stringify(key)}: ${error.message}`, { cause: error })
  }
}

function merge(into: BlockValues, from: BlockValues): void {
  for (const [block, values] of from) into.set(block, { ...into.get(block), ...values })
}

async function run(
  services: Services,
  method: Method,
  { params, values, filter }: Setting,
  job: Job,
  caller: Caller,
): Promise<object> {
  const { request, trusted = false, only } = caller
  const shown = filter ?? services.filter
  const ctx: Context = services.ctx.with({
    signal: () => job.signal,
    stats: () => services.groups.get(job.group),
    filter: only && !deletesExcluded(services, values) ? narrowed(shown, only) : shown,
    ...(values ? { values } : {}),
  })
  const one: Call = {
    ctx,
    services,
    raw: params,
    job,
    trusted,
    ...(request ? { request } : {}),
    async open(spec) {
      return await (await services.remotes()).open(spec, { exec: trusted || services.allowExec })
    },
    async openAt(spec) {
      return await (await services.remotes()).openAt(spec, { exec: trusted || services.allowExec })
    },
    async canonical(spec) {
      return await (await services.remotes()).canonical(spec)
    },
  }
  const output = (await method.run(one, decode(method.input, params))) ?? {}
  return output instanceof Answer ? output.fields : output
}

/** Whether files that no filter shows are deleted: then a narrower filter would delete more. */
function deletesExcluded({ ctx }: Services, values: OwnValues | undefined): boolean {
  return (values?.get(filterOptions)?.deleteExcluded ?? ctx.get(filterOptions).deleteExcluded) === true
}
