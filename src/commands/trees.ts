import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import type { Remotes } from '../layers/open.ts'
import { readonly } from '../layers/readonly.ts'
import { obscure } from '../remote/obscure.ts'
import type { Remote } from '../remote/remote.ts'
import { formatSpec } from '../remote/spec.ts'
import type { VfsOptions } from '../vfs/options.ts'
import { Vfs } from '../vfs/vfs.ts'

/** The trees that one server serves: one for all, or with `--auth-proxy` one for each remote that the program names. */
export class Trees {
  readonly #ctx: Context
  readonly #remotes: Remotes
  readonly #options: VfsOptions
  readonly #bufferSize: number
  readonly #byRemote = new Map<Remote, Vfs>()

  constructor(ctx: Context, remotes: Remotes, options: VfsOptions, bufferSize: number) {
    this.#ctx = ctx
    this.#remotes = remotes
    this.#options = options
    this.#bufferSize = bufferSize
  }

  /** The tree over a remote, one for each. */
  over(remote: Remote): Vfs {
    let vfs = this.#byRemote.get(remote)
    if (!vfs) {
      vfs = new Vfs(this.#ctx, this.#options.readOnly ? readonly(remote) : remote, this.#options, this.#bufferSize)
      this.#byRemote.set(remote, vfs)
      // A local disk is watched, which is better.
      if (this.#options.pollInterval > 0 && !remote.poll && !remote.watch)
        this.#ctx.log.info('poll-interval is not supported by this remote', { object: remote.info.description })
    }
    return vfs
  }

  /** The tree of the backend that `--auth-proxy` answered with: `type`, `_root`, and which values to obscure in `_obscure`. */
  async ofUser(answer: Readonly<Record<string, string>>): Promise<Vfs> {
    const { type = '', _root: path = '', _obscure = '', ...values } = answer
    const clear = new Set(_obscure.split(','))
    const overrides = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [key, clear.has(key) ? obscure(value) : value]),
    )
    return this.over(await this.#remotes.open(formatSpec({ kind: 'inline', backend: type, overrides, path })))
  }

  /** For a request without a tree: there is none when nobody is logged in and the program has to name it. */
  none(): never {
    throw new AppError('not-found', 'Root directory not found')
  }

  /** Forgets all listings. */
  forget(): void {
    for (const vfs of this.#byRemote.values()) vfs.forget()
  }

  async close(): Promise<void> {
    for (const vfs of this.#byRemote.values()) await vfs.close()
  }
}
