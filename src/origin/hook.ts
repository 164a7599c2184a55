/** What a module of `--hook` is made of: the types and `defineHook`, which other programs get as `sluice/hook`. */

/** One request, as a hook sees it. */
export interface HookRequest {
  /** Counts up from 1 while the server runs. */
  readonly id: number
  readonly method: string
  /** The whole URL, with its query. */
  readonly url: URL
  /** The decoded path, below `--baseurl`: `/films/a b.mp4`. Rules, filters and storage see the same one. */
  readonly path: string
  readonly headers: Headers
  /** Names and values in turn, as they were sent. */
  readonly rawHeaders: readonly string[]
  /** Address of the client; `''` on a unix socket. */
  readonly ip: string
  readonly port: number
  readonly tls: boolean
  readonly http: '1.0' | '1.1' | '2'
  /** The same number for all requests of one connection. */
  readonly connId: number
  /** Who asks. A hook is called when the rules have let the request through, so that `code` is 200. */
  readonly auth: { readonly code: 200; readonly user?: string; readonly groups: readonly string[] }
  /** The request's body. Whoever reads it has it: the server then finds none. */
  readonly body: ReadableStream<Uint8Array>
  /** Aborts when the client leaves, or the server ends. */
  readonly signal: AbortSignal
}

/** How the answer to a request ended. */
export interface HookEnd {
  /** False when the client left, or the body failed, before the end. */
  readonly ok: boolean
  /** Bytes of the body that were sent. */
  readonly bytes: number
}

/**
 * What a hook says to a request: with `status`, `body` or `file` the request is answered by it, else the server goes on and
 * takes over the rest (`rewrite`, `headers`, `throttle`, `onClose`).
 */
export interface HookReply {
  /** 200 unless given. */
  readonly status?: number
  /** They take the place of headers of the same name. */
  readonly headers?: Readonly<Record<string, string | readonly string[]>>
  /** A stream is sent as it comes, each piece at once. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array | string>
  /** Answers with this file, `REMOTE:PATH` or a path of this machine, as if it were the one of the URL: ranges work. */
  readonly file?: string
  /** Goes on as if this path had been asked for: `/other/name?query`, percent-encoded. The rules are looked at again. */
  readonly rewrite?: string
  /** Bytes a second; or, asked before each piece of at most 16 KiB, how many ms to wait. `total` is -1 when it is not known. */
  readonly throttle?: number | ((done: number, total: number) => number)
  /** Called once, when the answer is over. */
  readonly onClose?: (end: HookEnd) => void
}

/** The answer of the server, to be looked at and changed before it is sent. */
export interface HookResponse {
  status: number
  readonly headers: Headers
  /** Undefined when there is none, as for HEAD. With another one the length and `ETag` of the old one are taken away. */
  body: string | Uint8Array | AsyncIterable<Uint8Array | string> | undefined
}

/** An upload that is stored. */
export interface HookUpload {
  /** Where, as `HookRequest.path`. */
  readonly path: string
  /** Bytes that came. */
  readonly bytes: number
  /** False when it took the place of another file, or of a part of one. */
  readonly created: boolean
}

/** A request that is over. */
export interface HookLogEntry extends HookEnd {
  readonly request: HookRequest
  readonly status: number
  /** From the call of the hook to the last byte. */
  readonly ms: number
}

/** What happens, for a module to act on. All of it may be left out. */
export interface Hook {
  /** A request has come, and nothing is decided yet. What it throws is answered with 500 and logged. */
  onRequest?(request: HookRequest): HookReply | void | Promise<HookReply | void>
  /** The server has an answer that `onRequest` did not give. */
  onResponse?(request: HookRequest, response: HookResponse): void | Promise<void>
  /** An upload is stored. Its answer does not wait for this. */
  onUpload?(request: HookRequest, upload: HookUpload): void | Promise<void>
  /** A request is over. */
  onLog?(entry: HookLogEntry): void
}

/** Gives a hook its types: `export default defineHook({ onRequest(request) { ... } })`. */
export function defineHook(hook: Hook): Hook {
  return hook
}
