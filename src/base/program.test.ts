import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runProgram } from './program.ts'

const run = (script: string) => runProgram(process.execPath, ['-e', script])

test('a program gives what it writes', async () => {
  assert.equal(await run('process.stdout.write("pä\\n")'), 'pä\n')
  assert.equal(await run('process.stdin.on("data", () => {}).on("end", () => console.log("no input"))'), 'no input\n')
})

test('a program that fails is an error that names it', async () => {
  await assert.rejects(run('process.exit(3)'), { message: `${process.execPath} ended with status 3` })
  await assert.rejects(runProgram('/nowhere/program', []), { message: /^cannot run \/nowhere\/program: / })
})

test('a program that never stops writing is ended', async () => {
  await assert.rejects(run('setInterval(() => process.stdout.write("x".repeat(65536)), 0)'), {
    message: /ended with SIGTERM$/,
  })
})
