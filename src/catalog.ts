import { localBackend } from './backends/local/index.ts'
import { memoryBackend } from './backends/memory/index.ts'
import { archiveBackend } from './backends/archive/index.ts'
import { aliasBackend } from './backends/alias.ts'
import { azureblobBackend } from './backends/azureblob/index.ts'
import { cacheBackend } from './backends/cache/index.ts'
import { chunkerBackend } from './backends/chunker/index.ts'
import { combineBackend } from './backends/combine.ts'
import { cryptBackend } from './backends/crypt/index.ts'
import { ftpBackend } from './backends/ftp/index.ts'
import { gcsBackend } from './backends/googlecloudstorage/index.ts'
import { hasherBackend } from './backends/hasher/index.ts'
import { httpBackend } from './backends/http/index.ts'
import { s3Backend } from './backends/s3/index.ts'
import { sftpBackend } from './backends/sftp/index.ts'
import { swiftBackend } from './backends/swift/index.ts'
import { unionBackend } from './backends/union/index.ts'
import { webdavBackend } from './backends/webdav/index.ts'
import { completeCommand, completionCommand, genautocompleteCommand } from './commands/completion.ts'
import { configCommands } from './commands/config.ts'
import type { Command } from './commands/command.ts'
import { fileCommands } from './commands/files.ts'
import { helpCommand } from './commands/help.ts'
import { liveCommand } from './commands/live.ts'
import { listremotesCommand } from './commands/listremotes.ts'
import { obscureCommands } from './commands/obscure.ts'
import { pushCommand } from './commands/push.ts'
import { receiveCommand } from './commands/receive.ts'
import { rcCommand } from './commands/rc.ts'
import { rcdCommand } from './commands/rcd.ts'
import { serveCommands } from './commands/serve.ts'
import { versionCommand } from './commands/version.ts'
import { compatOptions } from './core/compat-options.ts'
import { filterOptions } from './core/filter-options.ts'
import { logOptions, mainOptions, statsOptions } from './core/options.ts'
import { netOptions } from './net/options.ts'
import { copyOptions } from './operations/options.ts'
import { metricsAuthOptions, metricsHttpOptions, rcAuthOptions, rcHttpOptions, rcOptions } from './rc/options.ts'
import type { Backend } from './remote/backend.ts'
import type { OptionBlock } from './schema/option.ts'

/** What Sluice is made of, on one page. Nothing registers itself. */

/** The kinds of storage, made anew for each app: memory stores belong to one app. */
export function backendsOf(): readonly Backend[] {
  return [
    aliasBackend,
    archiveBackend,
    azureblobBackend,
    cacheBackend(),
    chunkerBackend,
    combineBackend,
    cryptBackend,
    ftpBackend,
    gcsBackend,
    hasherBackend,
    httpBackend,
    localBackend(),
    memoryBackend(),
    s3Backend,
    sftpBackend,
    swiftBackend,
    unionBackend,
    webdavBackend,
  ]
}

/** The option blocks that every command has. */
export const globals: readonly OptionBlock[] = [
  mainOptions,
  copyOptions,
  filterOptions,
  netOptions,
  logOptions,
  statsOptions,
  rcOptions,
  rcHttpOptions,
  rcAuthOptions,
  metricsHttpOptions,
  metricsAuthOptions,
  compatOptions,
]

/** What a user can type. */
export const commands: readonly Command[] = [
  ...serveCommands,
  liveCommand,
  rcdCommand,
  rcCommand,
  ...fileCommands,
  pushCommand,
  receiveCommand,
  ...configCommands,
  listremotesCommand,
  ...obscureCommands,
  versionCommand,
  helpCommand,
  completionCommand,
  genautocompleteCommand,
  completeCommand,
]
