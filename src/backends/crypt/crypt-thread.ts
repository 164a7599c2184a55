import { parentPort, workerData } from 'node:worker_threads'
import { secretBox } from './box.ts'
import { type Run, work } from './run.ts'

const box = await secretBox(workerData as Uint8Array)

parentPort?.on('message', (run: Run) => {
  const done = work(box, run)
  parentPort?.postMessage(done, [done.bytes.buffer as ArrayBuffer])
})
parentPort?.postMessage('ready', [])
