import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Party } from './party.ts'
import { parseRules, type RulesSettings } from './rules.ts'

const settings: RulesSettings = {
  cwd: '/srv',
  isDirectory: (path) => /^\/(?:srv|data)\/[a-z/]+$/.test(path) && !path.includes('gone'),
  ignoreCase: false,
  normalize: true,
}

function rulesOf(text: string, more: Partial<RulesSettings> = {}) {
  return parseRules(Buffer.from(text), { ...settings, ...more })
}

/** Who of some users is let in; `-` is somebody without a login. */
function who(text: string, path: string, place?: string | string[], more: Partial<RulesSettings> = {}) {
  const rules = rulesOf(text, more)
  const rights = rules.rightsOf({ path, places: [place ?? []].flat() })
  const admits = (party: Party, user: string) => (user === '-' ? party.open : party.admits(user, [rules.groups]))
  const users = ['-', 'ann', 'bob', 'eve']
  return {
    read: users.filter((user) => rights.every(({ read }) => admits(read ?? Party.everybody, user))).join(' '),
    write: users
      .filter((user) => rights.length > 0 && rights.every(({ write }) => admits(write ?? Party.nobody, user)))
      .join(' '),
  }
}

test('without keys everybody reads and nobody writes', () => {
  assert.deepEqual(who('[/data/a]\nname=a', 'a/x', '/data/a/x'), { read: '- ann bob eve', write: '' })
  assert.deepEqual(who('[/data/a]', 'b', '/data/b'), { read: '- ann bob eve', write: '' })
})

test('users and groups are named, alone or together', () => {
  const text = '[groups]\nstaff = bob, eve\n[/data/a]\nru=ann\nrg=staff\nwu=@staff'
  assert.deepEqual(who(text, 'x', '/data/a/x'), { read: 'ann bob eve', write: 'bob eve' })
})

test('$ALL is everybody who can log in when reading, everybody when writing; $NONE is nobody', () => {
  assert.deepEqual(who('[/data/a]\nru=$ALL\nwu=$ALL', 'x', '/data/a/x'), {
    read: 'ann bob eve',
    write: '- ann bob eve',
  })
  assert.deepEqual(who('[/data/a]\nru=$NONE\nwu=$NONE', 'x', '/data/a/x'), { read: '', write: '' })
})

test('the innermost directory counts, whatever its URL is called', () => {
  const text = '[/data/a]\nname=z\nru=ann\n[/data/a/b/]\nru=bob\n[data]\nru=eve'
  assert.equal(who(text, 'z/f', '/data/a/f').read, 'ann')
  assert.equal(who(text, 'z/b/f', '/data/a/b/f').read, 'bob')
  assert.equal(who(text, 'z/bc', '/data/a/bc').read, 'ann', 'a name that only begins alike')
  assert.equal(who(text, 'q', '/srv/data/q').read, 'eve', 'relative to the working directory')
})

test('a directory that is not there guards the URLs of its name', () => {
  const text = '[/data/gone]\nname=/api/\nru=ann\n[NonExistingDir]\nname=in/ner\nwu=bob'.replace(
    'NonExistingDir',
    'gone-x',
  )
  assert.equal(who(text, 'api').read, 'ann')
  assert.equal(who(text, 'api/v1/x').read, 'ann')
  assert.equal(who(text, 'apix').read, '- ann bob eve')
  assert.deepEqual(who(text, 'in/ner/x'), { read: '- ann bob eve', write: 'bob' })
  assert.equal(who(text, 'api/x', '/data/other/api/x').read, 'ann', 'also when there are files at these URLs')
})

test('URL patterns guard what they match and all below it; the most exact one counts', () => {
  const text = '[url:/private/**]\nru=ann\n[/private/open]\nru=$ALL\n[/*.key]\nru=$NONE\n[url:/a*/in]\nru=bob'
  for (const path of ['private', 'private/x', 'private/x/y.txt']) assert.equal(who(text, path).read, 'ann', path)
  assert.equal(who(text, 'privates').read, '- ann bob eve')
  assert.equal(who(text, 'private/open/x').read, 'ann bob eve')
  assert.equal(who(text, 'x.key').read, '')
  assert.equal(who(text, 'abc/in/x').read, 'bob')
  assert.equal(who('[url:/**]\nru=ann', '').read, 'ann')
  assert.equal(who('[url:/]\nru=ann', 'any/thing').read, 'ann')
})

test('a directory and a URL pattern must both allow', () => {
  const text = '[/data/a]\nru=ann,bob\n[url:/a/secret/**]\nru=bob,eve'
  assert.equal(who(text, 'a/secret/x', '/data/a/secret/x').read, 'bob')
  assert.equal(who(text, 'a/x', '/data/a/x').read, 'ann bob')
})

test('patterns see names as the tree finds them: in any Unicode form, and in any case where that is asked', () => {
  assert.equal(who('[url:/priv\u00e9]\nru=ann', 'prive\u0301/x').read, 'ann')
  assert.equal(who('[url:/private]\nru=ann', 'PRIVATE/x').read, '- ann bob eve')
  assert.equal(who('[url:/private]\nru=ann', 'PRIVATE/x', undefined, { ignoreCase: true }).read, 'ann')
})

test('a link is guarded where it lies and where it leads', () => {
  const text = '[/data/a]\nru=ann,bob\n[/data/b]\nru=bob,eve'
  assert.equal(who(text, 'x', ['/data/a/link', '/data/b/file']).read, 'bob')
  assert.equal(who(text, 'x', ['/data/a/link', '/elsewhere']).read, 'ann bob')
  assert.equal(who(text, 'x', ['/elsewhere', '/data/b/file']).read, 'bob eve')
})

test('remotes are places as well', () => {
  const text = '[nas:]\nru=ann\n[nas:films/old/]\nru=bob'
  assert.equal(who(text, 'x', 'nas:films/x').read, 'ann')
  assert.equal(who(text, 'x', 'nas:films/old/x').read, 'bob')
  assert.equal(who(text, 'x', 'nas2:x').read, '- ann bob eve')
})

test('a section for other servers only is passed over', () => {
  assert.equal(who('[/data/a]\nfilters=rtspout\nru=ann', 'x', '/data/a/x').read, '- ann bob eve')
  for (const filters of ['*', 'all', 'rtspout, httpout'])
    assert.equal(who(`[/data/a]\nfilters=${filters}\nru=ann`, 'x', '/data/a/x').read, 'ann')
})

test('what cannot be meant is an error', () => {
  assert.throws(() => rulesOf('[/data/a]\nread=ann'), /\[\/data\/a\] has "read": use name, ru, rg, wu or wg/)
  assert.throws(() => rulesOf('[/data/a]\nname=../x'), /can't be the beginning of a URL/)
  assert.throws(() => rulesOf('[url:private]\nru=ann'), /a URL begins with a slash/)
  assert.throws(() => rulesOf('[url:/{a]\nru=ann'), /mismatched/)
  assert.throws(() => rulesOf('nonsense'), /could not parse line/)
})
