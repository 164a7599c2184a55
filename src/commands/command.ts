import type { Readable } from 'node:stream'
import type { Bandwidth } from '../core/bandwidth.ts'
import type { Context } from '../core/context.ts'
import type { Events } from '../core/events.ts'
import type { Groups } from '../core/groups.ts'
import type { Outcomes } from '../core/outcomes.ts'
import type { Remotes } from '../layers/open.ts'
import type { ActiveLives } from '../media/active.ts'
import type { Backend } from '../remote/backend.ts'
import type { ConfigFile } from '../remote/config.ts'
import type { OptionBlock, Values } from '../schema/option.ts'
import type { OptionSet } from '../schema/options.ts'
import type { ActiveVfses } from '../vfs/active.ts'
import type { FileCaches } from '../vfs/cache/caches.ts'
import type { Signals } from './signals.ts'

/** One command of the program: its declaration gives parsing, `help`, completion and docs. */
export interface Command {
  /** The words a user types: `serve http`, `config create`. */
  readonly name: string
  /** The arguments, as shown in help: `NAME TYPE [KEY=VALUE]...`; `''` when there are none. */
  readonly usage: string
  readonly summary: string
  /** Paragraphs for `help COMMAND` and the reference. */
  readonly help?: string
  /** Command lines worth copying, each with what it does. */
  readonly examples?: readonly (readonly [line: string, meaning: string])[]
  /** Options beside the global ones. */
  readonly options?: readonly OptionBlock[]
  /** How many arguments are allowed. */
  readonly args: readonly [min: number, max: number]
  readonly hidden?: boolean
  /** Does the work. The number is the exit status; nothing = 0. Errors are thrown. */
  run(io: CommandIo): Promise<number | void>
}

/** What a command gets: its arguments, the options and the ways in and out. */
export interface CommandIo {
  readonly args: readonly string[]
  readonly ctx: Context
  readonly env: Readonly<Record<string, string | undefined>>
  readonly backends: readonly Backend[]
  /** All commands and the global option blocks: for help and completion. */
  readonly commands: readonly Command[]
  readonly globals: readonly OptionBlock[]
  /** Version of the program, `0.1.0`. */
  readonly version: string
  readonly stdin: Readable & { readonly isTTY?: boolean }
  get<B extends OptionBlock>(block: B): Values<B>
  /** True when a flag or the environment gave the option a value. */
  isSet(block: OptionBlock, key: string): boolean
  /** Where rclone.conf is or would be; `''` = in memory. */
  readonly configPath: string
  /** rclone.conf, opened on first use; an encrypted one asks for its password. */
  config(): Promise<ConfigFile>
  /** The one place that opens remotes from strings. */
  remotes(): Promise<Remotes>
  readonly signals: Signals
  readonly bandwidth: Bandwidth
  /** All options of the app, for the remote control to change. */
  readonly options: OptionSet
  readonly groups: Groups
  readonly events: Events
  readonly outcomes: Outcomes
  readonly vfses: ActiveVfses
  readonly lives: ActiveLives
  /** The file caches of remotes that are served. */
  readonly caches: FileCaches
  /** Another rclone.conf from now on; `password` opens one that is encrypted. */
  useConfig(path: string, password?: string): Promise<void>
  /** Ends the program in order, with this exit status. */
  quit(exitCode: number): void
  /** Directory for caches. */
  readonly cacheDir: string
  /** Directory for temporary files. */
  readonly tempDir: string
  /** Writes to standard output; resolves when it was taken. */
  stdout(data: string | Uint8Array): Promise<void>
  /** Writes to standard error: questions and remarks for a person. */
  stderr(text: string): void
}
