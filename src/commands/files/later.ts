import { AppError } from '../../base/error.ts'
import type { Command } from '../command.ts'

/** Commands of rclone that are still to come: each says so, and what does meanwhile. */
const later = {
  bisync: 'until then run sluice copy --update in both directions, which copies what is newer and deletes nothing',
  mount: 'until then serve the remote with sluice serve http, or let rclone mount it',
} as const

export const laterCommands: readonly Command[] = Object.entries(later).map(([name, meanwhile]) => ({
  name,
  usage: '[ARGUMENT]...',
  summary: 'Not in this release',
  help: `This command of rclone comes with a later release; ${meanwhile}.`,
  args: [0, Infinity],
  hidden: true,
  run() {
    throw new AppError('unsupported', `${name} comes with a later release: ${meanwhile}`)
  },
}))
