import { AppError } from '../base/error.ts'
import type { Json } from '../base/json.ts'

/** How one kind of parameter of a call is read, weakly typed as clients send it, and how it is described to machines. */
export interface ParamType<T> {
  /** JSON Schema (2020-12) of the value. */
  readonly schema: { readonly [key: string]: Json }
  /** Reads the value that came under `key`. Throws `usage` with the sentence that clients know (rc.md 1.3). */
  read(key: string, value: unknown): T
}

/** One parameter or one part of an answer. */
export interface Field<T, Required extends boolean = boolean> {
  readonly type: ParamType<T>
  readonly help: string
  readonly required: Required
}

// oxlint-disable-next-line typescript/no-explicit-any -- fields of different types live in one record
export type Shape = Readonly<Record<string, Field<any>>>

/** The values of a shape: what is optional may be missing. */
export type Infer<S extends Shape> = {
  readonly [K in keyof S as S[K] extends Field<unknown, true> ? K : never]: S[K] extends Field<infer T> ? T : never
} & {
  readonly [K in keyof S as S[K] extends Field<unknown, true> ? never : K]?:
    | (S[K] extends Field<infer T> ? T : never)
    | undefined
}

/** A parameter that a call needs. */
export function required<T>(type: ParamType<T>, help: string): Field<T, true> {
  return { type, help, required: true }
}

/** A parameter that may be left out. */
export function optional<T>(type: ParamType<T>, help: string): Field<T, false> {
  return { type, help, required: false }
}

/** The parameters of a call as they came. */
export type Params = Readonly<Record<string, unknown>>

/** Reads the parameters of a shape, in its order; others are left alone. Throws `usage` for what is missing or wrong. */
export function decode<S extends Shape>(shape: S, params: Params): Infer<S> {
  const values: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(shape)) {
    if (Object.hasOwn(params, key)) values[key] = field.type.read(key, params[key])
    else if (field.required) throw new AppError('usage', `Didn't find key ${JSON.stringify(key)} in input`)
  }
  return values as Infer<S>
}
