import { Writable } from 'node:stream'

/** Asks a question on the terminal without showing the answer: for passwords. */
export async function askHidden(question: string): Promise<string> {
  const { createInterface } = await import('node:readline/promises')
  process.stderr.write(question)
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: silent, terminal: true })
  try {
    return await lines.question('')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
