/** Results of `work` for each item, in the order of the items, `limit` at once. An error ends it. */
export async function* ordered<T, R>(
  items: AsyncIterable<T>,
  limit: number | (() => number),
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = []
  const most = typeof limit === 'number' ? () => limit : limit
  for await (const item of items) {
    const result = work(item)
    // It is awaited in its turn.
    result.catch(() => {})
    running.push(result)
    while (running.length >= Math.max(1, most())) yield (await running.shift()) as R
  }
  for (const result of running) yield await result
}
