/** A value that is made when it is first asked for, and then kept: for tables that a program may never look into. */
export function lazy<T extends object>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}
