import type { ChildProcess } from 'node:child_process'
import { type RequestListener } from 'node:http'
import type { TestContext } from 'node:test'
/** A web server of the test's own; gives its URL, `http://127.0.0.1:12345/`. It ends with the test. */
export declare function web(t: TestContext, handler: RequestListener): Promise<string>
/** A port of loopback that nobody listens on now: for programs that cannot choose one themselves. */
export declare function freePort(): Promise<number>
/** Waits until a program listens on a port of loopback. Throws when it ends instead. */
export declare function listening(port: number, child: ChildProcess): Promise<void>
