import { collect } from '../base/body.ts'
import { AppError, messageOf, toAppError } from '../base/error.ts'
import type { HttpRequest } from '../http/message.ts'
import { goType } from '../schema/params.ts'
import type { Params } from '../schema/field.ts'
import { endOfJson } from './json-body.ts'

/** The largest body of a call, bytes: far more than any method needs, and no danger to the memory. */
const LARGEST = 16 * 1024 * 1024
/** Objects within objects, and pairs of a query or form, at most. */
const DEEPEST = 500
const MOST_PAIRS = 10_000

/** The parameters of a call, or why they could not be read; `params` is null when nothing of them could be. */
export interface Input {
  readonly params: Params | null
  readonly error?: AppError
}

/** The parameters in the query of a URL. */
export function readQuery(query: string): Params {
  return pairs(query, () => undefined)
}

/**
 * The parameters of a call (rc.md 1.2): the query, then a form, whose values give way to those of the query, or JSON, whose
 * values win. Bodies of another type are left alone.
 */
export async function readInput(request: HttpRequest): Promise<Input> {
  const params = readQuery(request.query)
  let type: MediaType | undefined
  try {
    type = mediaType(request.header('content-type') ?? '')
  } catch (error) {
    return { params: null, error: toAppError(error) }
  }
  if (type?.name === 'application/x-www-form-urlencoded') return await readForm(request, params)
  if (type?.name !== 'application/json') return { params }
  try {
    if ((type.charset ?? 'utf-8') !== 'utf-8')
      throw new AppError('usage', `unsupported charset ${JSON.stringify(type.charset)} for JSON input`)
    return { params: joined(params, readJson(await text(request, true))) }
  } catch (error) {
    return { params, error: toAppError(error) }
  }
}

interface MediaType {
  readonly name: string
  readonly charset: string | undefined
}

const plainJson: MediaType = { name: 'application/json', charset: undefined }

function mediaType(header: string): MediaType | undefined {
  if (header === '') return undefined
  if (header === plainJson.name) return plainJson
  const [name = '', ...parameters] = header.split(';').map((part) => part.trim())
  if (!/^[\w!#$&^.+-]+(?:\/[\w!#$&^.+-]+)?$/.test(name))
    throw new AppError('usage', 'failed to parse Content-Type: mime: expected token after slash')
  const charset = parameters
    .map((part) => /^charset="?([^"]*)"?$/i.exec(part)?.[1])
    .find((value) => value !== undefined)
  return { name: name.toLowerCase(), charset: charset?.toLowerCase() }
}

async function readForm(request: HttpRequest, query: Params): Promise<Input> {
  try {
    const form = pairs(await text(request), (part) => {
      const escape = badEscape.exec(part)?.[0]
      const why =
        escape === undefined ? 'invalid semicolon separator in query' : `invalid URL escape ${JSON.stringify(escape)}`
      throw new AppError('usage', `failed to parse form/URL parameters: ${why}`)
    })
    return { params: joined(form, query) }
  } catch (error) {
    return { params: null, error: toAppError(error) }
  }
}

/** The body as text; `json` = its first JSON value, and what comes behind is not waited for, as with rclone. */
async function text(request: HttpRequest, json = false): Promise<string> {
  if (request.header('content-encoding') !== undefined)
    throw new AppError('usage', 'a call with a compressed body is not read: send it without Content-Encoding')
  if ((request.contentLength ?? 0) > LARGEST) throw tooLarge()
  try {
    const bytes = await (request.whole?.(LARGEST, json ? endOfJson() : undefined) ?? collect(request.body, LARGEST))
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')
  } catch (error) {
    throw error instanceof RangeError ? tooLarge() : error
  }
}

function tooLarge(): AppError {
  return new AppError('too-large', `the parameters of a call may have ${LARGEST} bytes at most`)
}

function readJson(body: string): Params {
  if (body.trim() === '') return {}
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch (error) {
    throw new AppError('usage', `failed to read input JSON: ${messageOf(error)}`)
  }
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    const kind = Array.isArray(value) ? 'array' : goType(value).replace('float64', 'number')
    throw new AppError(
      'usage',
      `failed to read input JSON: json: cannot unmarshal ${kind} into Go value of type rc.Params`,
    )
  }
  if (body.length > DEEPEST && depth(value) > DEEPEST)
    throw new AppError('usage', 'failed to read input JSON: exceeded max depth')
  return value as Params
}

function depth(value: unknown): number {
  let deepest = 0
  const waiting: (readonly [value: unknown, depth: number])[] = [[value, 0]]
  for (let next = waiting.pop(); next && deepest <= DEEPEST; next = waiting.pop()) {
    const [item, level] = next
    if (typeof item !== 'object' || item === null) continue
    deepest = Math.max(deepest, level + 1)
    for (const inner of Object.values(item)) waiting.push([inner, level + 1])
  }
  return deepest
}

/** The members of both; those of `winner` win. Spreading sets members and nothing else, whatever their names. */
function joined(base: Params, winner: Params): Params {
  return base === none ? winner : { ...base, ...winner }
}

const none: Params = Object.freeze({})

/** Reads `a=1&b=2`; the last of a name counts. A pair that can't be decoded goes to `broken`, and is left out. */
function pairs(text: string, broken: (pair: string) => void): Params {
  if (text === '') return none
  const found: [key: string, value: string][] = []
  for (const pair of text.split('&', MOST_PAIRS)) {
    if (pair === '') continue
    if (pair.includes(';') || badEscape.test(pair)) broken(pair)
    // With a separator in front, for a question mark there would be taken for the beginning of a query.
    else found.push(...new URLSearchParams(`&${pair}`))
  }
  return Object.fromEntries(found)
}

const badEscape = /%(?![0-9a-f]{2}).{0,2}/i
