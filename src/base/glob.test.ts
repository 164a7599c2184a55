import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { directoryGlobs, globToRegex, type GlobOptions } from './glob.ts'
import { Regex } from './regex.ts'

const sources: [glob: string, source: string, options?: GlobOptions][] = [
  ['', '(^|/)$'],
  ['potato', '(^|/)potato$'],
  ['potato', '(?i)(^|/)potato$', { ignoreCase: true }],
  ['/potato', '^potato$'],
  ['*.jpg', '(^|/)[^/]*\\.jpg$'],
  ['dir/**', '(^|/)dir/.*$'],
  ['**/x', '(^|/).*/x$'],
  ['a?b', '(^|/)a[^/]b$'],
  ['{a,b}/c', '(^|/)(a|b)/c$'],
  ['{a,{b,c}d}', '(^|/)(a|(b|c)d)$'],
  ['a,b', '(^|/)a,b$'],
  ['{}', '(^|/)()$'],
  ['\\{a\\}', '(^|/)\\{a\\}$'],
  ['[!a]', '(^|/)[!a]$'],
  ['[^a]', '(^|/)[^a]$'],
  ['[a*{?,.]', '(^|/)[a*{?,.]$'],
  ['[[:alpha:]]', '(^|/)[[:alpha:]]$'],
  ['(x)|y^$+', '(^|/)\\(x\\)\\|y\\^\\$\\+$'],
  ['{{[0-9]+}}.txt', '(^|/)([0-9]+)\\.txt$'],
  ['x{{.*}}/y', '(^|/)x(.*)/y$'],
  ['{{a{2}}}', '(^|/)(a{2})$'],
  ['{{a}}}b', '(^|/)(a})b$'],
  ['{{a}b}}', '(^|/)(a}b)$'],
  ['{a,{{b|c}}}', '(^|/)(a|(b|c}$'],
  ['\\{{a}', '(^|/)\\{(a)$'],
  ['a\\', '(^|/)a\\$'],
  ['a=*', '^a=.*$', { mode: 'text' }],
  ['/a?', '^/a.$', { mode: 'text' }],
]
for (const [glob, source, options] of sources)
  test(`the glob ${glob} becomes ${source}`, () => {
    if (glob === '{a,{{b|c}}}') assert.throws(() => globToRegex(glob, options), /mismatched '\{' and '\}'/)
    else assert.equal(globToRegex(glob, options), source)
  })

const wrong: [glob: string, message: string, options?: GlobOptions][] = [
  ['***', 'too many stars in "***"'],
  ['a***b', 'too many stars in "a***b"'],
  ['a**', 'too many stars in "a**"', { mode: 'text' }],
  ['a]b', `mismatched ']' in glob "a]b"`],
  ['[ab', `mismatched '[' and ']' in glob "[ab"`],
  ['{a', `mismatched '{' and '}' in glob "{a"`],
  ['{a,{b}', `mismatched '{' and '}' in glob "{a,{b}"`],
  ['a}', `mismatched '{' and '}' in glob "a}"`],
  ['{{a', `mismatched '{{' and '}}' in glob "{{a"`],
]
for (const [glob, message, options] of wrong)
  test(`the glob ${glob} is refused`, () => {
    assert.throws(() => globToRegex(glob, options), { message })
  })

const directories: [glob: string, globs: string[]][] = [
  ['*', ['/**']],
  ['*.jpg', ['/**']],
  ['/*.jpg', ['/']],
  ['dir/**', ['dir/**/', 'dir/']],
  ['/dir/**', ['/dir/**/', '/dir/', '/']],
  ['**/x', ['**/']],
  ['a/b/c.txt', ['a/b/', 'a/']],
  ['/dir/*.txt', ['/dir/', '/']],
  ['a/**/b', ['a/**/', 'a/']],
  ['a//b', ['a/']],
  ['{a,b}/c', ['{a,b}/']],
  ['{a,{b,c}d}/e', ['{a,{b,c}d}/']],
  ['{a,{b,c}}/d', ['/**']],
  ['x/{a/b,c}', ['/**']],
  ['x/{a/{b},c}', ['/**']],
  ['{a**}', ['/**']],
  ['x{{.*}}/y', ['/**']],
  ['a{b,{c}}/y', ['/**']],
  ['[a/b]', ['/**']],
]
for (const [glob, globs] of directories)
  test(`the directories for ${glob} are ${globs.join(' ')}`, () => {
    assert.deepEqual(directoryGlobs(glob), globs)
  })

test('each directory above a matching path is found by a directory glob', () => {
  const piece = fc.constantFrom('a', 'b', '*', '**', '?', '/', '/', '{a,b}', '{a/b,a}', '[ab]', '{{a.b}}', '{a,{b,a}}')
  const glob = fc.array(piece, { minLength: 1, maxLength: 6 }).map((parts) => parts.join(''))
  const path = fc.array(fc.constantFrom('a', 'b', 'ab', 'ba'), { minLength: 2, maxLength: 4 }).map((s) => s.join('/'))
  fc.assert(
    fc.property(glob, path, (glob, path) => {
      fc.pre(!glob.includes('***'))
      if (!new Regex(globToRegex(glob)).test(path)) return
      const rules = directoryGlobs(glob).map((dir) => new Regex(globToRegex(dir)))
      for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1)) {
        const dir = path.slice(0, slash + 1)
        // A pattern that is not rooted may begin below this directory: rclone prunes it then, and so do we.
        if (!glob.startsWith('/')) continue
        assert.ok(
          rules.some((rule) => rule.test(dir)),
          `${dir} for ${glob}`,
        )
      }
    }),
    { numRuns: 2000 },
  )
})
