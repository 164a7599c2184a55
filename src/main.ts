import { readFile } from 'node:fs/promises'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { AppError, errorCode, messageOf, toAppError } from './base/error.ts'
import { App } from './app.ts'
import { backendsOf, commands, globals } from './catalog.ts'
import { askHidden } from './commands/ask.ts'
import type { Command, CommandIo } from './commands/command.ts'
import { dispatch, findCommand } from './commands/dispatch.ts'
import { applyEnvironment } from './commands/environment.ts'
import { exitCodeOf, exitCodeOfSignal, exitCodes } from './commands/exit.ts'
import { type CommandLine, type Flag, flagsOf, parseCommandLine } from './commands/flags.ts'
import { helpText } from './commands/help.ts'
import { startRc } from './commands/rcd.ts'
import { Signals } from './commands/signals.ts'
import { filterOptions } from './core/filter-options.ts'
import { dumpFilters, loadFilter, type RuleFilter } from './core/filter-rules.ts'
import { Lines } from './core/lines.ts'
import { createLogger, type Level, levels, type LogPart, logParts, type Logger } from './core/log.ts'
import { logOptions, mainOptions } from './core/options.ts'
import { metricsHttpOptions, rcOptions } from './rc/options.ts'
import type { Backend } from './remote/backend.ts'
import type { OptionBlock } from './schema/option.ts'
import { OptionSet } from './schema/options.ts'
import { version } from './version.ts'

/** The program: reads the command line, runs the command and sets the exit status. Never throws. */
export async function main(argv: readonly string[] = process.argv.slice(2)): Promise<void> {
  const lines: Lines[] = []
  let log: Logger | undefined
  try {
    const backends = backendsOf()
    const { command, args, line, flags } = read(argv, backends)
    if (!command || line.help || line.version) return await explain(line, command, backends)
    const options = new OptionSet([...(command.options ?? []), ...globals])
    applyEnvironment(process.env, flags, options)
    for (const { block, key, value } of line.assignments) options.set(block, key, value, 'flag')
    log = openLog(options, lines)
    process.exitCode = await runCommand(command, args, { options, backends, log, lines })
  } catch (reason) {
    process.exitCode = complain(toAppError(reason), log)
  } finally {
    for (const line of lines) line.close()
  }
}

interface Read {
  readonly command: Command | undefined
  readonly args: readonly string[]
  readonly line: CommandLine
  /** The flags that this command knows. */
  readonly flags: ReadonlyMap<string, Flag>
}

function read(argv: readonly string[], backends: readonly Backend[]): Read {
  const shared = [...globals, ...backends.map((backend) => backend.options)]
  // The command decides which flags there are, but flags must be told from words to find the command.
  const every = flagsOf([...shared, ...commands.flatMap((command) => command.options ?? [])])
  // Two commands may mean different things by one flag, so values are not looked at before the command is known.
  const { words, help, version: askedVersion, assignments } = parseCommandLine(argv, every, { values: false })
  const found = findCommand(words, commands)
  // One command has a flag of that name.
  const asksVersion = askedVersion && !flagsOf(found.command?.options ?? []).has('version')
  if (words.length === 0 || help || asksVersion)
    return {
      command: found.command,
      args: found.args,
      line: { words, help, version: asksVersion, assignments },
      flags: every,
    }
  const flags = flagsOf([...((found.command ?? dispatch(words, commands).command).options ?? []), ...shared])
  const line = parseCommandLine(argv, flags)
  return { ...dispatch(line.words, commands), line, flags }
}

async function explain(line: CommandLine, command: Command | undefined, backends: readonly Backend[]): Promise<void> {
  const topic = line.version ? ['version'] : command ? command.name.split(' ') : line.words
  const text = line.version ? `sluice v${version}\n` : helpText(topic, { commands, globals, version, backends })
  await stdout(text)
}

interface Parts {
  readonly options: OptionSet
  readonly backends: readonly Backend[]
  readonly log: Logger
  readonly lines: readonly Lines[]
}

async function runCommand(command: Command, args: readonly string[], parts: Parts): Promise<number> {
  const { options, log } = parts
  const filter = await loadFilter(options.get(filterOptions), { readFile: readText, now: Date.now() })
  for (const warning of filter.warnings) log.notice(warning)
  await dump(options.get(mainOptions).dump, filter, log)
  const app = new App({ ...parts, filter, env: process.env, askPassword: process.stdin.isTTY ? askHidden : undefined })
  const signals = new Signals(process)
  signals.onHangup(() => parts.lines.forEach((line) => line.reopen()))
  signals.kill.addEventListener('abort', () => process.exit(exitCodeOfSignal(signals.received ?? 'SIGTERM')))
  let quitCode: number | undefined
  const crash = (reason: unknown) => crashed(reason, signals, log)
  process.on('uncaughtException', crash)
  try {
    const io: CommandIo = {
      args,
      ctx: app.ctx,
      env: process.env,
      backends: app.backends,
      commands,
      globals,
      version,
      stdin: process.stdin,
      signals,
      bandwidth: app.bandwidth,
      options,
      groups: app.groups,
      events: app.events,
      outcomes: app.outcomes,
      vfses: app.vfses,
      lives: app.lives,
      caches: app.caches,
      cacheDir: app.cacheDir,
      tempDir: options.get(mainOptions).tempDir || tmpdir(),
      get configPath() {
        return app.configPath
      },
      config: () => app.config(),
      useConfig: (path, password) => app.useConfig(path, password),
      remotes: app.remotes,
      quit(exitCode) {
        quitCode = exitCode
        // The answer to whoever said so goes first.
        setTimeout(() => signals.end(), QUIT_MS).unref()
      },
      get: (block) => options.get(block),
      isSet: (block: OptionBlock, key: string) => options.source(block, key) !== 'default',
      stdout,
      stderr: (text) => void process.stderr.write(text),
    }
    const servers: (() => Promise<void>)[] = []
    try {
      if (options.get(metricsHttpOptions).addr.length > 0) servers.push(await startMetrics(io))
      if (options.get(rcOptions).enabled && command.name !== 'rcd') servers.push(await startRc(io))
      const status = (await command.run(io)) ?? 0
      return signals.crashed ? exitCodes.crash : (quitCode ?? status)
    } finally {
      await Promise.all(servers.map((stop) => stop()))
    }
  } finally {
    process.off('uncaughtException', crash)
    signals.close()
    await app.close()
  }
}

/** Serves metrics apart; gives the way to end that. Loaded when it is asked for. */
async function startMetrics(io: CommandIo): Promise<() => Promise<void>> {
  const { openMetricsServer } = await import('./commands/metrics-server.ts')
  return await openMetricsServer(io)
}

/** How long the program goes on after `core/quit`, ms. */
const QUIT_MS = 100

/** How long a command may take to end in order after a mistake in the program came to light, ms. */
const CRASH_MS = 15_000

/**
 * After an error that nobody handled the state is unknown: nothing new is begun, what runs may end, then the program does. Not
 * for a file that somebody forgot to close: the collector has closed it, and that Node calls it an error ends no server.
 */
function crashed(reason: unknown, signals: Signals, log: Logger): void {
  if (errorCode(reason) === 'ERR_INVALID_STATE' && /garbage collection/.test(messageOf(reason))) {
    log.error(`internal error: a file was left open: ${/\(.*\)/.exec(messageOf(reason))?.[0] ?? ''}`)
    return
  }
  const first = !signals.crashed
  signals.crashed = true
  const [message = '', ...lines] = (reason instanceof Error && reason.stack ? reason.stack : String(reason)).split('\n')
  log.error(`internal error, ending: ${message}`, { lines })
  if (!signals.awaited || !first) setImmediate(() => process.exit(exitCodes.crash))
  setTimeout(() => process.exit(exitCodes.crash), CRASH_MS).unref()
  if (first) signals.end()
}

/** What `--dump` shows, filters here and the others as they are sent (net/dump.ts), and what else it may name. */
const dumped = new Set(['filters', 'headers', 'auth'])
const dumpable = ['headers', 'bodies', 'requests', 'responses', 'auth', 'filters', 'goroutines', 'openfiles', 'mapper']

async function dump(parts: readonly string[], filter: RuleFilter, log: Logger): Promise<void> {
  const wrong = parts.find((part) => !dumpable.includes(part))
  if (wrong !== undefined)
    throw new AppError('usage', `unknown part ${JSON.stringify(wrong)} in --dump: use ${dumpable.join(',')}`)
  if (parts.includes('filters')) await stdout(dumpFilters(filter))
  for (const part of parts) if (!dumped.has(part)) log.warn(`--dump ${part} has no effect yet`)
}

async function readText(path: string): Promise<string> {
  if (path !== '-')
    return await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new AppError('invalid', `cannot read a file of filter rules: ${messageOf(cause)}`, { cause })
    })
  process.stdin.setEncoding('utf8')
  let text = ''
  for await (const chunk of process.stdin) text += chunk as string
  return text
}

function openLog(options: OptionSet, opened: Lines[]): Logger {
  const { verbose, quiet, level, file, format, useJsonLog, systemd } = options.get(logOptions)
  const wrong = format.find((part) => !(logParts as readonly string[]).includes(part))
  if (wrong !== undefined)
    throw new AppError('usage', `unknown part ${JSON.stringify(wrong)} in --log-format: use ${logParts.join(',')}`)
  if (quiet && verbose > 0) throw new AppError('usage', "can't set -v and -q together")
  const explicit = options.source(logOptions, 'level') !== 'default'
  if (explicit && (quiet || verbose > 0)) throw new AppError('usage', "can't set -v or -q together with --log-level")
  const lines = new Lines(file === '' ? 2 : file)
  opened.push(lines)
  const chosen: Level = quiet
    ? 'error'
    : verbose >= 2
      ? 'debug'
      : verbose === 1
        ? 'info'
        : (level.toLowerCase() as Level)
  const log = createLogger({
    level: levels.includes(chosen) ? chosen : 'notice',
    parts: new Set([...(format as LogPart[]), ...(useJsonLog ? (['json'] as const) : [])]),
    systemd,
    write: (line) => lines.write(line),
  })
  if (quiet || verbose > 0) options.set(logOptions, 'level', chosen.toUpperCase(), 'flag')
  options.onChange((block, key) => {
    if (block === logOptions && key === 'level') log.setLevel(options.get(logOptions).level.toLowerCase() as Level)
  })
  return log
}

/** Tells the person what went wrong and gives the exit status. */
function complain(error: AppError, log: Logger | undefined): number {
  if (log && error.code !== 'usage') log.error(error.message)
  else process.stderr.write(`sluice: ${error.message}\n`)
  return exitCodeOf(error)
}

async function stdout(data: string | Uint8Array): Promise<void> {
  if (!process.stdout.write(data)) await once(process.stdout, 'drain')
}
