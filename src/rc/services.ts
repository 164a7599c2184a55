import type { Json } from '../base/json.ts'
import type { Context } from '../core/context.ts'
import type { Bandwidth } from '../core/bandwidth.ts'
import type { Filter } from '../core/filter.ts'
import type { Groups } from '../core/groups.ts'
import type { Remotes } from '../layers/open.ts'
import type { SharedListings } from '../operations/shared-listings.ts'
import type { Body } from '../base/body.ts'
import type { ActiveLives } from '../media/active.ts'
import type { Backend } from '../remote/backend.ts'
import type { Remote } from '../remote/remote.ts'
import type { ConfigFile } from '../remote/config.ts'
import type { OptionBlock } from '../schema/option.ts'
import type { OptionSet } from '../schema/options.ts'
import type { ActiveVfses } from '../vfs/active.ts'
import type { Events } from '../core/events.ts'
import type { Outcomes } from '../core/outcomes.ts'
import type { Journal } from '../core/journal.ts'
import type { Reach } from '../net/guard.ts'
import type { RcOption } from './block-values.ts'
import type { Jobs } from './jobs.ts'
import type { Methods } from './methods.ts'

/** What methods may use. All of it belongs to one app. */
export interface Services {
  /** The context of the app. */
  readonly ctx: Context
  readonly options: OptionSet
  readonly groups: Groups
  readonly bandwidth: Bandwidth
  readonly jobs: Jobs
  readonly events: Events
  readonly outcomes: Outcomes
  readonly listings: SharedListings
  /** Remotes over a network that were found to be no files, which is not looked up again for each call. */
  readonly folders: WeakSet<Remote>
  /** Jobs that have ended, also those of earlier processes. */
  readonly journal: Journal
  readonly methods: Methods
  readonly backends: readonly Backend[]
  /** The option blocks as `options/get` names them: `main` is several of ours. */
  readonly blocks: readonly RcBlock[]
  readonly vfses: ActiveVfses
  readonly lives: ActiveLives
  readonly servers: Servers
  readonly program: Program
  /** Version of the program, `0.2.0`. */
  readonly version: string
  readonly cacheDir: string
  readonly tempDir: string
  /** Where rclone.conf is or would be; `''` = in memory. */
  configPath(): string
  /** Another configuration from now on (`config/setpath`). */
  setConfigPath(path: string): Promise<void>
  /** rclone.conf. Throws when it is encrypted and nobody gave the password. */
  config(): Promise<ConfigFile>
  /** Gives the password of an encrypted rclone.conf (`config/unlock`). Throws when it is wrong. */
  unlockConfig(password: string): Promise<void>
  /** The one place that opens remotes from strings. Methods use `call.open`, which checks. */
  remotes(): Promise<Remotes>
  /** Calls may set options that run programs (`--rc-allow-exec`). */
  readonly allowExec: boolean
  /** Where URLs of calls may lead to. */
  readonly reach: Reach
  /** Builds the filter that the values of the block `filter` describe. Rules from files are refused. */
  filterOf(values: Readonly<Record<string, unknown>>): Promise<Filter>
  /** The filter of calls that bring none. */
  readonly filter: Filter
  /** Another one from now on: that of the options with these values. */
  setFilter(values: Readonly<Record<string, unknown>>): Promise<void>
}

/** A block of options under the name that rc knows. */
export interface RcBlock {
  readonly name: string
  readonly blocks: readonly OptionBlock[]
  /** Where the values of a block stand inside the rc block when they are not at its top: `HTTP`, `Auth`. */
  readonly nested?: Readonly<Record<string, OptionBlock>>
  /** Keys of options of these blocks that rclone shows elsewhere. */
  readonly omit?: readonly string[]
  /** Values under names that no option stands for. */
  readonly fixed?: Readonly<Record<string, Json>>
  /** Names that older clients read, and the way to what they mean. */
  readonly formerly?: Readonly<Record<string, string>>
  /** `options/set` is refused: who may come in is settled at the start. */
  readonly frozen?: true
  /** The options in order. */
  readonly options: readonly RcOption[]
  /** The options by their names in `options/get`, in lower case. */
  readonly named: ReadonlyMap<string, RcOption>
  /** The options by the names of flags, in snake case. */
  readonly flat: ReadonlyMap<string, RcOption>
}

/** Servers that were started by `serve/start`. */
export interface Servers {
  /** The kinds that can be started, sorted. */
  readonly types: readonly string[]
  /**
   * Starts one with the options of the context and the parameters; `exec` = the remote may run programs. Throws `usage` for
   * unknown parameters, `invalid` when it can't be started.
   */
  start(
    call: Context,
    params: Readonly<Record<string, unknown>>,
    settings: { readonly exec: boolean },
  ): Promise<RunningServer>
  list(): readonly RunningServer[]
  /** Throws `invalid` when there is none of that id. */
  stop(id: string): Promise<void>
  stopAll(): Promise<void>
}

export interface RunningServer {
  /** `http-ecfc6852` */
  readonly id: string
  /** `127.0.0.1:4321` */
  readonly addr: string
  readonly params: Readonly<Record<string, unknown>>
}

/** This program itself. */
export interface Program {
  /** Runs it with these arguments; `output` gives what it writes, in order, `failed` resolves when it has ended. */
  run(args: readonly string[], options: { stdout: boolean; stderr: boolean; signal: AbortSignal }): RunningProgram
  /** Ends it in order, with this exit status. */
  quit(exitCode: number): void
}

export interface RunningProgram {
  readonly output: Body
  /** Resolves with a sentence about the failure, or undefined, when it has ended. */
  readonly failed: Promise<string | undefined>
}
