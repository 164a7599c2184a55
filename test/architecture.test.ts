import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { test } from 'node:test'

/** The floors, lowest first: a folder imports only from itself and from folders before it. */
const floors = [
  'base',
  'template',
  'schema',
  'core',
  'spool',
  'net',
  'remote',
  'layers',
  'backends',
  'vfs',
  'operations',
  'http',
  'auth',
  'origin',
  'media',
  'rc',
  'commands',
]
/** Neighbours that must not know each other although their order would allow it. */
const never: readonly (readonly [from: string, to: string])[] = [
  ['http', 'vfs'],
  ['http', 'remote'],
  ['operations', 'vfs'],
  ['media', 'origin'],
]
/** The only folders that may touch files, sockets and processes; the origin reads the one template it is given, the vfs its cache. */
const mayDoIo = ['origin', 'vfs', 'base', 'net', 'http', 'auth', 'core', 'remote', 'spool', 'backends', 'commands']
const ioModules = /^node:(fs|net|tls|http|https|http2|dgram|child_process|dns)(\/|$)/

interface Import {
  readonly file: string
  readonly target: string
}

const sources = globSync('src/**/*.ts').filter((file) => !file.endsWith('.test.ts') && !file.endsWith('/testing.ts'))
const imports: readonly Import[] = sources.flatMap((file) =>
  [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(([, target = '']) => ({
    file,
    target,
  })),
)
const local = imports
  .filter(({ target }) => target.startsWith('.'))
  .map(({ file, target }) => ({ file, target: normalize(join(dirname(file), target)) }))

function folder(file: string): string {
  const [, first = '', rest] = file.split('/')
  return rest === undefined ? '' : first
}

test('every folder of src has its floor', () => {
  const unknown = new Set(sources.map(folder).filter((name) => name !== '' && !floors.includes(name)))
  assert.deepEqual([...unknown], [])
})

test('a folder imports only from itself and from lower floors', () => {
  const wrong = local.filter(({ file, target }) => {
    const [from, to] = [floors.indexOf(folder(file)), floors.indexOf(folder(target))]
    return folder(file) !== '' && (folder(target) === '' || to > from)
  })
  assert.deepEqual(wrong, [])
})

test('neighbours that are joined from above do not import each other', () => {
  const wrong = local.filter(({ file, target }) => never.some(([a, b]) => folder(file) === a && folder(target) === b))
  assert.deepEqual(wrong, [])
})

test('one backend does not import another', () => {
  const backend = (file: string) => (file.split('/')[2] ?? '').replace(/\.ts$/, '')
  const wrong = local.filter(
    ({ file, target }) =>
      folder(file) === 'backends' && folder(target) === 'backends' && backend(file) !== backend(target),
  )
  assert.deepEqual(wrong, [])
})

test('files, sockets and processes are touched only where they belong', () => {
  const wrong = imports.filter(
    ({ file, target }) => ioModules.test(target) && folder(file) !== '' && !mayDoIo.includes(folder(file)),
  )
  assert.deepEqual(wrong, [])
})

test('no module holds state that changes', () => {
  const wrong = sources.flatMap((file) =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter((line) => /^(export )?let /.test(line))
      .map((line) => `${file}: ${line}`),
  )
  assert.deepEqual(wrong, [])
})
