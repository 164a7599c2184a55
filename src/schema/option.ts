import { AppError } from '../base/error.ts'
import type { ValueType } from './value.ts'

/** One declared setting: gives the flag, environment variable, config key, rc name, help, docs and TypeScript type. */
export interface Option<T> {
  readonly type: ValueType<T>
  readonly default: T
  readonly help: string
  /** Flag when it is not the kebab-cased key: `cacheMode` of block `vfs` is `vfs-cache-mode`. */
  readonly flag?: string
  /** Other flags that mean the same: `header` for `response-header`. */
  readonly aliases?: readonly string[]
  readonly short?: string
  /**
   * Name in `options/get` and `options/set` when it is not the Pascal-cased key; a dot leads into an object. False = the
   * remote control does not know it.
   */
  readonly rc?: string | false
  /** `options/get` shows a list as one text, as rclone does. */
  readonly asText?: boolean
  readonly examples?: readonly { value: string; help: string }[]
  readonly required?: boolean
  readonly advanced?: boolean
  /** A password that is stored obscured (`pass` of sftp). */
  readonly password?: boolean
  /** Never shown in logs, dumps or `options/get`. */
  readonly secret?: boolean
  /** Runs a program: refused when the value comes over the network. */
  readonly exec?: boolean
  /** `options/set` takes effect at once on what is already open; otherwise on what is opened later. */
  readonly live?: boolean
  readonly hidden?: boolean
  /** Heading in the flags reference: "Logging", "Networking" ... */
  readonly group?: string
}

// oxlint-disable-next-line typescript/no-explicit-any -- options of different types live in one record
export type OptionShape = Readonly<Record<string, Option<any>>>

/** A named set of options: `vfs`, `http`, `main`, or one backend's. */
export interface OptionBlock<Name extends string = string, S extends OptionShape = OptionShape> {
  readonly name: Name
  readonly options: S
}

/** The values of a block, by key. */
export type Values<B extends OptionBlock> = {
  readonly [K in keyof B['options']]: B['options'][K] extends Option<infer T> ? T : never
}

export function defineOptions<const N extends string, S extends OptionShape>(name: N, options: S): OptionBlock<N, S> {
  return { name, options }
}

/** Declares one option. `more` holds what a plain one does not need. */
export function option<T>(
  type: ValueType<T>,
  initial: NoInfer<T>,
  help: string,
  more: Omit<Option<T>, 'type' | 'default' | 'help'> = {},
): Option<T> {
  return { type, default: initial, help, ...more }
}

/** `dirCacheTime` → `dir-cache-time`. A block's own `flag` wins. */
export function flagName(key: string, option: Pick<Option<unknown>, 'flag'>): string {
  return option.flag ?? key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)
}

/** `dirCacheTime` → `dir_cache_time`: the key in a config file, and in connection strings. */
export function configKey(key: string): string {
  return key.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)
}

/** `dirCacheTime` → `DirCacheTime`: the name in `options/get`. */
export function rcName(key: string, option: Pick<Option<unknown>, 'rc'>): string {
  return option.rc || key.charAt(0).toUpperCase() + key.slice(1)
}

/** The error for an option that runs a program, when its value comes over the network. `way` tells what would allow it. */
export function execRefused(name: string, way?: string): AppError {
  const sentence = `setting ${JSON.stringify(name)} over the network is not allowed: it runs a program`
  return new AppError('denied', way === undefined ? sentence : `${sentence} (${way})`)
}

/** The values a block has when nothing is set. */
export function defaultsOf<B extends OptionBlock>(block: B): Values<B> {
  return Object.fromEntries(Object.entries(block.options).map(([key, o]) => [key, o.default as unknown])) as Values<B>
}

/** The same options once more under a prefix: `addr` of `http` becomes `--rc-addr`. `more` is added to each. */
export function prefixed<const N extends string, S extends OptionShape>(
  name: N,
  prefix: string,
  options: S,
  more: Partial<Option<unknown>> = {},
): OptionBlock<N, S> {
  const entries = Object.entries(options).map(([key, o]) => [
    key,
    {
      ...o,
      flag: prefix + flagName(key, o),
      ...(o.aliases ? { aliases: o.aliases.map((alias) => prefix + alias) } : {}),
      short: undefined,
      ...more,
    },
  ])
  return { name, options: Object.fromEntries(entries) as S }
}
