import type { Context } from '../core/context.ts'
import { isPreflight } from '../http/cors.ts'
import { textResponse } from '../http/error.ts'
import { isReading } from '../http/methods.ts'
import type { Handler, HttpRequest, HttpResponse, Middleware } from '../http/message.ts'
import { Party } from './party.ts'
import type { Rules, Subject } from './rules.ts'
import type { Groups } from './users.ts'

type Places = Subject['places']

export interface AuthorizeParts {
  /** The rules as they are now. */
  rules(): Rules
  /** The groups of the users as they are now, beside those of the rules. */
  readonly groups?: (() => Groups) | undefined
  /** Asks for a login; undefined = nobody can log in. */
  readonly login: Middleware | undefined
  /** Where what a request is about lies, or where an upload would put it (`Subject.places`). */
  places(ctx: Context, request: HttpRequest): Places | Promise<Places>
  /** False: nothing can be written here at all. */
  readonly takesUploads: boolean
  /** Where what is read at a path lies, and where an upload to it would. */
  placesOf(path: string): Places
  placesToWrite(path: string): Places
}

/**
 * Holds requests to the rules (httpout.md 3.6): who is not named gets 403, who has not said a name is asked for one (401), and
 * where no rule says otherwise everybody reads and nobody writes. The question of a browser before a request passes.
 */
export class Authorization {
  readonly #parts: AuthorizeParts

  constructor(parts: AuthorizeParts) {
    this.#parts = parts
  }

  /** The one place where a request is let through. */
  get middleware(): Middleware {
    return (next) => (ctx, request) => {
      if (isPreflight(request)) return next(ctx, request)
      const places = this.#parts.places(ctx, request)
      if (places instanceof Promise) return places.then((at) => this.#decide(ctx, request, at, next))
      return this.#decide(ctx, request, places, next)
    }
  }

  /** Whether who asks may read what is at another path: a part of a folder, for one. */
  mayRead(request: HttpRequest, path: string): boolean {
    return this.#admits(request, this.#parties(path, this.#parts.placesOf(path), true))
  }

  /** Whether who asks may write at another path: what becomes of an upload, for one. */
  mayWrite(request: HttpRequest, path: string): boolean {
    return this.#admits(request, this.#parties(path, this.#parts.placesToWrite(path), false))
  }

  #admits({ user }: HttpRequest, parties: readonly Party[]): boolean {
    return parties.every((party) => party.open || (user !== undefined && party.admits(user.name, this.#groups)))
  }

  #decide(ctx: Context, request: HttpRequest, places: Places, next: Handler): ReturnType<Handler> {
    const parties = this.#parties(request.path, places, isReading(request))
    if (parties.every((party) => party.open)) return this.#welcome(ctx, request, next)
    if (!parties.every((party) => party.admitsSomebody))
      return isReading(request) || this.#parts.takesUploads ? denied(ctx, request) : onlyReading()
    const { login } = this.#parts
    if (!login) {
      ctx.log.error('a rule asks for a login, and nobody can log in: give --htpasswd', { object: request.path })
      return denied(ctx, request)
    }
    const admitted: Handler = (ctx, request) => {
      const name = request.user?.name
      const named = name !== undefined && parties.every((party) => party.admits(name, this.#groups))
      return named ? next(ctx, request) : denied(ctx, request)
    }
    return login(admitted)(ctx, request)
  }

  /** What a folder shows depends on who asks: who says a name may be told more, and nobody has to. */
  async #recognized(ctx: Context, request: HttpRequest, next: Handler, login: Middleware): Promise<HttpResponse> {
    const answer = await login(next)(ctx, request)
    return answer.status === 401 ? await next(ctx, request) : answer
  }

  #welcome(ctx: Context, request: HttpRequest, next: Handler): ReturnType<Handler> {
    const { login } = this.#parts
    const says = login && request.directory && request.header('authorization') !== undefined
    return says ? this.#recognized(ctx, request, next, login) : next(ctx, request)
  }

  /** Those to all of whom must belong who asks. */
  #parties(path: string, places: Places, reads: boolean): readonly Party[] {
    const rights = this.#parts.rules().rightsOf({ path, places })
    if (reads) return rights.map(({ read }) => read ?? Party.everybody)
    return rights.length === 0 ? [Party.nobody] : rights.map(({ write }) => write ?? Party.nobody)
  }

  get #groups(): readonly Groups[] {
    const own = this.#parts.rules().groups
    const others = this.#parts.groups?.()
    return others ? [own, others] : [own]
  }
}

function onlyReading(): HttpResponse {
  return textResponse(405, undefined, ['allow', 'GET, HEAD, OPTIONS'])
}

function denied(ctx: Context, { path, peer, user, method }: HttpRequest): HttpResponse {
  ctx.log.info(`${peer.address}:${peer.port}: ${method} is not for ${user?.name ?? 'everybody'}`, {
    object: `/${path}`,
  })
  return textResponse(403)
}
