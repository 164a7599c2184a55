const MAX_OUTPUT = 1024 * 1024

/**
 * Runs a program and gives what it wrote to standard output, as text. Its errors go to ours; it reads nothing. Throws when it
 * cannot be started, ends with another status than 0, or writes more than a mebibyte.
 */
export async function runProgram(program: string, args: readonly string[]): Promise<string> {
  const { spawn } = await import('node:child_process')
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (error) => reject(new Error(`cannot run ${program}: ${error.message}`, { cause: error })))
    child.once('close', (code, signal) => {
      if (code === 0) resolve()
      else reject(new Error(`${program} ended with ${signal ?? `status ${code}`}`))
    })
  })
  const chunks: Buffer[] = []
  let size = 0
  child.stdout.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size <= MAX_OUTPUT) chunks.push(chunk)
    else child.kill()
  })
  await ended
  return Buffer.concat(chunks).toString('utf8')
}
