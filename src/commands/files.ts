import type { Command } from './command.ts'
import { aboutCommand } from './files/about.ts'
import { catCommand } from './files/cat.ts'
import { backendCommand, cryptdecodeCommand } from './files/backend.ts'
import { checkCommands } from './files/check.ts'
import { copyCommands } from './files/copy.ts'
import { copytoCommands } from './files/copyto.ts'
import { laterCommands } from './files/later.ts'
import { settierCommand } from './files/settier.ts'
import { copyurlCommand } from './files/copyurl.ts'
import { dedupeCommand } from './files/dedupe.ts'
import { deleteCommands } from './files/delete.ts'
import { hashsumCommands } from './files/hashsum.ts'
import { cleanupCommand, linkCommand } from './files/link.ts'
import { lsCommands } from './files/ls.ts'
import { lsfCommand } from './files/lsf.ts'
import { lsjsonCommands } from './files/lsjson.ts'
import { mkdirCommands } from './files/mkdir.ts'
import { ncduCommand } from './files/ncdu.ts'
import { rcatCommand } from './files/rcat.ts'
import { sizeCommand } from './files/size.ts'
import { touchCommand } from './files/touch.ts'
import { treeCommand } from './files/tree.ts'

/** The commands for files: list, copy, compare, delete. */
export const fileCommands: readonly Command[] = [
  ...lsCommands,
  lsfCommand,
  ...lsjsonCommands,
  treeCommand,
  sizeCommand,
  ncduCommand,
  aboutCommand,
  catCommand,
  rcatCommand,
  ...copyCommands,
  ...copytoCommands,
  copyurlCommand,
  ...checkCommands,
  ...hashsumCommands,
  ...deleteCommands,
  dedupeCommand,
  ...mkdirCommands,
  touchCommand,
  linkCommand,
  cleanupCommand,
  settierCommand,
  backendCommand,
  cryptdecodeCommand,
  ...laterCommands,
]
