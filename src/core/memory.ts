import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** The memory of this process under the names of Go's runtime (rc.md, core/memstats): bytes and counts. */
export function memoryStats(): Record<string, number> {
  const heap = getHeapStatistics()
  const { rss, heapTotal, heapUsed, external } = process.memoryUsage()
  return {
    Alloc: heapUsed,
    TotalAlloc: heap.total_allocated_bytes,
    Sys: rss,
    Mallocs: 0,
    Frees: 0,
    HeapAlloc: heapUsed,
    HeapSys: heapTotal,
    HeapIdle: Math.max(0, heapTotal - heapUsed),
    HeapInuse: heapUsed,
    HeapReleased: 0,
    HeapObjects: 0,
    StackInuse: 0,
    StackSys: 0,
    MSpanInuse: 0,
    MSpanSys: 0,
    MCacheInuse: 0,
    MCacheSys: 0,
    BuckHashSys: 0,
    GCSys: heap.total_physical_size,
    OtherSys: external,
  }
}

/** Frees the memory that nobody uses any more, now. */
export function collectGarbage(): void {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  collect()
}
