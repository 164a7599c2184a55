import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { files, scratch, serve, sluice } from '../program.ts'

test('-v logs each file, folder and miss that was asked for, by default nothing is', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'a', 'sub/b': 'b' })
  const asked = async (flags: readonly string[]) => {
    const server = await serve(t, ['serve', 'http', dir, ...flags])
    for (const path of ['a.txt', 'a.txt', 'sub/', 'nope']) await (await fetch(server.url + path)).arrayBuffer()
    await server.stop()
    return server.log().replace(/^.{20}|127\.0\.0\.1:\d+: /gm, '')
  }
  const quiet = await asked([])
  assert.equal(quiet.trim().split('\n').length, 1)
  const lines = (await asked(['-v'])).split('\n')
  for (const line of ['INFO  : sub: Serving directory', 'INFO  : nope: File not found'])
    assert.equal(lines.filter((l) => l === line).length, 1, line)
  assert.equal(lines.filter((l) => l === 'INFO  : a.txt: Serving file').length, 2)
})

test('-vv tells where the configuration and the file cache are, and how each answer ended', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'twelve bytes' })
  const server = await serve(t, ['serve', 'http', dir, '-vv', '--cache-dir', join(dir, 'cache')])
  await (await fetch(`${server.url}a.txt`)).text()
  await server.stop()
  assert.match(server.log(), /DEBUG : configuration: \/nonexistent\/rclone\.conf\n/)
  assert.ok(server.log().includes(`DEBUG : file cache: ${dir}/cache/vfs\n`))
  assert.match(server.log(), /DEBUG : 127\.0\.0\.1 - - \[.*\] "GET \/a\.txt HTTP\/1\.1" 200 12\n/)
})

test('the --stats summary and the one that SIGUSR1 asks for are blocks of several lines', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'twelve bytes' })
  const server = await serve(t, ['serve', 'http', dir, '--stats', '100ms', '--stats-log-level', 'NOTICE'])
  await (await fetch(`${server.url}a.txt`)).text()
  const block = /NOTICE: \nTransferred: {3}\t +12 B \/ 12 B, 100%.*\nTransferred: {12}1 \/ 1, 100%\nElapsed time: .*\n/
  await server.logged(block)
  await server.stop()
  const other = await serve(t, ['serve', 'http', dir])
  await (await fetch(`${other.url}a.txt`)).text()
  other.child.kill('SIGUSR1')
  await other.logged(block)
  assert.doesNotMatch(other.log(), /Debugger/)
})

test('--use-json-log gives the numbers of a summary to programs', async (t) => {
  const dir = scratch(t)
  files(dir, { 'from/a.txt': 'twelve bytes' })
  const { stderr } = await sluice(['copy', join(dir, 'from'), join(dir, 'to'), '-v', '--use-json-log'])
  const { stats, msg } = JSON.parse(stderr.trim().split('\n').at(-1) ?? '')
  assert.match(msg, /Transferred: +1 \/ 1, 100%/)
  assert.deepEqual([stats.bytes, stats.transfers, stats.totalTransfers, stats.errors], [12, 1, 1, 0])
})

test('a log file that was moved away is opened anew on SIGHUP', async (t) => {
  const dir = scratch(t)
  files(dir, { 'www/a.txt': 'a' })
  const access = join(dir, 'access')
  const server = await serve(t, ['serve', 'http', join(dir, 'www'), '--access-log', access])
  await (await fetch(`${server.url}a.txt`)).text()
  renameSync(access, `${access}.1`)
  server.child.kill('SIGHUP')
  await server.logged(/SIGHUP received/)
  await (await fetch(`${server.url}nope`)).text()
  await server.stop()
  assert.match(readFileSync(`${access}.1`, 'utf8'), /^\S+ - - \[.*\] "GET \/a\.txt HTTP\/1\.1" 200 1 .*\n$/)
  assert.match(readFileSync(access, 'utf8'), /^\S+ - - \[.*\] "GET \/nope HTTP\/1\.1" 404 .*\n$/)
})

test('a log that cannot be opened anew at SIGHUP ends nothing, and is there again with its folder', async (t) => {
  const dir = scratch(t)
  files(dir, { 'www/a.txt': 'a', 'logs/access': '' })
  const logs = join(dir, 'logs')
  const server = await serve(t, ['serve', 'http', join(dir, 'www'), '--access-log', join(logs, 'access')])
  rmSync(logs, { recursive: true })
  server.child.kill('SIGHUP')
  await server.logged(/cannot open the log file: no such file or directory.*; the one that was open stays in use/)
  await (await fetch(`${server.url}a.txt`)).text()
  mkdirSync(logs)
  server.child.kill('SIGHUP')
  await server.logged(/SIGHUP received[^]*SIGHUP received/)
  await (await fetch(`${server.url}nope`)).text()
  assert.equal(await server.stop(), 0)
  assert.match(readFileSync(join(logs, 'access'), 'utf8'), /^.*"GET \/nope HTTP\/1\.1" 404 .*\n$/)
})
