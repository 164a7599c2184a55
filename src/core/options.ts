import { bandwidth } from './timetable.ts'
import { levels, logParts } from './log.ts'
import { defineOptions, option } from '../schema/option.ts'
import { bool, commaList, count, duration, float, int, oneOf, size, string } from '../schema/values.ts'

const MINUTE = 60_000
const words = oneOf(...levels.map((level) => level.toUpperCase()))
/** JSON: also the numbers of syslog, of which older releases of rclone had one more. */
const logLevel: typeof words = { ...words, decode: (json) => words.decode(json === 8 ? 7 : json) }
const MIB = 1024 * 1024
/** Part of a name, and of nothing else. */
const partialSuffix: typeof string = {
  ...string,
  parse: asEnding,
  decode: (json) => asEnding(string.decode(json)),
}

function asEnding(text: string): string {
  if (/^[^/\0]{1,16}$/.test(text)) return text
  throw new Error('an ending of 1 to 16 characters without a slash is needed')
}

/** Global flags that shape work: how much at once, how fast, how often again. rclone's names and defaults (serve-http.md 5.8). */
export const mainOptions = defineOptions('main', {
  transfers: option(int, 4, 'Number of file transfers to run in parallel', { group: 'Performance' }),
  checkers: option(int, 8, 'Number of checks and storage calls to run in parallel', { group: 'Performance' }),
  bufferSize: option(size, 16 * MIB, 'Memory to read ahead with, for each open file of a remote', {
    group: 'Performance',
  }),
  bwLimit: option(
    bandwidth,
    bandwidth.parse('off'),
    'Bandwidth limit in KiB/s, or use suffix B|K|M|G|T|P, or a timetable',
    {
      flag: 'bwlimit',
      group: 'Networking',
      live: true,
    },
  ),
  bwLimitFile: option(bandwidth, bandwidth.parse('off'), 'Bandwidth limit for each file, like --bwlimit', {
    flag: 'bwlimit-file',
    group: 'Networking',
    live: true,
  }),
  retries: option(int, 3, 'Try a whole operation again this many times if it fails', { group: 'Reliability' }),
  retriesInterval: option(duration, 0, 'Wait between tries of a whole operation', {
    flag: 'retries-sleep',
    group: 'Reliability',
  }),
  lowLevelRetries: option(int, 10, 'Number of tries for each storage call', { group: 'Reliability' }),
  connectTimeout: option(duration, MINUTE, 'Time to wait for a connection to a remote', {
    flag: 'contimeout',
    group: 'Networking',
  }),
  timeout: option(duration, 5 * MINUTE, 'Time without any data after which a connection to a remote is given up', {
    group: 'Networking',
  }),
  tpsLimit: option(float, 0, 'Limit storage calls to this many a second; 0 is unlimited', {
    flag: 'tpslimit',
    rc: 'TPSLimit',
    group: 'Networking',
  }),
  tpsLimitBurst: option(int, 1, 'Number of storage calls that may come at once before --tpslimit holds', {
    flag: 'tpslimit-burst',
    rc: 'TPSLimitBurst',
    group: 'Networking',
  }),
  config: option(string, '', 'Configuration file; give "" to keep remotes in memory only', {
    rc: false,
    group: 'Configuration',
  }),
  cacheDir: option(string, '', 'Directory for caches', { rc: false, group: 'Configuration' }),
  tempDir: option(string, '', 'Directory for temporary files', { rc: false, group: 'Configuration' }),
  askPassword: option(bool, true, 'Ask for the password of an encrypted configuration', { group: 'Configuration' }),
  passwordCommand: option(string, '', 'Program that prints the password of an encrypted configuration', {
    exec: true,
    secret: true,
    group: 'Configuration',
  }),
  autoConfirm: option(bool, false, 'Answer questions with their default', { group: 'Configuration' }),
  fsCacheExpireDuration: option(duration, 5 * MINUTE, 'Keep remotes open this long after their last use', {
    group: 'Configuration',
    advanced: true,
  }),
  partialSuffix: option(
    partialSuffix,
    '.partial',
    'Ending of the hidden names that files have on a disk until they are whole; 16 characters at most',
    { group: 'Copy' },
  ),
  useServerModTime: option(bool, false, "Use the storage's own modification time instead of stored metadata", {
    flag: 'use-server-modtime',
    group: 'Performance',
  }),
  color: option(
    oneOf('AUTO', 'NEVER', 'ALWAYS'),
    'AUTO',
    'When to draw in colours (tree); AUTO is on a terminal, unless NO_COLOR is set',
    {
      rc: 'TerminalColorMode',
      group: 'Logging',
    },
  ),
  dump: option(
    commaList,
    [],
    'Show for looking into problems, comma separated: filters, headers (of requests to remotes), auth (headers with logins)',
    {
      asText: true,
      group: 'Logging',
    },
  ),
})

/** What is logged, how and where. */
export const logOptions = defineOptions('log', {
  verbose: option(count, 0, 'Log more: -v for what happens, -vv for every detail', {
    short: 'v',
    rc: false,
    group: 'Logging',
  }),
  quiet: option(bool, false, 'Log errors only', { short: 'q', rc: false, group: 'Logging' }),
  level: option(logLevel, 'NOTICE', 'Least severe level to log', {
    flag: 'log-level',
    rc: 'LogLevel',
    live: true,
    group: 'Logging',
  }),
  file: option(string, '', 'Log to this file instead of standard error; SIGHUP opens it anew', {
    flag: 'log-file',
    group: 'Logging',
  }),
  format: option(commaList, ['date', 'time'], `Parts of a log line: ${logParts.join(',')}`, {
    flag: 'log-format',
    asText: true,
    group: 'Logging',
  }),
  useJsonLog: option(bool, false, 'Log one JSON object a line', { rc: 'UseJSONLog', group: 'Logging' }),
  systemd: option(bool, false, 'Start log lines with the priority that journald reads', {
    flag: 'log-systemd',
    rc: 'LogSystemdSupport',
    group: 'Logging',
  }),
})

/** The periodic summary of what was transferred. */
export const statsOptions = defineOptions('stats', {
  interval: option(duration, MINUTE, 'Time between summaries in the log; 0 turns them off', {
    flag: 'stats',
    rc: false,
    group: 'Logging',
  }),
  logLevel: option(logLevel, 'INFO', 'Level at which summaries are logged', {
    flag: 'stats-log-level',
    rc: 'StatsLogLevel',
    group: 'Logging',
  }),
  oneLine: option(bool, false, 'Make the summary one line', {
    flag: 'stats-one-line',
    rc: 'StatsOneLine',
    group: 'Logging',
  }),
  oneLineDate: option(bool, false, 'Make the summary one line that starts with the date', {
    flag: 'stats-one-line-date',
    rc: 'StatsOneLineDate',
    group: 'Logging',
  }),
  oneLineDateFormat: option(string, '', 'Make the summary one line that starts with the date in this Go layout', {
    flag: 'stats-one-line-date-format',
    rc: 'StatsOneLineDateFormat',
    group: 'Logging',
  }),
  fileNameLength: option(int, 45, 'Longest file name in a summary; 0 is unlimited', {
    flag: 'stats-file-name-length',
    rc: 'StatsFileNameLength',
    group: 'Logging',
  }),
  unit: option(oneOf('bits', 'bytes'), 'bytes', 'Unit of data rates in summaries', {
    flag: 'stats-unit',
    rc: 'DataRateUnit',
    group: 'Logging',
  }),
})
