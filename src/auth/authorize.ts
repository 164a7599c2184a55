import type { Context } from '../core/context.ts'
import { isPreflight } from '../http/cors.ts'
import { textResponse } from '../http/error.ts'
import type { Handler, HttpRequest, HttpResponse, Middleware } from '../http/message.ts'
import { Party } from './party.ts'
import type { Rules } from './rules.ts'
import type { Groups } from './users.ts'

export interface AuthorizeParts {
  /** The rules as they are now. */
  rules(): Rules
  /** The groups of the users as they are now, beside those of the rules. */
  readonly groups?: (() => Groups) | undefined
  /** Asks for a login; undefined = nobody can log in. */
  readonly login: Middleware | undefined
  /** Where what a request is about lies, or where an upload would put it; undefined = nowhere in storage. */
  place(ctx: Context, request: HttpRequest): string | undefined | Promise<string | undefined>
  /** Where what is read at a path lies. */
  placeOf(path: string): string | undefined
}

const reading = new Set(['GET', 'HEAD', 'OPTIONS'])

/** True for a request that changes nothing. */
export function isReading({ method }: HttpRequest): boolean {
  return reading.has(method)
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
      const place = this.#parts.place(ctx, request)
      if (place instanceof Promise) return place.then((at) => this.#decide(ctx, request, at, next))
      return this.#decide(ctx, request, place, next)
    }
  }

  /** Whether who asks may read what is at another path: a part of a folder, for one. */
  mayRead({ user }: HttpRequest, path: string): boolean {
    const parties = this.#parties(path, this.#parts.placeOf(path), true)
    return parties.every((party) => party.open || (user !== undefined && party.admits(user.name, this.#groups)))
  }

  #decide(ctx: Context, request: HttpRequest, place: string | undefined, next: Handler): ReturnType<Handler> {
    const parties = this.#parties(request.path, place, isReading(request))
    if (parties.every((party) => party.open)) return next(ctx, request)
    if (!parties.every((party) => party.admitsSomebody)) return denied(ctx, request)
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

  /** Those to all of whom must belong who asks. */
  #parties(path: string, place: string | undefined, reads: boolean): readonly Party[] {
    const rights = this.#parts.rules().rightsOf({ path, place })
    if (reads) return rights.map(({ read }) => read ?? Party.everybody)
    return rights.length === 0 ? [Party.nobody] : rights.map(({ write }) => write ?? Party.nobody)
  }

  get #groups(): readonly Groups[] {
    const own = this.#parts.rules().groups
    const others = this.#parts.groups?.()
    return others ? [own, others] : [own]
  }
}

function denied(ctx: Context, { path, peer, user, method }: HttpRequest): HttpResponse {
  ctx.log.info(`${peer.address}:${peer.port}: ${method} is not for ${user?.name ?? 'everybody'}`, {
    object: `/${path}`,
  })
  return textResponse(403)
}
