import type { Context } from '../core/context.ts'
import type { OptionBlock, Values } from '../schema/option.ts'
import type { MetadataInfo } from './metadata.ts'
import type { Remote } from './remote.ts'

/** A kind of storage: its declaration is cheap to load, its implementation is imported by `open`. */
export interface Backend<B extends OptionBlock = OptionBlock> {
  /** The word in `type = s3` and `:s3:path`. */
  readonly name: string
  readonly aliases?: readonly string[]
  /** What its flags begin with, when that is not the name. */
  readonly prefix?: string
  readonly description: string
  readonly options: B
  readonly metadata?: MetadataInfo
  /** What `Remote.command` can do. */
  readonly commands?: readonly CommandInfo[]
  /** Shows other remotes, which bring their own layers (retries, limits): none are put around it again. */
  readonly wraps?: true
  /** Opens the storage at `args.root`. A root that is a file is allowed here; `layers/open.ts` handles it. */
  open(ctx: Context, args: OpenArgs<B>): Promise<Remote>
  /** The text of the very remote that `open` gives, where that is another one's under a name of its own. Throws as `open` does. */
  standsFor?(args: Named<B>): string | undefined
}

/** Something that only one kind of storage can do: `sluice backend NAME REMOTE:`. */
export interface CommandInfo {
  readonly name: string
  readonly summary: string
  /** Its arguments, as shown in help; nothing when it takes none. */
  readonly usage?: string
  /** What else is to be known. */
  readonly help?: string
  /** What each option means, by its name. */
  readonly options?: Readonly<Record<string, string>>
}

/** What a text says of a remote. */
export interface Named<B extends OptionBlock = OptionBlock> {
  /** Name for messages and `RemoteInfo.name`. */
  readonly name: string
  readonly root: string
  readonly config: Values<B>
}

export interface OpenArgs<B extends OptionBlock = OptionBlock> extends Named<B> {
  /** For wrapping backends (alias, combine, crypt, union): opens another remote with all its layers but the filter. */
  openRemote(spec: string): Promise<Remote>
}

/** Fixes the types of a declaration. */
export function defineBackend<B extends OptionBlock>(backend: Backend<B>): Backend<B> {
  return backend
}

/** The backend of that name or alias; undefined when there is none. */
export function findBackend(backends: readonly Backend[], type: string | undefined): Backend | undefined {
  return backends.find(({ name, aliases }) => type !== undefined && (name === type || aliases?.includes(type)))
}
