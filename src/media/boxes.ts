/** One box of an ISO file (ISO 14496-12): where it lies, and what is in it when that was wanted. */
export interface Box {
  readonly type: string
  /** First byte, and the one behind the last. */
  readonly start: number
  readonly end: number
  readonly body?: Uint8Array
}

/** Larger boxes than this (bytes) are not looked into, unless something else is said. */
const LARGEST = 4 * 1024 * 1024

/**
 * Finds the top-level boxes of a file whose bytes come in chunks of any size; keeps only the box under way when it is one of
 * `wanted`. Tells each box as soon as its last byte is there. Something that is no ISO file is left alone from then on.
 */
export class Boxes {
  readonly #wanted: ReadonlySet<string>
  readonly #found: (box: Box) => void
  readonly #largest: number
  #at = 0
  #head = new Uint8Array(16)
  #headLength = 0
  #box: { type: string; start: number; end: number } | undefined
  #body: Uint8Array[] | undefined
  #broken = false

  constructor(wanted: ReadonlySet<string>, found: (box: Box) => void, largest = LARGEST) {
    this.#largest = largest
    this.#wanted = wanted
    this.#found = found
  }

  /** True when the bytes were no boxes. */
  get broken(): boolean {
    return this.#broken
  }

  /** Takes the next bytes. */
  take(chunk: Uint8Array): void {
    for (let rest = chunk; rest.length > 0 && !this.#broken;) {
      const used = this.#box ? this.#inside(this.#box, rest) : this.#heading(rest)
      this.#at += used
      rest = rest.subarray(used)
      if (this.#box && this.#at === this.#box.end) this.#close(this.#box)
    }
  }

  #heading(bytes: Uint8Array): number {
    const needed = this.#headLength < 8 ? 8 : 16
    const used = Math.min(needed - this.#headLength, bytes.length)
    this.#head.set(bytes.subarray(0, used), this.#headLength)
    this.#headLength += used
    if (this.#headLength < needed) return used
    const view = new DataView(this.#head.buffer)
    const short = view.getUint32(0)
    if (short === 1 && this.#headLength === 8) return used
    const size = short === 1 ? Number(view.getBigUint64(8)) : short === 0 ? Infinity : short
    const type = String.fromCharCode(...this.#head.subarray(4, 8))
    if (size < this.#headLength || !/^[\x20-\x7e\xa9]{4}$/.test(type)) this.#broken = true
    const start = this.#at + used - this.#headLength
    this.#box = { type, start, end: start + size }
    this.#body = this.#wanted.has(type) && size <= this.#largest ? [] : undefined
    this.#headLength = 0
    return used
  }

  #inside({ end }: { end: number }, bytes: Uint8Array): number {
    const used = Math.min(end - this.#at, bytes.length)
    // A copy: chunks may lie in larger buffers, which would be held with them.
    this.#body?.push(bytes.slice(0, used))
    return used
  }

  #close(box: { type: string; start: number; end: number }): void {
    const body = this.#body && Buffer.concat(this.#body)
    this.#box = undefined
    this.#body = undefined
    this.#found(body ? { ...box, body } : box)
  }
}

/** The boxes within the body of another one. Stops at what is none. */
export function* children(body: Uint8Array): Generator<{ readonly type: string; readonly body: Uint8Array }> {
  const view = new DataView(body.buffer, body.byteOffset, body.length)
  for (let at = 0; at + 8 <= body.length;) {
    const size = view.getUint32(at)
    if (size < 8 || at + size > body.length) return
    yield { type: String.fromCharCode(...body.subarray(at + 4, at + 8)), body: body.subarray(at + 8, at + size) }
    at += size
  }
}

/** The body of the first box on a way of types inside a body. */
export function inside(body: Uint8Array, ...way: readonly string[]): Uint8Array | undefined {
  let at: Uint8Array | undefined = body
  for (const type of way) {
    if (!at) return undefined
    at = [...children(at)].find((box) => box.type === type)?.body
  }
  return at
}
