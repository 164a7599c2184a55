import type { Channel } from './session.ts'

/** How a command of the server ended. */
export interface Output {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A way to one server, made by us (`client.ts`) or by a program (`program.ts`). */
export interface Transport {
  /** The channel that speaks SFTP; asked for once. */
  sftp(): Promise<Channel>
  /** Runs a command in the shell of the server. */
  run(command: string, signal: AbortSignal): Promise<Output>
  end(): void
}

/** More than this is never read of what a command prints. */
const MOST_OUTPUT = 1024 * 1024

/** Keeps what a stream gives, as far as it is not too much. */
export function keep(stream: NodeJS.ReadableStream): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= MOST_OUTPUT) chunks.push(chunk)
  })
  return () => Buffer.concat(chunks).toString()
}
