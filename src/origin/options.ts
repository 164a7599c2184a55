import { defineOptions, option } from '../schema/option.ts'
import type { Values } from '../schema/option.ts'
import { bool, oneOf, size, string, strings } from '../schema/values.ts'

const group = 'Serving'
const MiB = 1024 * 1024

/** What is served and how it looks. */
export const originOptions = defineOptions('origin', {
  read: option(
    strings,
    [],
    'Remote or folder to serve, as [NAME=]REMOTE:PATH. Give it several times: / then lists them under their names',
    { aliases: ['rdirs'], group },
  ),
  write: option(string, '', 'Take uploads (PUT, POST, PATCH, DELETE) into this remote or folder', {
    aliases: ['wdir'],
    group,
  }),
  maxUpload: option(size, 50 * MiB, 'Largest file to take; off is unlimited', { aliases: ['maxs'], group }),
  rules: option(
    string,
    '',
    'File that says who may read and write what: sections are folders or URLs, with name, ru, rg, wu, wg. Alone it also says what to serve; read anew when it changes',
    { group },
  ),
  hook: option(
    string,
    '',
    'JavaScript or TypeScript module that sees each request and may answer or change it; a script written for gpac works as well. Read anew when it changes',
    { aliases: ['js'], exec: true, group },
  ),
  noHoles: option(bool, false, 'Refuse parts of files that would leave bytes out before them', { group }),
  cors: option(
    oneOf('off', 'on', 'auto'),
    'off',
    'Let web pages of any origin read, and write: on every response (on), or where a page asks (auto). --allow-origin names single ones',
    { group },
  ),
  serverUtc: option(bool, false, 'Send the time in milliseconds as Server-UTC, for players to set their clock by', {
    aliases: ['sutc'],
    group,
  }),
  cacheControl: option(
    strings,
    [],
    'Cache-Control to send, for files that match a pattern as "PATTERN VALUE", for all others as "VALUE". The first that fits counts; none sends none, and no ETag. Give it several times',
    { group },
  ),
  reqLog: option(
    string,
    '',
    'Log the begin and the end of requests with these methods: GET,HEAD,PUT,POST,PATCH,DEL,OPT, or * for all; REC logs the files that are written. A leading - leaves the ends out',
    { aliases: ['reqlog'], group },
  ),
  exitWhenIdle: option(bool, false, 'End when the last client has left, once there was one: for tests', {
    group,
    advanced: true,
  }),
  template: option(string, '', 'File with a template (Go html/template, as for rclone) for directory pages', {
    rc: 'Template.Path',
    group,
  }),
  disableDirList: option(bool, false, 'Answer 404 for directories instead of listing them', { group }),
  disableZip: option(bool, false, 'Offer no ?download=zip of directories', { group }),
  zipMethod: option(oneOf('store', 'deflate'), 'store', 'Whether zip downloads are stored (size known) or compressed', {
    group,
  }),
  strictSlash: option(bool, false, 'Answer 404 for a directory without its slash instead of redirecting', { group }),
  allowMissingRoot: option(bool, false, 'Start although the directory to serve does not exist', { group }),
  index: option(string, '', 'Serve this file of a directory, such as index.html, instead of a listing', { group }),
  noRange: option(bool, false, 'Ignore Range headers and always send whole files', {
    aliases: ['norange'],
    group,
  }),
  gpacMultirange: option(
    bool,
    false,
    "Send several ranges to GPAC's own client as it asks for them: bytes=0-1,bytes=4-5, one behind the other in one body",
    { group, advanced: true },
  ),
  compress: option(
    oneOf('on', 'off', 'fast', 'best'),
    'on',
    'Compress text for clients that accept it: on|off|fast|best',
    {
      group,
      live: true,
    },
  ),
  compressMax: option(
    size,
    8 * MiB,
    'Largest file to compress; larger ones are sent as they are. 0 compresses nothing',
    {
      aliases: ['zmax'],
      group,
      live: true,
    },
  ),
  favicon: option(bool, false, 'Answer /favicon.ico with an icon of our own when the remote has none', { group }),
  robots: option(bool, false, 'Answer /robots.txt with "Disallow: /" when the remote has none; with a login always', {
    group,
  }),
})

export type OriginOptions = Values<typeof originOptions>
