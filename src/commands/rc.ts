import type { Body } from '../base/body.ts'
import { AppError, messageOf } from '../base/error.ts'
import { encodeJson, plain } from '../base/json.ts'
import { call } from '../rc/call.ts'
import { errorObject } from '../rc/error.ts'
import { StreamAnswer } from '../rc/method.ts'
import { rcAuthOptions, rcHttpOptions } from '../rc/options.ts'
import type { Params } from '../schema/field.ts'
import { goType } from '../schema/params.ts'
import { defineOptions, option } from '../schema/option.ts'
import { bool, password, string, strings } from '../schema/values.ts'
import type { Command, CommandIo } from './command.ts'
import type { Reply } from './rc-client.ts'
import { fixUrl, type Target } from './rc-target.ts'

const rcClientOptions = defineOptions('rc-client', {
  url: option(string, 'http://localhost:5572/', 'URL of the remote control; :PORT is on this machine'),
  user: option(string, '', 'User to log in as'),
  pass: option(password, '', 'Password to log in with', { secret: true }),
  json: option(string, '', 'The parameters as a JSON object; not together with KEY=VALUE'),
  arg: option(strings, [], 'Item for the parameter "arg", a list; can be given several times', { short: 'a' }),
  opt: option(strings, [], 'NAME=VALUE or NAME for the parameter "opt", an object; can be given several times', {
    short: 'o',
  }),
  loopback: option(bool, false, 'Make the call in this process: there is no server then'),
  noOutput: option(bool, false, 'Print nothing when the call succeeds'),
  unixSocket: option(string, '', 'Path of a unix socket to reach the remote control at'),
})

/** Calls a method of a remote control: of ours, or of rclone's (rc.md section 4). */
export const rcCommand: Command = {
  name: 'rc',
  usage: '[METHOD [KEY=VALUE]...]',
  summary: 'Call a method of a running remote control',
  help: `Prints what the method answers as JSON. Without a METHOD it prints what there is to call.

--rc-addr, --rc-user and --rc-pass mean the same as --url, --user and --pass and win over them, so that one line of flags can
serve both ends.`,
  examples: [
    ['sluice rc core/stats', 'of the remote control at localhost:5572'],
    ['sluice rc --url :5573 --user me --pass secret operations/list fs=nas: remote=films', 'with a login'],
    ['sluice rc core/command -a nas: -o max-depth=1 command=ls', 'with lists: -a adds to "arg", -o to "opt"'],
    ['sluice rc --loopback operations/size fs=nas:', 'without a server'],
  ],
  options: [rcClientOptions],
  args: [0, Infinity],
  async run(io) {
    const [first, ...pairs] = io.args
    if (first === undefined) return await list(io)
    const path = first.replace(/^\/+|\/+$/g, '')
    const input = parameters(io, pairs)
    const streams = typeof input.returnType === 'string' && input.returnType.startsWith('STREAM')
    const finish = (reply: Reply) => show(io, path, reply)
    if (io.get(rcClientOptions).loopback) return await loopback(io, path, input, finish)
    await finish(await callServer(io, path, JSON.stringify(input), streams))
  },
}

/** The parameters of the command line. */
function parameters(io: CommandIo, pairs: readonly string[]): Params {
  const { json, arg, opt } = io.get(rcClientOptions)
  const input = Object.create(null) as Record<string, unknown>
  for (const pair of pairs) {
    const at = pair.indexOf('=')
    if (at < 0) throw new AppError('invalid', `no '=' found in parameter ${JSON.stringify(pair)}`)
    input[pair.slice(0, at)] = pair.slice(at + 1)
  }
  if (json !== '') {
    if (pairs.length > 0) throw new AppError('invalid', "can't use --json and parameters together")
    Object.assign(input, jsonOf(json))
  }
  if (arg.length > 0) input.arg = arg
  if (opt.length > 0)
    input.opt = Object.fromEntries(
      opt.map((text) => {
        const at = text.indexOf('=')
        return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)]
      }),
    )
  return input
}

function jsonOf(text: string): object {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    // What JSON.parse says quotes the text, which may hold a password.
    const at = /at position \d+(?: \(line \d+ column \d+\))?/.exec(messageOf(error))?.[0]
    throw new AppError('invalid', `bad --json input: it is no JSON${at ? ` ${at}` : ''}`)
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new AppError('invalid', `bad --json input: an object is needed, not ${goType(value)}`)
}

function targetOf(io: CommandIo): Target {
  const own = io.get(rcClientOptions)
  const [http, auth] = [io.get(rcHttpOptions), io.get(rcAuthOptions)]
  const [addr] = io.isSet(rcHttpOptions, 'addr') ? http.addr : []
  const socket = /^(?:unix:\/\/)?(\/.*)$/.exec(addr ?? '')?.[1] ?? own.unixSocket
  const text = addr === undefined ? own.url : addr.replace(/^tls:\/\//, 'https://')
  const base = addr === undefined || http.baseurl === '' ? '' : http.baseurl.replace(/^\/+/, '')
  const url = socket === '' ? fixUrl(text) : new URL('http://localhost/')
  const at = base === '' ? url : new URL(base.endsWith('/') ? base : `${base}/`, url)
  return {
    url: at,
    ...(socket === '' ? {} : { socketPath: socket }),
    user: io.isSet(rcAuthOptions, 'user') ? auth.user : own.user,
    pass: io.isSet(rcAuthOptions, 'pass') ? auth.pass : own.pass,
  }
}

/** Calls the server that the flags name. What speaks HTTP is loaded for it alone: that takes longer than all else at the start. */
async function callServer(io: CommandIo, path: string, body: string, streams = false): Promise<Reply> {
  const { callOverHttp } = await import('./rc-client.ts')
  return await callOverHttp(io.ctx, targetOf(io), path, body, streams)
}

/** Prints what came of a call, and throws when it failed. */
async function show(io: CommandIo, path: string, { output, stream, error, retry = false }: Reply): Promise<void> {
  if (error) {
    await io.stdout(encodeJson(error))
    const options = { retry: retry ? 'now' : false } as const
    throw new AppError('io', `operation ${JSON.stringify(path)} failed: ${error.error}`, options)
  }
  if (stream) await printAll(io, stream)
  else if (!io.get(rcClientOptions).noOutput) await io.stdout(encodeJson(output))
}

async function printAll(io: CommandIo, body: Body): Promise<void> {
  for await (const chunk of body) await io.stdout(chunk)
}

/** Makes the call in this process. */
async function loopback(
  io: CommandIo,
  path: string,
  input: Params,
  finish: (reply: Reply) => Promise<void>,
): Promise<void> {
  const { openControl } = await import('./rc-server.ts')
  const control = openControl(io)
  const { services } = control
  try {
    const found = services.methods.get(path)
    if (!found || found.needs === 'request') {
      const error = found
        ? new AppError('usage', `can't run path ${JSON.stringify(path)} as it needs the request`)
        : new AppError('not-found', `couldn't find method ${JSON.stringify(path)}`)
      return await finish({ error: errorObject(error, path, input) })
    }
    const outcome = await call(services, found, input, { trusted: true, signal: () => io.signals.stop })
    if (outcome.error) return await finish({ error: errorObject(outcome.error, path, input) })
    if (outcome.output instanceof StreamAnswer) return await finish({ stream: outcome.output.body })
    await finish({ output: plain(outcome.output) })
    // Nobody else would let it come to its end.
    if (outcome.detached) await services.jobs.idle()
  } finally {
    await control.close()
  }
}

/** Prints the help of all methods of the server. */
async function list(io: CommandIo): Promise<void> {
  let found: unknown
  if (io.get(rcClientOptions).loopback)
    await loopback(io, 'rc/list', {}, async ({ output }) => {
      found = output
    })
  else {
    const reply = await callServer(io, 'rc/list', 'null')
    if (reply.error) return await show(io, 'rc/list', reply)
    found = reply.output
  }
  const { commands } = found as { commands?: unknown }
  if (!Array.isArray(commands)) throw new AppError('io', 'bad JSON: the server gave no list of commands')
  for (const one of commands as Readonly<Record<string, unknown>>[]) await io.stdout(described(one))
}

function described({ Path, Title, Help, AuthRequired, NoAuth }: Readonly<Record<string, unknown>>): string {
  const [path, title, help] = [Path, Title, Help].map((text) => (typeof text === 'string' ? text : ''))
  const auth =
    AuthRequired === true || NoAuth === false
      ? '\n**Authentication is required for this call.**\n'
      : NoAuth === true
        ? '\n**Authentication is not required for this call.**\n'
        : ''
  return `### ${path}: ${title} {#${path?.replaceAll('/', '-')}}\n\n${help}\n${auth}\n`
}
