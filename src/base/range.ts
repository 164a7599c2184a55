/** Half-open byte range `[start, end)`; `end` may be Infinity. */
export interface Range {
  readonly start: number
  readonly end: number
}
