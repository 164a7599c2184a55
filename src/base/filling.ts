import { type Body, FileSlice } from './body.ts'

/** A body that is read into arrays of the reader's own, one after the other: an open file without a copy. */
export interface Filling {
  /** Gives the count of bytes: fewer than `into` has room for only where the body ends. */
  fill(into: Uint8Array): Promise<number>
  /** Gives back what the body holds, wherever it is. */
  close(): Promise<void>
}

/** Takes a body over: close it in the end. */
export function filling(body: Body): Filling {
  return body instanceof FileSlice ? ofSlice(body) : ofChunks(body)
}

function ofSlice(slice: FileSlice): Filling {
  let at = slice.start
  return {
    async fill(into) {
      const length = Math.min(into.length, slice.end - at)
      for (let done = 0; done < length;) {
        const count = await slice.read(into.subarray(done, length), at)
        done += count
        at += count
      }
      if (length < into.length && slice.confirmAtEnd) await slice.confirm()
      return length
    },
    close: () => slice.close(),
  }
}

function ofChunks(body: Body): Filling {
  const source = body[Symbol.asyncIterator]()
  let rest: Uint8Array = new Uint8Array(0)
  return {
    async fill(into) {
      let done = 0
      while (done < into.length) {
        if (rest.length === 0) {
          const { value, done: ended } = await source.next()
          if (ended) break
          rest = value
        }
        const part = rest.subarray(0, into.length - done)
        into.set(part, done)
        done += part.length
        rest = rest.subarray(part.length)
      }
      return done
    },
    async close() {
      await source.return?.()
    },
  }
}
