import { createHash, type Hash } from 'node:crypto'
import type { Body } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import type { HttpRequest } from '../http/message.ts'

/** The checksums of HTTP that are strong enough to mean something (RFC 9530 section 5), and Node's names for them. */
const algorithms: Readonly<Record<string, string>> = { 'sha-256': 'sha256', 'sha-512': 'sha512' }

interface Expected {
  readonly name: string
  readonly value: string
  readonly hash: Hash
}

/**
 * The checksums that an upload announces in `Content-Digest`, of its body, or in `Repr-Digest`, of the whole file as it is to
 * be then (RFC 9530), to be held against what comes.
 */
export class Digests {
  readonly #expected: readonly Expected[]

  /** Throws `invalid` for a header that can't be read; algorithms that are not known are left alone. */
  constructor(request: Pick<HttpRequest, 'header'>, header: 'content-digest' | 'repr-digest') {
    this.#expected = parse(header, request.header(header))
  }

  /** The body, whose bytes are looked at as they pass when something was announced. */
  over(body: Body): Body {
    return this.#expected.length === 0 ? body : this.#watched(body)
  }

  async *#watched(body: Body): AsyncGenerator<Uint8Array> {
    for await (const chunk of body) {
      for (const { hash } of this.#expected) hash.update(chunk)
      yield chunk
    }
  }

  /** Throws `invalid` when what came is not what was announced. */
  check(): void {
    for (const { name, value, hash } of this.#expected)
      if (hash.digest('base64') !== value)
        throw new AppError('invalid', `what came is not what ${name} announces: it was changed on the way`)
  }
}

/** `sha-256=:BASE64:, sha-512=:BASE64:` (RFC 8941, a dictionary of byte sequences). */
function parse(name: string, header: string | undefined): Expected[] {
  if (header === undefined) return []
  return header.split(',').flatMap((member) => {
    const [, key = '', value = ''] = /^\s*([a-z*][a-z0-9_.*-]*)=:([A-Za-z0-9+/]*={0,2}):\s*$/.exec(member) ?? []
    if (key === '') throw new AppError('invalid', `${name} can't be read: write it as sha-256=:BASE64:`)
    const algorithm = algorithms[key]
    return algorithm === undefined ? [] : [{ name, value, hash: createHash(algorithm) }]
  })
}
