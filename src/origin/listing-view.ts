import type { Entry } from '../remote/remote.ts'
import type { Order } from './sort.ts'

/** The forms in which a directory can be listed. */
export type Form = 'text/html' | 'application/json' | 'text/plain'

/** What a listing shows beside its entries. */
export interface View {
  /** Canonical path of the directory. */
  readonly path: string
  readonly order: Order
  /** Directories can be downloaded as ZIP. */
  readonly zip: boolean
  /** Modification times are shown. */
  readonly modTimes: boolean
  /** Who sees it may add files to the directory. */
  readonly upload?: boolean
  /** Heading of the page, when it is not the path. */
  readonly title?: string
}

/** Makes a listing piece by piece: head, a row for each entry in turn, tail. */
export interface Renderer {
  readonly head: string
  readonly tail: string
  readonly row: (entry: Entry, index: number) => string
}

/** Begins a listing. `entries` are all of them in order, undefined when they come one by one as the storage gives them. */
export type Render = (view: View, entries: readonly Entry[] | undefined) => Renderer
