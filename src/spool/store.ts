/** Where a spool keeps its bytes: memory, a file, or the place where they are going to be. */
export interface Store {
  /** Keeps a chunk that begins at byte `at`. The chunk belongs to the store from then on and is never changed again. */
  write(at: number, chunk: Uint8Array): Promise<void> | void
  /**
   * Bytes from `at` on, at most `max` and at least one; only asked for bytes that were written and not discarded. They may be
   * in `into`, when that is given and large enough.
   */
  read(at: number, max: number, into?: Uint8Array): Promise<Uint8Array> | Uint8Array
  /** Nobody will ask for bytes before `at` again. */
  discard?(at: number): void
  /** Gives back what the store holds: nobody reads any more. */
  close(): Promise<void>
}
