import { once } from 'node:events'
import type { BusboyFileStream, BusboyInstance } from '@fastify/busboy'
import type { Body } from '../base/body.ts'
import { AppError, messageOf } from '../base/error.ts'

/** A file in a form that was sent. */
export interface FormFile {
  /** As the client named it, without the folders that some put before it. May be any text. */
  readonly name: string
  readonly contentType: string
  /** Read it to its end, or leave it: the next file comes after it. Throws when the form ends within it. */
  readonly body: Body
}

/** What a form may have; the sizes of files are not limited here. */
const limits = { parts: 10_000, fields: 1000, fieldSize: 64 * 1024, headerPairs: 64, headerSize: 16 * 1024 }

/**
 * The files of a form (RFC 7578), one after the other as they arrive: nothing is read ahead of whoever takes them. Fields
 * without a file are passed over. Throws `invalid` for a form that is not right, `too-large` for one of too many parts.
 */
export async function* formFiles(contentType: string, body: Body): AsyncGenerator<FormFile> {
  const form = await Form.of(contentType)
  const sending = form.feed(body)
  sending.catch(() => {})
  try {
    for (let file = await form.next(); file; file = await form.next()) {
      yield file
      form.leave()
    }
    await sending
  } finally {
    form.close()
  }
}

/** A form that is being read. */
class Form {
  readonly #parser: BusboyInstance
  readonly #waiting: BusboyFileStream[] = []
  readonly #named = new Map<BusboyFileStream, Omit<FormFile, 'body'>>()
  readonly #broke = Promise.withResolvers<void>()
  #current: BusboyFileStream | undefined
  #wake = Promise.withResolvers<void>()
  #ended = false
  #failure: AppError | undefined

  private constructor(parser: BusboyInstance) {
    this.#parser = parser
    parser.on('file', (_field, stream, name, _encoding, contentType) => {
      // An error of a file that nobody reads any more would end the process.
      stream.on('error', () => {})
      this.#named.set(stream, {
        name: name.slice(Math.max(name.lastIndexOf('/'), name.lastIndexOf('\\')) + 1),
        contentType,
      })
      this.#waiting.push(stream)
      this.#wake.resolve()
    })
    parser.on('partsLimit', () =>
      this.#fail(new AppError('too-large', `a form may have ${limits.parts} parts at most`)),
    )
    parser.on('fieldsLimit', () =>
      this.#fail(new AppError('too-large', `a form may have ${limits.fields} fields at most`)),
    )
    parser.on('error', (error: unknown) => this.#fail(broken(messageOf(error))))
    parser.on('finish', () => {
      this.#ended = true
      this.#wake.resolve()
    })
  }

  static async of(contentType: string): Promise<Form> {
    const { Busboy } = await import('@fastify/busboy')
    try {
      const parser = new Busboy({
        headers: { 'content-type': contentType },
        limits,
        preservePath: true,
        isPartAFile: (_field, _type, name) => name !== undefined && name !== '',
      })
      return new Form(parser)
    } catch (error) {
      throw broken(messageOf(error))
    }
  }

  /** Gives the bytes of the form to the parser, no faster than the files are read. */
  async feed(body: Body): Promise<void> {
    try {
      for await (const chunk of body) {
        if (this.#failure) return
        if (!this.#parser.write(chunk)) await Promise.race([once(this.#parser, 'drain'), this.#broke.promise])
      }
      this.#parser.end()
    } catch (error) {
      this.#fail(error instanceof AppError ? error : broken(messageOf(error)))
      throw error
    }
  }

  /** The next file; undefined after the last one. */
  async next(): Promise<FormFile | undefined> {
    for (;;) {
      if (this.#failure) throw this.#failure
      const stream = this.#waiting.shift()
      const named = stream && this.#named.get(stream)
      if (named) {
        this.#current = stream
        return { ...named, body: bytesOf(stream) }
      }
      if (this.#ended) return undefined
      await this.#wake.promise
      this.#wake = Promise.withResolvers<void>()
    }
  }

  /** Passes over what is left of the file that was taken last. */
  leave(): void {
    if (this.#current && !this.#current.readableEnded) this.#current.resume()
    if (this.#current) this.#named.delete(this.#current)
    this.#current = undefined
  }

  /** Nobody reads this form any more. */
  close(): void {
    if (!this.#ended) this.#fail(broken('was left'))
  }

  #fail(error: AppError): void {
    this.#failure ??= error
    this.#current?.destroy(error)
    for (const stream of this.#waiting) stream.destroy(error)
    this.#broke.resolve()
    this.#wake.resolve()
  }
}

async function* bytesOf(stream: BusboyFileStream): AsyncGenerator<Uint8Array> {
  try {
    yield* stream as AsyncIterable<Uint8Array>
  } catch (error) {
    throw error instanceof AppError ? error : broken(messageOf(error))
  }
}

function broken(why: string): AppError {
  return new AppError('invalid', `multipart: ${why}`)
}
