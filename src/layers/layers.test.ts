import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf, collect } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import { filterOptions } from '../core/filter-options.ts'
import { loadFilter } from '../core/filter-rules.ts'
import type { Filter } from '../core/filter.ts'
import { recordingLogger, testContext } from '../core/testing.ts'
import { memoryBackend } from '../backends/memory/index.ts'
import type { Entry, Remote } from '../remote/remote.ts'
import { defaultsOf, defineOptions, option } from '../schema/option.ts'
import { OptionSet } from '../schema/options.ts'
import { bool, int, string } from '../schema/values.ts'
import { defineBackend } from '../remote/backend.ts'
import { extend } from './extend.ts'
import { filtered } from './filtered.ts'
import { limited } from './limit.ts'
import { only } from './only.ts'
import { Remotes } from './open.ts'
import { readonly } from './readonly.ts'
import { retrying } from './retry.ts'
import { settle, type SettleParts } from './settle.ts'
import { parseSpec } from '../remote/spec.ts'

async function memory(files: Record<string, string>): Promise<Remote> {
  const ctx = testContext()
  const backend = memoryBackend()
  const remote = await backend.open(ctx, {
    name: 'm',
    root: 'bucket',
    config: defaultsOf(backend.options),
    openRemote: () => Promise.reject(new Error('unused')),
  })
  for (const [path, text] of Object.entries(files)) await remote.put(ctx, path, bodyOf(text), {})
  return remote
}

async function paths(entries: AsyncIterable<Entry>): Promise<string[]> {
  const found: string[] = []
  for await (const entry of entries) found.push(entry.path)
  return found.sort()
}

async function filter(flags: Partial<ReturnType<typeof defaultsOf<typeof filterOptions>>>): Promise<Filter> {
  const readFile = () => Promise.reject(new Error('no file'))
  return await loadFilter({ ...defaultsOf(filterOptions), ...flags }, { readFile, now: Date.now() })
}

test('an override of a method that the remote lacks adds no feature', async () => {
  const remote = await memory({})
  const extended = extend(remote, { publicLink: async () => 'link', about: async () => ({ total: 1 }) })
  assert.ok(!('publicLink' in extended))
  assert.equal('about' in remote, 'about' in extended)
})

test('what the filter excludes is neither listed nor found', async () => {
  const files = {
    'a.txt': '1',
    'b.json': '2',
    'keep/k.txt': '3',
    'keep/deep/d.txt': '4',
    'marked/.ignore': '',
    'marked/x/y.txt': '5',
  }
  const rules = await filter({ filter: ['- /keep/deep/**', '- *.json'], excludeIfPresent: ['.ignore'] })
  const ctx = testContext({ filter: rules })
  const remote = filtered(rules)(await memory(files))
  assert.deepEqual(await paths(remote.list(ctx, '')), ['a.txt', 'keep'])
  assert.deepEqual(await paths(remote.list(ctx, 'keep')), ['keep/k.txt'])
  for (const hidden of ['b.json', 'keep/deep', 'keep/deep/d.txt', 'marked', 'marked/x', 'marked/x/y.txt'])
    assert.equal(await remote.stat(ctx, hidden), undefined, hidden)
  assert.equal((await remote.stat(ctx, 'keep/k.txt'))?.kind, 'file')
  await assert.rejects(paths(remote.list(ctx, 'marked/x')), { code: 'not-found' })
})

test('a size limit binds direct access too', async () => {
  const rules = await filter({ maxSize: 3 })
  const ctx = testContext({ filter: rules })
  const remote = filtered(rules)(await memory({ small: 'abc', large: 'abcd' }))
  assert.deepEqual(await paths(remote.list(ctx, '')), ['small'])
  assert.equal(await remote.stat(ctx, 'large'), undefined)
})

test('a root that is a file shows that file alone', async () => {
  const ctx = testContext()
  const remote = only('a.txt')(await memory({ 'a.txt': '1', 'b.txt': '2', 'd/a.txt': '3' }))
  assert.deepEqual(await paths(remote.list(ctx, '')), ['a.txt'])
  assert.equal(await remote.stat(ctx, 'b.txt'), undefined)
  assert.equal(await remote.stat(ctx, 'd/a.txt'), undefined)
  await assert.rejects(paths(remote.list(ctx, 'd')), { code: 'not-found' })
})

test('a read only remote refuses every change and reads on', async () => {
  const ctx = testContext()
  const remote = readonly(await memory({ 'a.txt': '1' }))
  await assert.rejects(remote.put(ctx, 'b', bodyOf('x'), {}), { code: 'denied' })
  await assert.rejects(remote.mkdir(ctx, 'd'), { code: 'denied' })
  assert.deepEqual(await paths(remote.list(ctx, '')), ['a.txt'])
})

const policy = { tries: 4, first: 1, longest: 2, random: () => 0 }
const temporary = () => new AppError('io', 'connection reset', { retry: 'now' })

test('a call that fails for a while is tried again, one that cannot succeed is not', async () => {
  const ctx = testContext()
  let calls = 0
  const inner = extend(await memory({ a: '1' }), {
    stat: async () => {
      if (++calls < 3) throw temporary()
      return undefined
    },
    mkdir: async () => {
      calls++
      throw new AppError('denied', 'no')
    },
  })
  const remote = retrying(policy)(inner)
  assert.equal(await remote.stat(ctx, 'a'), undefined)
  assert.equal(calls, 3)
  calls = 0
  await assert.rejects(remote.mkdir(ctx, 'd'), { code: 'denied' })
  assert.equal(calls, 1)
})

test('after the last try the error is the last one', async () => {
  let calls = 0
  const inner = extend(await memory({}), {
    stat: async () => {
      calls++
      throw temporary()
    },
  })
  await assert.rejects(retrying(policy)(inner).stat(testContext(), 'a'), /connection reset/)
  assert.equal(calls, 4)
})

test('a broken read goes on at the byte where it broke', async () => {
  const text = 'abcdefghijklmnopqrstuvwxyz'
  const inner = await memory({ f: text })
  const starts: number[] = []
  const flaky = extend(inner, {
    open: async (_ctx, _file, range) => {
      const start = range?.start ?? 0
      starts.push(start)
      return (async function* () {
        yield Buffer.from(text.slice(start, Math.min(start + 7, range?.end ?? 26)))
        if (start + 7 < Math.min(26, range?.end ?? 26)) throw temporary()
      })()
    },
  })
  const ctx = testContext()
  const file = await inner.stat(ctx, 'f')
  assert.equal(file?.kind, 'file')
  if (file?.kind !== 'file') return
  const body = await retrying(policy)(flaky).open(ctx, file, { start: 3, end: 26 })
  assert.equal(Buffer.from(await collect(body)).toString(), text.slice(3))
  assert.deepEqual(starts, [3, 10, 17, 24])
})

test('no more calls than allowed run at once', async () => {
  let running = 0
  let most = 0
  const inner = extend(await memory({}), {
    stat: async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return undefined
    },
  })
  const remote = limited({ calls: 3, perSecond: 0, burst: 1 })(inner)
  await Promise.all(Array.from({ length: 20 }, () => remote.stat(testContext(), 'x')))
  assert.equal(most, 3)
})

const fakeOptions = defineOptions('fake', {
  url: option(string, 'default', ''),
  copyLinks: option(bool, false, ''),
  size: option(int, 1, ''),
  pass: option(string, '', '', { password: true }),
})
const fake = defineBackend({
  name: 'fake',
  description: '',
  options: fakeOptions,
  open: () => Promise.reject(new Error('unused')),
})

function settled(text: string, parts: Partial<SettleParts> & { section?: Record<string, string> } = {}) {
  return settle(parseSpec(text), {
    backends: [fake],
    options: new OptionSet([]),
    env: {},
    config: async () => ({
      get: (name) => (name === 'r' ? { type: 'fake', url: 'file', ...parts.section } : undefined),
    }),
    ...parts,
  })
}

test('an option has its value from the strongest source', async () => {
  const url = async (...args: Parameters<typeof settled>) => (await settled(...args)).config.url
  const flags = new OptionSet([])
  flags.set(fakeOptions, 'url', 'flag', 'flag')
  const env = { RCLONE_CONFIG_R_URL: 'named', RCLONE_FAKE_URL: 'backend' }
  assert.equal(await url(':fake:'), 'default')
  assert.equal(await url('r:'), 'file')
  assert.equal(await url('r:', { env: { RCLONE_FAKE_URL: 'backend' } }), 'backend')
  assert.equal(await url('r:', { env }), 'named')
  assert.equal(await url('r:', { env, options: flags }), 'flag')
  assert.equal(await url('r,url=string:', { env, options: flags }), 'string')
})

test('a text that names nothing says what is missing', async () => {
  await assert.rejects(settled('nosuch:'), /didn't find section in config file \("nosuch"\)/)
  await assert.rejects(settled(':nosuch:'), /didn't find backend called "nosuch"/)
  await assert.rejects(settled('r,size=x:'), /fake backend: bad value "x" for size/)
  assert.deepEqual((await settled('r,colour=red:')).unknown, ['colour'])
})

test('a stored password is revealed for the backend, and never shown in an error', async () => {
  const { config } = await settled('r:', { section: { pass: 'AgICAgICAgICAgICAgICAtMGJH4l2Q' } })
  assert.equal(config.pass, 'potato')
  await assert.rejects(
    settled('r:', { section: { pass: 'secret!' } }),
    (error: Error) => !error.message.includes('secret'),
  )
})

test('one remote is opened once, and a remote that refers to itself is an error', async () => {
  const log = recordingLogger()
  const ctx = testContext({ log })
  let opened = 0
  const loop = defineBackend({
    name: 'loop',
    description: '',
    options: defineOptions('loop', { remote: option(string, '', '') }),
    open: (_ctx, args) => args.openRemote(args.config.remote),
  })
  const store = memoryBackend()
  const counted = { ...store, open: (...args: Parameters<typeof store.open>) => (opened++, store.open(...args)) }
  const sections: Record<string, Record<string, string>> = {
    a: { type: 'loop', remote: 'b:' },
    b: { type: 'loop', remote: 'a:' },
  }
  const remotes = new Remotes({
    ctx,
    backends: [loop, counted],
    options: new OptionSet([]),
    env: {},
    config: async () => ({ get: (name) => sections[name] }),
  })
  const [one, two] = await Promise.all([remotes.open(':memory:x'), remotes.open(':memory:x')])
  assert.equal(one, two)
  assert.equal(opened, 1)
  await assert.rejects(remotes.open('a:'), /refers to itself/)
  await remotes.close()
  assert.equal(remotes.size, 0)
})

test('a path that is a file opens as its directory with that file alone', async () => {
  const ctx = testContext()
  const store = memoryBackend()
  const remotes = new Remotes({
    ctx,
    backends: [store],
    options: new OptionSet([]),
    env: {},
    config: async () => ({ get: () => undefined }),
  })
  const bucket = await remotes.open(':memory:bucket')
  await bucket.put(ctx, 'd/a.txt', bodyOf('1'), {})
  await bucket.put(ctx, 'd/b.txt', bodyOf('2'), {})
  const { remote, file } = await remotes.openAt(':memory:bucket/d/a.txt')
  assert.equal(file?.path, 'a.txt')
  assert.deepEqual(await paths(remote.list(ctx, '')), ['a.txt'])
  assert.equal((await remotes.openAt(':memory:bucket/d')).file, undefined)
})
