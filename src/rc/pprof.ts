import { getHeapSnapshot } from 'node:v8'
import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { HttpRequest, HttpResponse } from '../http/message.ts'
import { flagName } from '../schema/option.ts'
import type { OptionSet } from '../schema/options.ts'
import type { Page } from './handler.ts'
import { readQuery } from './input.ts'
import { encodeProfile, type Profile, profileText } from './profile.ts'
import { activeResources, counted, profileCpu, profileHeap, trace } from './profilers.ts'

/** The longest time for which a request may have the process looked at, seconds. */
const LONGEST = 600

/** `seconds` is what was asked for; `signal` ends the wait. */
type Look = (seconds: number | undefined, signal: AbortSignal) => Promise<Profile> | Profile

/** The profiles by name, with what each is, for the index. */
const profiles: Readonly<Record<string, readonly [look: Look, meaning: string]>> = {
  allocs: [
    (seconds = 5, signal) => profileHeap(seconds * 1000, 'alloc', signal),
    'What was put on the heap within ?seconds=5',
  ],
  block: [() => counted('contentions', []), 'Always empty: Node.js has no such profile'],
  goroutine: [() => activeResources(), 'What the process waits for: timers, sockets, requests of files'],
  heap: [
    (seconds = 5, signal) => profileHeap(seconds * 1000, 'inuse', signal),
    'What was put on the heap within ?seconds=5 and is still there',
  ],
  mutex: [() => counted('contentions', []), 'Always empty: Node.js has no such profile'],
  profile: [(seconds = 30, signal) => profileCpu(seconds * 1000, signal), 'Where the processor was, for ?seconds=30'],
  threadcreate: [() => counted('threadcreate', []), 'Always empty: Node.js has no such profile'],
}

const others: readonly (readonly [name: string, meaning: string])[] = [
  ['cmdline', 'The command line, without secrets'],
  ['heapsnapshot', 'The whole heap, for the developer tools of Chromium; the program stands still meanwhile'],
  ['symbol', 'Nothing: profiles name their functions'],
  ['trace', 'Events of the engine for ?seconds=1, for chrome://tracing or Perfetto'],
]

/**
 * `/debug/pprof/`: profiles of this process, as `go tool pprof http://host/debug/pprof/profile` reads them; `?debug=1` is for
 * people. Only for servers where whoever comes may do everything.
 */
export function pprofPage(options: OptionSet): Page {
  return async (ctx, request) => {
    const [, name] = /^debug\/pprof(?:\/(.+))?$/.exec(request.path) ?? [undefined, undefined]
    if (request.path !== 'debug/pprof' && name === undefined) return undefined
    // The links of the index are relative.
    if (name === undefined && !request.directory)
      return { status: 308, headers: ['location', `${request.base}/debug/pprof/`], length: 0 }
    // What is measured for a HEAD request would be measured for nothing.
    if (request.method === 'HEAD' && name !== undefined)
      return Object.hasOwn(profiles, name) ? answer('application/octet-stream', '') : undefined
    if (name === undefined) return answer('text/html; charset=utf-8', indexPage())
    if (name === 'cmdline') return answer('text/plain; charset=utf-8', commandLine(options).join('\0'))
    if (name === 'symbol') return answer('text/plain; charset=utf-8', 'num_symbols: 1\n')
    const { seconds, debug } = asked(request)
    if (name === 'trace')
      return download('trace.json', 'application/json', await trace((seconds ?? 1) * 1000, ctx.signal))
    if (name === 'heapsnapshot') return download('sluice.heapsnapshot', 'application/json', getHeapSnapshot())
    const [look] = Object.hasOwn(profiles, name) ? (profiles[name] ?? []) : []
    return look && (await profileAnswer(ctx, name, look, seconds, debug))
  }
}

async function profileAnswer(
  ctx: Context,
  name: string,
  look: Look,
  seconds: number | undefined,
  debug: boolean,
): Promise<HttpResponse> {
  const profile = await look(seconds, ctx.signal)
  if (debug) return answer('text/plain; charset=utf-8', profileText(name, profile))
  return download(`${name}.pb.gz`, 'application/octet-stream', await encodeProfile(profile))
}

function asked({ query }: HttpRequest): { seconds: number | undefined; debug: boolean } {
  const { seconds, debug } = readQuery(query) as Readonly<Record<string, string | undefined>>
  const number = seconds === undefined ? undefined : Number(seconds)
  if (number !== undefined && !(number > 0 && number <= LONGEST))
    throw new AppError('invalid', `seconds must be a number from 0 to ${LONGEST}`)
  return { seconds: number, debug: debug !== undefined && debug !== '0' }
}

/** The command line of this process, with the values of secret flags covered. */
function commandLine({ blocks }: OptionSet): string[] {
  const secret = new Set(
    blocks.flatMap(({ options }) =>
      Object.entries(options)
        .filter(([, option]) => option.secret || option.password)
        .map(([key, option]) => `--${flagName(key, option)}`),
    ),
  )
  const [, , ...args] = process.argv
  const shown = args.map((word, index) => {
    const [flag = ''] = word.split('=')
    if (secret.has(flag) && word.includes('=')) return `${flag}=***`
    return secret.has(args[index - 1] ?? '') ? '***' : word
  })
  return [...process.argv.slice(0, 2), ...shown]
}

function answer(type: string, body: string): HttpResponse {
  return { status: 200, headers: ['content-type', type, 'x-content-type-options', 'nosniff'], body }
}

function download(name: string, type: string, body: NonNullable<HttpResponse['body']>): HttpResponse {
  return { status: 200, headers: ['content-type', type, 'content-disposition', `attachment; filename="${name}"`], body }
}

function indexPage(): string {
  const all = [...Object.entries(profiles).map(([name, [, meaning]]) => [name, meaning] as const), ...others]
  const rows = all
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, meaning]) => {
      const debug = Object.hasOwn(profiles, name) ? '?debug=1' : ''
      return `<tr><td><a href='${name}${debug}'>${name}</a></td><td>${meaning}</td></tr>`
    })
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>/debug/pprof/</title></head>
<body>
<h1>/debug/pprof/</h1>
<p>Types of profiles available:</p>
<table>
<thead><tr><th>Profile</th><th>Meaning</th></tr></thead>
${rows.join('\n')}
</table>
<p>Without <code>debug=1</code> they are read by <code>go tool pprof</code>.</p>
</body>
</html>
`
}
