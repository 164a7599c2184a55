import type { Body } from '../base/body.ts'
import type { Context } from '../core/context.ts'
import type { HttpRequest } from '../http/message.ts'
import type { Opener, Place } from '../layers/open.ts'
import type { Remote } from '../remote/remote.ts'
import type { Infer, Params, Shape } from '../schema/field.ts'
import type { Job } from './jobs.ts'
import type { Services } from './services.ts'

/**
 * One method of the remote control. Its declaration gives validation, `rc/list`, help, docs/reference/rc.md, the OpenAPI
 * description and the types of the client.
 */
export interface Method<P extends string = string, I extends Shape = Shape, O extends Shape = Shape> {
  /** `vfs/refresh`; the part before the slash is the name of its file. */
  readonly path: P
  /** One line. */
  readonly title: string
  /** Paragraphs of Markdown for what the title and the parameters do not say. */
  readonly help?: string
  /** Answers everybody when no login is set up; all others need one, or `--rc-no-auth` (rc.md 1.9). */
  readonly open?: true
  /** `request`: reads the body of the HTTP request itself. `response`: may answer with a stream of its own. */
  readonly needs?: 'request' | 'response'
  /** The filter says which files it is about: those that failed can be done again alone (`job/retry`). */
  readonly narrows?: true
  readonly input: I
  /** What the answer holds; `{}` for an answer without anything. */
  readonly output: O
  /**
   * Does the work: a few lines that parse, call and return. The input is checked. Throws AppError: `usage` for a bad
   * parameter (400), `not-found` for a missing file or folder (404), `denied` (403), anything else is 500.
   */
  run(call: Call, input: Infer<I>): Promise<Output<O>> | Output<O>
}

/** An answer whose fields are known only at run time (the maps of `options/get`), or that must keep the order of its keys. */
export class Answer {
  readonly fields: object
  constructor(fields: object) {
    this.fields = fields
  }
}

/** An answer that is a stream of text: for methods with `needs: 'response'`. */
export class StreamAnswer {
  readonly body: Body
  constructor(body: Body) {
    this.body = body
  }
}

type Output<O extends Shape> = Infer<O> | Answer | StreamAnswer | void

/** What a method gets beside its parameters. */
export interface Call extends Opener {
  /** Signal, log, stats group, filter and options of this very call. */
  readonly ctx: Context
  readonly services: Services
  /** All parameters as they came, without the special ones (`_async`, `_group`, `_config`, `_filter`). */
  readonly raw: Params
  readonly job: Job
  /** The HTTP request; absent for calls from within (`job/batch`, `sluice rc --loopback`). */
  readonly request?: HttpRequest
  /** Made by a person at the command line, not over the network. */
  readonly trusted: boolean
  /** The one gate through which remotes are built from the strings of a call; it refuses what a caller may not do. */
  open(spec: string): Promise<Remote>
  /** As `open`, for a text that may name a file. */
  openAt(spec: string): Promise<Place>
}

/** Fixes the types of a declaration. */
export function method<const P extends string, I extends Shape, O extends Shape>(
  declaration: Method<P, I, O>,
): Method<P, I, O> {
  return declaration
}

/** No parameters, or nothing to answer. */
export const nothing = {} as const satisfies Shape

/** The types of the methods by path: what the typed client is made from. */
export type RcApi<M extends readonly Method[]> = {
  readonly [K in M[number] as K['path']]: {
    readonly input: K extends Method<string, infer I> ? Infer<I> : never
    readonly output: K extends Method<string, Shape, infer O> ? Infer<O> : never
  }
}
