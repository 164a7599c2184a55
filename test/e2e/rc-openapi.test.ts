import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import createRcdClient from 'rclone-sdk'
import { describeApi } from '../../src/rc/openapi.ts'
import { allMethods } from '../../src/rc/methods/index.ts'
import { missing } from '../peers.ts'
import { rcd, type Rcd, run, scratch } from '../program.ts'

interface Schema {
  readonly $ref?: string
  readonly properties?: Record<string, Schema>
  readonly required?: readonly string[]
  readonly [key: string]: unknown
}
interface Response extends Schema {
  readonly content?: Record<string, { schema: Schema }>
}
interface Operation {
  readonly parameters: readonly (Schema & { readonly name?: string; readonly in?: string })[]
  readonly requestBody?: { content: Record<string, { schema: Schema }> }
  readonly responses: Record<string, Response>
}
interface Api {
  readonly openapi: string
  readonly paths: Record<string, { post: Operation }>
  readonly components: Record<string, Record<string, Schema>>
}

/** The description that npm has of rclone's remote control. */
const theirs = JSON.parse(
  readFileSync(createRequire(import.meta.url).resolve('rclone-openapi/openapi.json'), 'utf8'),
) as Api
const ours = describeApi(allMethods().all, '0.0.0') as unknown as Api

function deref<T extends Schema>(api: Api, value: T): T {
  if (value.$ref === undefined) return value
  const [, , kind = '', name = ''] = value.$ref.split('/')
  return api.components[kind]?.[name] as T
}

/** The names of the parameters in the URL; theirs has one of the made-up name `params` for methods that take any. */
function parameters(api: Api, path: string): string[] {
  const { parameters: all = [] } = api.paths[path]?.post ?? {}
  const named = all.map((one) => deref(api, one)).filter((one) => one.in === 'query')
  return named.map(({ name }) => String(name)).filter((name) => name !== 'params')
}

function bodyOf(api: Api, path: string): string[] {
  const schema = api.paths[path]?.post.requestBody?.content['application/json']?.schema
  return Object.keys((schema && deref(api, schema).properties) ?? {})
}

function answerOf(api: Api, path: string, status = '200'): Schema {
  const response = deref(api, api.paths[path]?.post.responses[status] as Response)
  return deref(api, response.content?.['application/json']?.schema ?? {})
}

const shared = Object.keys(ours.paths).filter((path) => theirs.paths[path])

/** Where their description has more than rclone answers: a batch has `results` alone (rclone's fs/rc/jobs). */
const mistaken = ['/job/batch']

/** Of methods that say in an error that there is nothing of the kind here. */
const refused = ['/mount/mount', '/mount/unmount']

/** Servers and blocks of options that rclone has and that are not here. */
const otherBlocks = ['dlna', 'ftp', 'nfs', 'proxy', 'restic', 's3', 'sftp', 'webdav', 'http', 'rc']

/** Parameters that their description has and rclone does not read, or not under that name, and why. */
const notRead: Readonly<Record<string, readonly string[]>> = {
  // They stand in `opt`.
  '/operations/list':
    'recurse noModTime showEncrypted showOrigIDs showHash noMimeType dirsOnly filesOnly metadata hashTypes'.split(' '),
  // backupDir1 and backupDir2.
  '/sync/bisync': ['backupdir1', 'backupdir2'],
  '/options/set': otherBlocks,
}

test('every method of rclone that is here takes the parameters that rclone takes', () => {
  assert.ok(shared.length > 40)
  const lacking = shared.flatMap((path) => {
    const known = new Set([...parameters(ours, path), ...(notRead[path] ?? [])])
    const inBody = new Set([...bodyOf(ours, path), ...(notRead[path] ?? [])])
    return [
      ...parameters(theirs, path).filter((name) => !known.has(name)),
      ...bodyOf(theirs, path).filter((name) => !inBody.has(name)),
    ].map((name) => `${path} ${name}`)
  })
  assert.deepEqual(lacking, [])
})

test('the declared answers have what rclone’s always have', () => {
  const lacking = shared.flatMap((path) => {
    // What methods answer whose fields are known only at run time is checked with real answers below.
    const schema = answerOf(ours, path)
    const { properties = {} } = schema
    if (Object.keys(properties).length === 0 || mistaken.includes(path)) return []
    return (answerOf(theirs, path).required ?? []).filter((name) => !properties[name]).map((name) => `${path} ${name}`)
  })
  // The memory of Go has more kinds than can be told apart here; they are all in the answer.
  assert.deepEqual(
    lacking.filter((one) => !one.startsWith('/core/memstats')),
    [],
  )
  for (const path of shared) {
    assert.deepEqual(Object.keys(ours.paths[path]?.post.responses ?? {}), ['200', '202', '4XX', '5XX'], path)
    assert.deepEqual(answerOf(ours, path, '202').required?.toSorted(), ['executeId', 'jobid'])
  }
})

/** Checks answers by the schemas that npm has of rclone's. */
function checker(): (path: string, answer: unknown, status?: string) => void {
  const ajv = new Ajv2020({ strict: false, allErrors: true, validateFormats: false })
  ajv.addSchema(theirs, 'rclone')
  const known = new Map<string, ValidateFunction>()
  return (path, answer, status = '200') => {
    const response = theirs.paths[path]?.post.responses[status]
    const at = response?.$ref ?? `#/paths/${path.replaceAll('~', '~0').replaceAll('/', '~1')}/post/responses/${status}`
    if (response && !deref(theirs, response).content) return assert.deepEqual(answer, {}, path)
    const key = `rclone${at}/content/application~1json/schema`
    const check = known.get(key) ?? ajv.compile({ $ref: key })
    known.set(key, check)
    assert.ok(check(answer), `${path}: ${ajv.errorsText(check.errors)}\n${JSON.stringify(answer)?.slice(0, 2000)}`)
  }
}

async function configured(t: TestContext): Promise<Rcd> {
  const path = join(scratch(t), 'rclone.conf')
  writeFileSync(path, '[mem]\ntype = memory\n\n[al]\ntype = alias\nremote = mem:\n')
  return await rcd(t, ['--rc-no-auth', '--config', path])
}

test('real answers fit the schemas of rclone’s', async (t) => {
  const server = await configured(t)
  const check = checker()
  const calls: readonly (readonly [path: string, input?: object])[] = [
    ['/rc/noop', { a: 1 }],
    ['/rc/list'],
    ['/core/bwlimit'],
    ['/core/stats'],
    ['/core/stats', { short: true }],
    ['/core/transferred'],
    ['/core/version'],
    ['/core/memstats'],
    ['/core/pid'],
    ['/core/gc'],
    ['/core/du', { dir: '/' }],
    ['/core/disks'],
    ['/core/group-list'],
    ['/core/obscure', { clear: 'x' }],
    ['/core/command', { command: 'version' }],
    ['/job/list'],
    ['/job/batch', { inputs: [{ _path: 'rc/noop' }] }],
    ['/config/create', { name: 'n', type: 'memory', parameters: {} }],
    ['/config/update', { name: 'n', parameters: { description: 'd' } }],
    ['/config/dump'],
    ['/config/get', { name: 'al' }],
    ['/config/listremotes'],
    ['/config/paths'],
    ['/config/providers'],
    ['/config/oauthstatus'],
    ['/config/delete', { name: 'n' }],
    ['/options/blocks'],
    ['/options/info'],
    ['/options/local'],
    ['/options/set', { main: { Transfers: 5 } }],
    ['/debug/set-mutex-profile-fraction', { rate: 1 }],
    ['/debug/set-gc-percent', { 'gc-percent': 100 }],
    ['/debug/set-soft-memory-limit', { 'mem-limit': -1 }],
    ['/mount/listmounts'],
    ['/mount/types'],
    ['/mount/unmountall'],
  ]
  for (const [path, input] of calls) {
    const { status, body } = await server.call(path.slice(1), input)
    assert.equal(status, 200, `${path}: ${JSON.stringify(body)}`)
    if (!mistaken.includes(path)) check(path, body)
  }
  const begun = await server.call('rc/noop', { _async: true })
  check('/rc/noop', begun.body, '202')
  check('/job/status', (await server.call('job/status', { jobid: begun.body.jobid })).body)
  for (const path of [...refused, '/rc/error']) check(path, (await server.call(path.slice(1))).body, '4XX')
  // All blocks but those of servers that are not here.
  const { body } = await server.call('options/get')
  check('/options/get', { ...Object.fromEntries(otherBlocks.map((name) => [name, {}])), ...body })
})

test('the description is served, and says what the program does', async (t) => {
  const server = await rcd(t, [])
  const response = await fetch(`${server.url}openapi.json`)
  assert.equal(response.headers.get('content-type'), 'application/json')
  const api = (await response.json()) as Api
  assert.equal(api.openapi, '3.1.1')
  const listed = (await server.call('rc/list')).body.commands as { Path: string; Help: string }[]
  assert.deepEqual(Object.keys(api.paths).sort(), listed.map(({ Path }) => `/${Path}`).sort())
  assert.match(listed.find(({ Path }) => Path === 'core/obscure')?.Help ?? '', /- clear: string\. The password/)
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema(api, 'sluice')
  for (const path of ['rc/noop', 'core/version', 'core/stats', 'core/bwlimit', 'job/list', 'core/group-list']) {
    if (path === 'core/bwlimit') continue // needs a login
    const { status, body } = await server.call(path)
    assert.equal(status, 200)
    const at = `sluice#/paths/~1${path.replaceAll('/', '~1')}/post/responses/200/content/application~1json/schema`
    assert.ok(ajv.validate({ $ref: at }, body), `${path}: ${ajv.errorsText()}`)
  }
})

test("rclone's own client prints the help of all methods", { skip: missing('rclone') }, async (t) => {
  const server = await rcd(t, [])
  const { code, stdout } = await run('rclone', ['rc', '--url', server.url])
  assert.equal(code, 0)
  assert.match(
    stdout,
    /### core\/obscure: Obscures a string passed in \{#core-obscure\}\n\nParameters:\n\n- clear: string/,
  )
  const heads = [...stdout.matchAll(/^### (\S+): /gm)].map(([, path]) => `/${path}`)
  assert.deepEqual(heads, Object.keys(ours.paths))
})

test('the client of npm that rclone’s own web interface uses works with it', async (t) => {
  const server = await configured(t)
  const rclone = createRcdClient({ baseUrl: server.url.replace(/\/$/, '') })
  const { data: remotes } = await rclone.POST('/config/listremotes')
  assert.deepEqual(remotes?.remotes, ['mem', 'al'])
  const { data: version } = await rclone.POST('/core/version')
  assert.match(version?.version ?? '', /^v1\.\d+\.\d+/)
  const { data: options } = await rclone.POST('/options/get', { params: { query: { blocks: 'main' } } })
  assert.partialDeepStrictEqual(options, { main: { Transfers: 4 } })
  const { error, response } = await rclone.POST('/config/create', {
    params: { query: { name: 'x', parameters: '{}', type: 'nope' } },
  })
  assert.equal(response.status, 500)
  assert.partialDeepStrictEqual(error, { error: `couldn't find backend for type "nope"`, path: 'config/create' })
  const { data: job, response: begun } = await rclone.POST('/core/gc', {
    params: { header: { Prefer: 'respond-async' } },
  })
  assert.equal(begun.status, 202)
  assert.ok(job && 'jobid' in job)
})
