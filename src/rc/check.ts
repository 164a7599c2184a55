import { AppError } from '../base/error.ts'
import type { Mark } from '../core/outcomes.ts'
import { check } from '../operations/check.ts'
import { hashKind } from '../operations/hashsum.ts'
import { checkSums } from '../operations/sum-file.ts'
import type { Tell } from '../operations/teller.ts'
import { bad } from '../schema/params.ts'
import { openFolder } from './folder.ts'
import type { Call } from './method.ts'

/** The parameters of `operations/check`. */
export interface CheckInput {
  readonly srcFs?: string | undefined
  readonly dstFs: string
  readonly checkFileHash?: string | undefined
  readonly checkFileFs?: string | undefined
  readonly checkFileRemote?: string | undefined
  readonly download?: boolean | undefined
  readonly oneWay?: boolean | undefined
  readonly combined?: boolean | undefined
  readonly missingOnSrc?: boolean | undefined
  readonly missingOnDst?: boolean | undefined
  readonly match?: boolean | undefined
  readonly differ?: boolean | undefined
  readonly error?: boolean | undefined
}

const lists = {
  '-': 'missingOnSrc',
  '+': 'missingOnDst',
  '=': 'match',
  '*': 'differ',
  '!': 'error',
} as const satisfies Record<Mark, keyof CheckInput>

/** The lists that are given unless they are refused. */
const usual: ReadonlySet<string> = new Set(['missingOnSrc', 'missingOnDst', 'differ', 'error'])

type Reports = Partial<Record<'combined' | (typeof lists)[Mark], string[]>>

/** What came of a check: `success`, `status`, and a list of paths for each kind of outcome that was asked for. */
export async function runCheck(call: Call, input: CheckInput): Promise<Outcome & Reports> {
  const reports: Reports = {}
  for (const name of ['combined', ...Object.values(lists)] as const)
    if (input[name] ?? usual.has(name)) reports[name] = []
  const tell: Tell = (mark, path) => {
    reports.combined?.push(`${mark} ${path}`)
    reports[lists[mark]]?.push(path)
  }
  const outcome = await compare(call, input, tell)
  return { ...outcome, ...reports }
}

interface Outcome {
  readonly success: boolean
  readonly status: string
  readonly hashType: string
}

async function compare(call: Call, input: CheckInput, tell: Tell): Promise<Outcome> {
  const { download = false, oneWay = false } = input
  const target = await openFolder(call, input.dstFs)
  let [hashType, unread] = ['', 0]
  const watch: Tell = (mark, path) => {
    if (mark === '!') unread++
    tell(mark, path)
  }
  try {
    let differences: number
    if (input.checkFileHash !== undefined) {
      const list = await sumFile(call, input)
      hashType = list.kind
      const result = await checkSums(call.ctx, target, list, { oneWay, download, tell: watch })
      differences = result.differences
    } else {
      if (input.srcFs === undefined) throw bad('need srcFs parameter when not using checkFileHash')
      const source = await call.openAt(input.srcFs)
      // A source that is one file is compared with its namesake alone.
      const options = { oneWay: oneWay || source.file !== undefined, download, tell: watch }
      const result = await check(call.ctx, source.remote, target, options)
      differences = result.differences
      hashType = result.hashType ?? 'none'
    }
    const status = differences === 0 ? 'OK' : `${differences} differences found`
    return { success: differences === 0, status, hashType }
  } catch (reason) {
    // Files that could not be read are in the list; a folder that could not is an error of the call.
    if (unread === 0 || !(reason instanceof AppError) || call.ctx.signal.aborted) throw reason
    return { success: false, status: `${unread} errors while checking`, hashType }
  }
}

async function sumFile(call: Call, { srcFs, checkFileHash = '', checkFileFs, checkFileRemote }: CheckInput) {
  if (srcFs !== undefined) throw bad('only supply dstFs when using checkFileHash')
  if (checkFileFs === undefined || checkFileRemote === undefined)
    throw bad('need checkFileFs and checkFileRemote parameters when using checkFileHash')
  const remote = await openFolder(call, checkFileFs)
  return { remote, path: checkFileRemote, kind: hashKind(checkFileHash) }
}
