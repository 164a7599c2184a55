#!/usr/bin/env node
// Starts Sluice. This file alone must run on any Node, so that an old one gets a clear answer.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const needed = 24
const home = dirname(dirname(fileURLToPath(import.meta.url)))
const pinned = join(home, 'node_modules', 'node', 'bin', 'node')

if (Number(process.versions.node.split('.')[0]) >= needed) await start()
else if (existsSync(pinned) && process.execPath !== pinned) handOver(pinned)
else {
  console.error(
    `sluice needs Node.js ${needed} or newer; this is ${process.version}. Install a newer one, or run "npm install" in ${home}.`,
  )
  process.exitCode = 1
}

async function start() {
  const source = join(home, 'src', 'main.ts')
  const { enableCompileCache } = await import('node:module')
  enableCompileCache?.()
  const { main } = await import(existsSync(source) ? '../src/main.ts' : '../dist/main.js')
  await main()
}

/** Runs the same command line under another Node and takes over its end. */
function handOver(node) {
  const child = spawn(node, process.argv.slice(1), { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'])
    process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    console.error(`sluice: ${error.message}`)
    process.exitCode = 1
  })
  child.on('exit', (code, signal) => {
    if (signal) process.removeAllListeners(signal)
    if (signal) process.kill(process.pid, signal)
    else process.exitCode = code ?? 1
  })
}
