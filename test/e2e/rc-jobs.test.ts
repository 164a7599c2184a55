import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rcd, type Rcd, scratch } from '../program.ts'

/** Events of a server as they come; ends with the test. */
async function* events(server: Rcd, query = '', headers: Record<string, string> = {}) {
  const response = await fetch(`${server.url}events${query}`, { headers, signal: AbortSignal.timeout(20_000) })
  assert.equal(response.headers.get('content-type'), 'text/event-stream')
  let text = ''
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    text += new TextDecoder().decode(chunk)
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const lines = text.slice(0, end).split('\n')
      text = text.slice(end + 2)
      const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
      const data = field('data')
      if (data !== undefined)
        yield { id: Number(field('id')), type: field('event'), data: JSON.parse(data) as Record<string, unknown> }
    }
  }
}

async function finished(server: Rcd, jobid: unknown): Promise<Record<string, unknown>> {
  for await (const { data } of events(server, '?types=job&lastEventId=0'))
    if (data.id === jobid && data.state !== 'started') break
  return (await server.call('job/status', { jobid })).body
}

test('an asynchronous call answers at once and its job tells how it ended', async (t) => {
  const server = await rcd(t)
  const { body, headers } = await server.call('rc/noop', { _async: true, a: 1 })
  assert.equal(headers.get('x-rclone-jobid'), String(body.jobid))
  const status = await finished(server, body.jobid)
  assert.partialDeepStrictEqual(status, {
    finished: true,
    success: true,
    error: '',
    output: { a: 1 },
    path: 'rc/noop',
    executeId: body.executeId,
  })
  const failed = await server.call('rc/error', { _async: true, why: 'so' })
  assert.partialDeepStrictEqual(await finished(server, failed.body.jobid), {
    success: false,
    error: 'arbitrary error on input map[why:so]',
    output: {},
  })
})

test('special parameters that say nothing are as if they were not there', async (t) => {
  const server = await rcd(t)
  const { status, body } = await server.call('rc/noop', { _async: true, _group: '', _config: null, _filter: null })
  assert.equal(status, 200)
  const job = await server.call('job/status', { jobid: body.jobid })
  assert.equal(job.body.group, `job/${String(body.jobid)}`)
  for (const path of ['core/stats', 'core/transferred', 'core/stats-reset', 'core/stats-delete'])
    assert.equal((await server.call(path, { group: '' })).status, 200, path)
  assert.ok(!((await server.call('core/group-list')).body.groups as string[]).includes(''))
})

test('events are pushed as they happen, and a reader that comes back gets those it missed', async (t) => {
  const server = await rcd(t)
  const live = events(server, '?types=job')
  const first = live.next()
  const { body } = await server.call('rc/noop', { _async: true })
  const started = (await first).value
  assert.partialDeepStrictEqual(started, { type: 'job', data: { id: body.jobid, path: 'rc/noop', state: 'started' } })
  await live.return(undefined)
  await server.call('rc/noop', { _async: true })
  const states = []
  for await (const { id, data } of events(server, '?types=job', { 'last-event-id': String(started?.id) })) {
    assert.ok(id > (started?.id ?? Infinity))
    states.push(`${String(data.id)} ${String(data.state)}`)
    if (states.length === 3) break
  }
  assert.deepEqual(states, ['1 finished', '2 started', '2 finished'])
})

test('events are not for strangers', async (t) => {
  const open = await rcd(t, [])
  assert.equal((await fetch(`${open.url}events`)).status, 404)
  const locked = await rcd(t, ['--rc-user', 'u', '--rc-pass', 'p'])
  assert.equal((await fetch(`${locked.url}events`)).status, 401)
})

test('jobs that have ended are known to the next run of the program, without their secrets', async (t) => {
  const cache = ['--rc-no-auth', '--cache-dir', scratch(t)]
  const before = await rcd(t, cache)
  const { body } = await before.call('rc/noop', { _async: true, fs: ":sftp,host=h,pass='secret':/x", other: 'hidden' })
  await finished(before, body.jobid)
  assert.equal(await before.stop(), 0)
  const after = await rcd(t, cache)
  const { jobs } = (await after.call('job/history')).body as { jobs: Record<string, unknown>[] }
  assert.equal(jobs.length, 1)
  assert.partialDeepStrictEqual(jobs[0], {
    id: body.jobid,
    executeId: body.executeId,
    path: 'rc/noop',
    success: true,
    input: { fs: ":sftp,host='***',pass='***':/x" },
  })
  assert.equal(JSON.stringify(jobs).includes('hidden'), false)
})

test('a finished job is forgotten after its time, a running one never is', async (t) => {
  const server = await rcd(t, ['--rc-no-auth', '--rc-job-expire-duration', '1ms', '--rc-job-expire-interval', '10ms'])
  const { body } = await server.call('rc/noop', { _async: true })
  for (const end = performance.now() + 20_000; performance.now() < end;) {
    const { status } = await server.call('job/status', { jobid: body.jobid })
    if (status === 500) return
  }
  assert.fail('the job is still remembered')
})

test('a command runs as a child whose output is the answer, or streams into it', async (t) => {
  const server = await rcd(t)
  const { body } = await server.call('core/command', { command: 'version' })
  assert.match(String(body.result), /^sluice v\d/)
  assert.equal(body.error, false)
  assert.match(String((await server.call('core/command')).body.result), /Start here:/)
  const failing = await server.call('core/command', { command: 'lsd', arg: ['/nonexistent/x'] })
  assert.equal(failing.body.error, true)
  assert.match(String(failing.body.result), /directory not found/)
  const response = await fetch(
    `${server.url}core/command?command=ls&arg=["/nonexistent/x"]&returnType=STREAM_ONLY_STDOUT`,
    {
      method: 'POST',
    },
  )
  const text = await response.text()
  assert.match(text, /"error": "exit status 3"/)
})

test('core/quit ends the program with the status that it is given', async (t) => {
  const server = await rcd(t)
  assert.equal((await server.call('core/quit', { exitCode: 7 })).status, 200)
  const code = await new Promise((resolve) => server.child.once('exit', resolve))
  assert.equal(code, 7)
})

test('a mistake inside a method is an error to its caller and no end of the server', async (t) => {
  const server = await rcd(t)
  const { status, body } = await server.call('rc/panic', { a: 1 })
  assert.equal(status, 500)
  assert.equal(body.error, 'panic received: arbitrary error on input map[a:1]')
  assert.equal((await server.call('rc/noop')).status, 200)
})
