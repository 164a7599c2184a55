import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { Profile } from 'pprof-format'
import { files, rcd, run, scratch, serve } from '../program.ts'

/** The values in the text format of Prometheus by name and labels. */
function metricsIn(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => {
      const [, name, value] = /^(\S+?(?:\{.*\})?) (\S+)$/.exec(line) ?? []
      assert.ok(name !== undefined, line)
      return [name, Number(value)]
    }),
  )
}

const names = [
  'bytes_transferred_total',
  'checked_files_total',
  'dirs_deleted_total',
  'entries_listed_total',
  'errors_total',
  'fatal_error',
  'files_deleted_total',
  'files_renamed_total',
  'files_transferred_total',
  'retry_error',
  'speed',
]

test('metrics are served where they are asked for, under the names that dashboards for rclone read', async (t) => {
  const server = await rcd(t, ['--rc-no-auth', '--rc-enable-metrics'])
  const response = await fetch(`${server.url}metrics`)
  assert.equal(response.status, 200)
  assert.equal(response.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  const metrics = metricsIn(await response.text())
  for (const name of names) assert.equal(metrics.get(`rclone_${name}`), 0, name)
  for (const name of ['process_resident_memory_bytes', 'process_open_fds', 'nodejs_heap_size_used_bytes'])
    assert.ok((metrics.get(name) ?? 0) > 0, name)
  const head = await fetch(`${server.url}metrics`, { method: 'HEAD' })
  assert.equal(head.status, 200)
  const without = await rcd(t)
  assert.equal((await fetch(`${without.url}metrics`)).status, 404)
})

test('a server without remote control has metrics at an address of their own, and nothing else there', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'twelve bytes', 'b.txt': 'b' })
  const source = await serve(t, ['serve', 'http', dir])
  const args = ['--metrics-addr', '127.0.0.1:0', '--metrics-user', 'm', '--metrics-pass', 'n']
  const server = await serve(t, ['serve', 'http', `:http,url="${source.url}":`, ...args])
  const url = /Serving metrics on (\S+)/.exec(server.log())?.[1] ?? ''
  const headers = { authorization: `Basic ${btoa('m:n')}` }
  assert.equal(await (await fetch(`${server.url}a.txt`)).text(), 'twelve bytes')
  assert.equal((await fetch(url)).status, 401)
  const metrics = metricsIn(await (await fetch(url, { headers })).text())
  assert.equal(metrics.get('rclone_bytes_transferred_total'), 12)
  assert.equal(metrics.get('rclone_files_transferred_total'), 1)
  const { host } = new URL(source.url)
  const [name] = [...metrics.keys()].filter((key) => key.startsWith('rclone_http_status_code{code="200"'))
  assert.ok(name?.includes(`host="${host.split(':')[0]}`), String(name))
  assert.equal((await fetch(new URL('/', url), { headers })).status, 404)
  assert.equal((await fetch(url, { method: 'POST', headers })).status, 405)
  assert.equal(await server.stop(), 0)
})

test('a counter never goes back when statistics are reset', async (t) => {
  const dir = scratch(t)
  files(dir, { 'a.txt': 'twelve bytes' })
  const rc = ['--rc', '--rc-no-auth', '--rc-addr', '127.0.0.1:0', '--rc-enable-metrics']
  const server = await serve(t, ['serve', 'http', dir, ...rc])
  const control = /Serving remote control on (\S+)/.exec(server.log())?.[1] ?? ''
  const bytes = async () =>
    metricsIn(await (await fetch(`${control}metrics`)).text()).get('rclone_bytes_transferred_total')
  await (await fetch(`${server.url}a.txt`)).text()
  assert.equal(await bytes(), 12)
  assert.equal((await fetch(`${control}core/stats-reset`, { method: 'POST' })).status, 200)
  assert.equal(await bytes(), 12)
  await (await fetch(`${server.url}a.txt`)).text()
  assert.equal(await bytes(), 24)
})

/** A profile as tools read it, and the names of its functions. */
async function profile(url: string): Promise<{ kinds: string[]; functions: string[]; samples: number }> {
  const response = await fetch(url)
  assert.equal(response.status, 200, url)
  const decoded = Profile.decode(gunzipSync(new Uint8Array(await response.arrayBuffer())))
  const { strings } = decoded.stringTable
  const text = (index: number | bigint) => strings[Number(index)] ?? ''
  return {
    kinds: decoded.sampleType.map(({ type, unit }) => `${text(type)}/${text(unit)}`),
    functions: decoded.function.map(({ name }) => text(name)),
    samples: decoded.sample.length,
  }
}

test('profiles of the program are served to those who may do everything', async (t) => {
  const server = await rcd(t, ['--rc-user', 'u', '--rc-pass', 'geheim'])
  const base = `${server.url}debug/pprof/`
  assert.equal((await fetch(base)).status, 401)
  const open = await rcd(t, [])
  assert.equal((await fetch(`${open.url}debug/pprof/`)).status, 404)
  const headers = { authorization: `Basic ${btoa('u:geheim')}` }
  const index = await fetch(base, { headers })
  assert.match(await index.text(), /Types of profiles available/)
  const commandLine = await (await fetch(`${base}cmdline`, { headers })).text()
  assert.match(commandLine, /rcd\0.*--rc-pass\0\*\*\*/s)
  assert.doesNotMatch(commandLine, /geheim/)
})

test('profiles are read by the tools for them', async (t) => {
  const server = await rcd(t)
  const base = `${server.url}debug/pprof`
  const moved = await fetch(base, { redirect: 'manual' })
  assert.deepEqual([moved.status, moved.headers.get('location')], [308, '/debug/pprof/'])
  const busy = setInterval(() => void server.call('core/memstats').catch(() => {}), 5)
  t.after(() => clearInterval(busy))
  const cpu = await profile(`${base}/profile?seconds=0.7`)
  assert.deepEqual(cpu.kinds, ['samples/count', 'cpu/nanoseconds'])
  assert.ok(cpu.samples > 0 && cpu.functions.length > 0)
  const heap = await profile(`${base}/allocs?seconds=0.5`)
  assert.deepEqual(heap.kinds, ['alloc_objects/count', 'alloc_space/bytes'])
  assert.ok(heap.samples > 0)
  assert.deepEqual((await profile(`${base}/heap?seconds=0.1`)).kinds, ['inuse_objects/count', 'inuse_space/bytes'])
  assert.deepEqual((await profile(`${base}/mutex`)).samples, 0)
  clearInterval(busy)
  assert.match(await (await fetch(`${base}/goroutine?debug=1`)).text(), /^goroutine profile: total \d+\n\d+ @ /)
  assert.match(await (await fetch(`${base}/allocs?seconds=0.1&debug=1`)).text(), /^allocs profile: total \d+ bytes/)
  const trace = (await (await fetch(`${base}/trace?seconds=0.1`)).json()) as { traceEvents: unknown[] }
  assert.ok(trace.traceEvents.length > 0)
  assert.equal(await (await fetch(`${base}/symbol`)).text(), 'num_symbols: 1\n')
  assert.equal((await fetch(`${base}/nothing`)).status, 404)
  assert.equal((await fetch(`${base}/profile?seconds=-1`)).status, 400)
})

test('a heap snapshot is one JSON document', async (t) => {
  const server = await rcd(t)
  const { stdout } = await run('sh', ['-c', `curl -s ${server.url}debug/pprof/heapsnapshot | tail -c 3; exit 0`])
  assert.match(stdout, /\]\}$/)
})
