import assert from 'node:assert/strict'
import { lstatSync, lutimesSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { missing } from '../peers.ts'
import { files, run, scratch, sluice, touch } from '../program.ts'

test('-i asks before each change, and takes the answers that rclone takes', { skip: missing('rclone') }, async (t) => {
  const tree = { 's/a': '1', 's/b': '2', 's/c': '3', 'd/x': '4', 'd/y': '5', 'd/z': '6' }
  const one = ['--transfers', '1', '--checkers', '1']
  // Of what is piped in, rclone sees but the first answer.
  const answers = [
    ['copy', '!\n'],
    ['copy', 's\n'],
    ['copy', 'q\n'],
  ] as const
  for (const [command, stdin] of answers) {
    const [mine, theirs] = [scratch(t), scratch(t)]
    const outcomes = []
    for (const [dir, name] of [
      [mine, 'sluice'],
      [theirs, 'rclone'],
    ] as const) {
      files(dir, tree)
      const args = [command, '-i', join(dir, 's'), join(dir, 'd'), ...one]
      const { code, stderr, stdout } =
        name === 'sluice'
          ? await sluice(args, { stdin })
          : await run('rclone', [...args, '--config', '/nonexistent/rclone.conf'], { stdin })
      const asked = [...(stderr + stdout).matchAll(/^(?:sluice|rclone): (.*)\?$/gm)].map(([, what]) => what)
      outcomes.push({ code, asked, left: [readdirSync(join(dir, 's')), readdirSync(join(dir, 'd'))] })
    }
    assert.deepEqual(outcomes[0], outcomes[1], `${command} ${JSON.stringify(stdin)}`)
  }
})

test('-i takes each answer for one change, or for all of a kind', async (t) => {
  const dir = scratch(t)
  files(dir, { 's/a': '1', 's/b': '2', 's/c': '3', 'd/x': '4', 'd/y': '5', 'd/z': '6' })
  const one = ['--transfers', '1', '--checkers', '1']
  const { code, stderr } = await sluice(['sync', '-i', join(dir, 's'), join(dir, 'd'), ...one], {
    stdin: 'n\n!\n\ns\n',
  })
  assert.equal(code, 0)
  const asked = [...stderr.matchAll(/^sluice: (.*)\?$/gm)].map(([, what]) => what)
  assert.deepEqual(asked, ['copy "a"', 'copy "b"', 'delete "x"', 'delete "y"'])
  assert.deepEqual(readdirSync(join(dir, 'd')), ['b', 'c', 'y', 'z'])
})

test('-i with nobody to answer ends at the first question and changes nothing', async (t) => {
  const dir = scratch(t)
  files(dir, { 's/a': '1', 's/b': '2' })
  const { code, stderr } = await sluice(['copy', '-i', join(dir, 's'), join(dir, 'd')])
  assert.equal(code, 7)
  assert.match(stderr, /--interactive: the input ended/)
  assert.deepEqual(readdirSync(dir), ['s'])
})

test('a dry run ends with what it would have done', async (t) => {
  const dir = scratch(t)
  files(dir, { 's/a': '12', 's/b': 'new', 'd/b': 'older', 'd/c': 'gone', 's/same': 'x', 'd/same': 'x' })
  const { stderr } = await sluice(['sync', '-n', '--size-only', join(dir, 's'), join(dir, 'd')])
  assert.match(stderr, /Dry run: 1 new \(2 B\), 1 changed \(3 B\), 1 deleted \(4 B\), 1 the same\n/)
  const nothing = await sluice(['copy', '-n', join(dir, 's'), join(dir, 's')])
  assert.match(nothing.stderr, /Dry run: nothing to do/)
})

test('sync writes what it did to the files of --combined and its sisters', async (t) => {
  const dir = scratch(t)
  files(dir, { 's/a': '12', 's/b': 'new', 'd/b': 'older', 'd/c': 'gone', 's/same': 'x', 'd/same': 'x' })
  const flags = ['--combined', '-', '--missing-on-src', join(dir, 'deleted'), '--differ', join(dir, 'changed')]
  const { stdout } = await sluice(['sync', '--size-only', join(dir, 's'), join(dir, 'd'), ...flags])
  assert.deepEqual(stdout.split('\n').sort(), ['', '* b', '+ a', '- c', '= same'])
  assert.deepEqual(
    [readFileSync(join(dir, 'deleted'), 'utf8'), readFileSync(join(dir, 'changed'), 'utf8')],
    ['c\n', 'b\n'],
  )
})

test('commands that are still to come, or that need something, say what to do', async (t) => {
  const dir = scratch(t)
  files(dir, { a: '1' })
  const cases = [
    [['cryptcheck', dir, dir], 1, /is not encrypted/],
    [['ncdu', dir], 2, /ncdu needs a terminal.*sluice size/],
    [['settier', 'Cool', join(dir, 'a')], 1, /local does not support settier/],
    [['help', 'rc', 'job/retri'], 2, /Did you mean "job\/retry"/],
    [['copy', '--partial-suffix', 'a/b', dir, dir], 2, /1 to 16 characters/],
  ] as const
  for (const [args, code, message] of cases) {
    const ended = await sluice(args)
    assert.equal(ended.code, code, args.join(' '))
    assert.match(ended.stderr, message)
  }
  assert.match((await sluice(['help', 'rc', 'job/retry'])).stdout, /^job\/retry: .*\n[^]*- jobid: integer/)
  assert.partialDeepStrictEqual(JSON.parse((await sluice(['stat', join(dir, 'a')])).stdout), { Path: 'a', Size: 1 })
})

test('dedupe keeps the file of each content that rclone keeps', { skip: missing('rclone') }, async (t) => {
  const plant = () => {
    const dir = scratch(t)
    files(dir, { a: 'one', b: 'one', 'z/c': 'one', q: 'other', r: 'other', u: 'unique', v: 'length' })
    for (const [path, year] of Object.entries({ a: 2021, b: 2020, 'z/c': 2022, q: 2020, r: 2020 }))
      touch(join(dir, path), `${year}-01-01T00:00:00Z`)
    return dir
  }
  const left = (dir: string) => readdirSync(dir, { recursive: true, encoding: 'utf8' }).sort()
  for (const mode of ['list', 'skip', 'first', 'newest', 'oldest', 'largest', 'smallest']) {
    const [mine, theirs] = [plant(), plant()]
    const args = ['dedupe', '--by-hash', '--dedupe-mode', mode]
    const { code, stdout } = await sluice([...args, mine])
    const other = await run('rclone', [...args, theirs])
    assert.equal(code, other.code)
    assert.deepEqual(left(mine), left(theirs), mode)
    assert.deepEqual(stdout.split('\n').sort(), other.stdout.split('\n').sort())
  }
})

test('dedupe asks what to keep, and says what it can not do', async (t) => {
  const dir = scratch(t)
  files(dir, { a: 'one', b: 'one', c: 'two', d: 'two' })
  const asked = await sluice(['dedupe', '--by-hash', dir], { stdin: 'k\n2\nq\n' })
  assert.equal(asked.code, 0, asked.stderr)
  assert.deepEqual(readdirSync(dir), ['b', 'c', 'd'])
  const dry = await sluice(['dedupe', '--by-hash', 'newest', dir, '--dry-run'])
  assert.match(dry.stderr, /c: Skipped delete as --dry-run is set/)
  assert.match((await sluice(['dedupe', dir])).stderr, /Use --by-hash/)
  assert.equal((await sluice(['dedupe', '--by-hash', 'best', dir])).code, 2)
  assert.equal((await sluice(['dedupe', '--by-hash', 'rename', dir])).code, 2)
  assert.deepEqual(readdirSync(dir), ['b', 'c', 'd'])
})

test('a place where the system makes no folders is an error, and --version is a flag of one command alone', async (t) => {
  const dir = scratch(t)
  files(dir, { v10: '', v9: '' })
  const refused = await sluice(['copy', dir, '/proc/none/here', '--retries', '1'])
  assert.equal(refused.code === 0, false)
  assert.match(refused.stderr, /Failed to copy/)
  assert.equal((await sluice(['copy', dir, join(dir, 'a/b/c'), '--exclude', '/a/**'])).code, 0)
  assert.deepEqual(readdirSync(join(dir, 'a/b/c')), ['v10', 'v9'])
  assert.match((await sluice(['--version'])).stdout, /^sluice v/)
  assert.match((await sluice(['tree', '--version', join(dir, 'a/b/c')])).stdout, /v9\n.*v10/)
})

test(
  'with --links, links are copied, dated, moved and deleted as links, as by rclone',
  { skip: missing('rclone') },
  async (t) => {
    const dir = scratch(t)
    const ends: string[][] = []
    for (const program of [sluice, (args: readonly string[]) => run('rclone', args)])
      for (const mode of ['sync', 'move']) {
        const at = join(dir, String(ends.length))
        files(at, { 's/sub/file': 'f', 'd/sub/': '' })
        for (const [place, target] of [
          ['s/sub/new', '../no/where'],
          ['s/same', 'same'],
          ['d/same', 'same'],
          ['s/changed', 'now'],
          ['d/changed', 'before'],
          ['d/gone', 'x'],
        ] as const) {
          symlinkSync(target, join(at, place))
          lutimesSync(join(at, place), 1e9, place.startsWith('s') ? 1e9 : 2e9)
        }
        assert.equal((await program([mode, '--links', join(at, 's'), join(at, 'd')])).code, 0)
        const shown = ['d', 'd/sub', 's', 's/sub'].flatMap((at2) =>
          readdirSync(join(at, at2), { withFileTypes: true })
            .filter((entry) => entry.isSymbolicLink())
            .map(({ name }) => join(at2, name))
            .map((path) => `${path} ${readlinkSync(join(at, path))} ${lstatSync(join(at, path)).mtimeMs}`),
        )
        ends.push(shown)
      }
    assert.ok(ends[0]?.includes('d/sub/new ../no/where 1000000000000'))
    assert.deepEqual(ends.slice(0, 2), ends.slice(2))
  },
)

test('a file that is named itself is copied over, moved over and dated, also where the filter hides it', async (t) => {
  const dir = scratch(t)
  files(dir, { 's/f': 'new', 's/m': 'moved', 'd/f': 'older', 'd/m': 'older', kept: 'kept' })
  const filter = ['--include', 'nothing']
  await sluice(['copy', join(dir, 's/f'), join(dir, 'd'), ...filter])
  await sluice(['move', '--ignore-existing', join(dir, 's/m'), join(dir, 'd'), ...filter])
  await sluice(['touch', join(dir, 'kept'), ...filter])
  const content = ['d/f', 's/m', 'd/m', 'kept'].map((path) => readFileSync(join(dir, path), 'utf8'))
  assert.deepEqual(content, ['new', 'moved', 'older', 'kept'])
})

test('a link that -L can not follow is an error, so that its copy is not deleted', async (t) => {
  const dir = scratch(t)
  files(dir, { 's/a': 'a', 'd/photos/p': 'p', 'outside/p': 'p' })
  symlinkSync(join(dir, 'not mounted'), join(dir, 's/photos'))
  const sync = (...flags: string[]) => sluice(['sync', '-L', join(dir, 's'), join(dir, 'd'), ...flags])
  const { code, stderr } = await sync('--copy-links-outside')
  assert.notEqual(code, 0)
  assert.match(stderr, /photos: This link leads nowhere/)
  assert.deepEqual(readdirSync(join(dir, 'd')).sort(), ['a', 'photos'])
  symlinkSync(join(dir, 'outside'), join(dir, 'not mounted'))
  assert.notEqual((await sync()).code, 0)
  assert.deepEqual(readdirSync(join(dir, 'd/photos')), ['p'])
  assert.equal((await sync('--copy-links-outside')).code, 0)
})
