import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, test, type TestContext } from 'node:test'
import { files, run, scratch } from '../program.ts'

const home = join(import.meta.dirname, '..', '..')
const { name } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { name: string }

/** Names of the packages that come with an installed Sluice. */
function installedWith(): readonly string[] {
  const { packages } = JSON.parse(readFileSync(join(home, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { dev?: boolean }>
  }
  return Object.entries(packages)
    .filter(([place, { dev }]) => place.startsWith('node_modules/') && !dev && existsSync(join(home, place)))
    .map(([place]) => place.slice('node_modules/'.length))
    .filter((place) => !place.includes('/node_modules/'))
}

/** A folder of a user's own in which the package is installed; what it is made of comes from this checkout. */
function installed(t: TestContext, tarball: string): string {
  const dir = scratch(t)
  const place = join(dir, 'node_modules', name)
  mkdirSync(place, { recursive: true })
  execFileSync('tar', ['-xzf', tarball, '-C', place, '--strip-components=1'])
  for (const dependency of installedWith()) {
    const link = join(dir, 'node_modules', dependency)
    mkdirSync(dirname(link), { recursive: true })
    symlinkSync(join(home, 'node_modules', dependency), link)
  }
  files(dir, { 'package.json': '{"type":"module"}', 'files/a.txt': 'hello' })
  return dir
}

/** The first example of the guide to embedding, which serves `files`, fetches one of them and prints it. */
function example(): string {
  const guide = readFileSync(join(home, 'docs', 'guide', 'embed.md'), 'utf8')
  const code = /```ts\n(.*?)```/s.exec(guide)?.[1] ?? ''
  const login = `Basic ${Buffer.from('me:long and odd').toString('base64')}`
  return code
    .replace("'/srv/films'", "'files'")
    .replace(
      'console.log(server.urls)',
      `console.log(await (await fetch(server.urls[0] + 'a.txt', { headers: { authorization: '${login}' } })).text())`,
    )
}

describe('the package as others get it', () => {
  const made = mkdtempSync(join(tmpdir(), 'sluice-package-'))
  after(() => rmSync(made, { recursive: true }))
  let tarball = ''
  before(() => {
    const args = ['pack', '--silent', '--pack-destination', made]
    tarball = join(made, execFileSync('npm', args, { cwd: home, encoding: 'utf8' }).trim().split('\n').at(-1) ?? '')
  })

  test('has a program that does what it does here', async (t) => {
    const dir = installed(t, tarball)
    const program = join(dir, 'node_modules', name, 'bin', 'sluice.js')
    assert.ok(!existsSync(join(dir, 'node_modules', name, 'src')))
    const listed = await run(process.execPath, [program, 'lsf', 'files'], { cwd: dir })
    assert.deepEqual([listed.code, listed.stdout], [0, 'a.txt\n'], listed.stderr)
    const kinds = await run(process.execPath, [program, 'config', 'providers'], { cwd: dir })
    const here = await run(process.execPath, [join(home, 'bin', 'sluice.js'), 'config', 'providers'])
    assert.deepEqual(JSON.parse(kinds.stdout), JSON.parse(here.stdout))
  })

  test('has threads that do what they are for and nothing else', async (t) => {
    const dir = installed(t, tarball)
    writeFileSync(
      join(dir, 'threads.ts'),
      `import { once } from 'node:events'
       import { Worker } from 'node:worker_threads'
       const thread = (name: string) => new Worker('./node_modules/${name}/dist/' + name, { workerData: new Uint8Array(32) })
       const [look, crypt] = [thread('look-thread.js'), thread('crypt-thread.js')]
       const begun = once(crypt, 'message')
       look.postMessage({ id: 7, place: 'files', names: 'a.txt/absent' }, [])
       const [{ id, rows }] = await once(look, 'message')
       console.log(id, rows.length, rows[3], rows[11])
       const [ready] = await begun
       const bytes = new Uint8Array(16 + 5)
       crypt.postMessage({ kind: 'seal', bytes, nonce: new Uint8Array(24), first: 0 }, [bytes.buffer])
       const [sealed] = await once(crypt, 'message')
       console.log(ready, sealed.bytes.length, sealed.bad.length)
       await Promise.all([look.terminate(), crypt.terminate()])`,
    )
    const { code, stdout, stderr } = await run(process.execPath, ['threads.ts'], { cwd: dir })
    assert.deepEqual([code, stdout], [0, '7 16 5n 0n\nready 21 0\n'], stderr)
  })

  test('runs the example of the guide to embedding', async (t) => {
    const dir = installed(t, tarball)
    writeFileSync(join(dir, 'example.ts'), example())
    const { code, stdout, stderr } = await run(process.execPath, ['example.ts'], { cwd: dir })
    assert.deepEqual([code, stdout], [0, 'hello\n'], stderr)
  })

  test('describes itself to TypeScript, with all that it refers to', async (t) => {
    const dir = installed(t, tarball)
    files(dir, {
      'example.ts': example(),
      'hook.ts': `import { defineHook } from 'sluice/hook'\nexport default defineHook({ onRequest: () => {} })\n`,
      'client.ts': `import { rcClient } from 'sluice/client'\nexport const version = await rcClient({ url: 'http://127.0.0.1:5572/' }).call('core/version')\n`,
      'tsconfig.json': JSON.stringify({
        compilerOptions: { strict: true, module: 'nodenext', target: 'esnext', types: ['node'], noEmit: true },
        include: ['*.ts'],
      }),
    })
    mkdirSync(join(dir, 'node_modules', '@types'), { recursive: true })
    symlinkSync(join(home, 'node_modules', '@types', 'node'), join(dir, 'node_modules', '@types', 'node'))
    const { code, stdout } = await run(process.execPath, [join(home, 'node_modules', '.bin', 'tsc'), '-p', '.'], {
      cwd: dir,
    })
    assert.deepEqual([code, stdout], [0, ''])
  })
})
