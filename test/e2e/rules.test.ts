import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import fc from 'fast-check'
import { openUpload } from '../open-upload.ts'
import { missing } from '../peers.ts'
import { files, run, scratch, serve, type Server, sluice } from '../program.ts'

const sha1 = (password: string) => createHash('sha1').update(password).digest('base64')
const users = ['ann', 'bob', 'eve'].map((name) => `${name}:{SHA}${sha1(name)}\n`).join('')
const login = (name: string, password = name) => ({ authorization: `Basic ${btoa(`${name}:${password}`)}` })

/** A server with a rules file in which `@` stands for the directory of the test. */
async function ruled(t: TestContext, tree: Record<string, string>, rules: string, args: readonly string[] = []) {
  const dir = scratch(t)
  files(dir, { ...tree, 'conf/users': users, 'conf/rules': rules.replaceAll('[@', `[${dir}`) })
  const at = (name: string) => join(dir, name)
  const logins = args.includes('--gpac-users') ? [] : ['--htpasswd', at('conf/users')]
  const own = ['--rules', at('conf/rules'), ...logins, ...args.map((arg) => arg.replace(/^@|(?<==)@/, dir))]
  const server = await serve(t, ['serve', 'http', ...own])
  return { server, at }
}

/** The status of a request: by nobody, or by a user. */
async function status(server: Server, line: string, user?: string): Promise<number> {
  const [method = '', path = ''] = line.split(' ')
  const body = method === 'PUT' ? { body: 'new' } : {}
  return (await fetch(server.url + path, { method, ...body, ...(user ? { headers: login(user) } : {}) })).status
}

test('a login is asked for only where a rule needs one, and its answers are for that user alone', async (t) => {
  const { server } = await ruled(
    t,
    { 'pub/p.txt': 'p', 'priv/s.txt': 's', 'priv/inner/i.txt': 'i' },
    '[@/pub]\n[@/priv]\nru=ann\n[@/priv/inner]\nru=bob\n',
  )
  const open = await fetch(`${server.url}pub/p.txt`)
  assert.deepEqual([open.status, open.headers.get('cache-control')], [200, null])
  const asked = await fetch(`${server.url}priv/s.txt`)
  assert.deepEqual(
    [asked.status, asked.headers.get('www-authenticate')],
    [401, 'Basic realm="sluice", charset="UTF-8"'],
  )
  const given = await fetch(`${server.url}priv/s.txt`, { headers: login('ann') })
  assert.deepEqual([given.status, given.headers.get('cache-control')], [200, 'private'])
  assert.equal((await fetch(`${server.url}priv/s.txt`, { headers: login('ann', 'no') })).status, 401)
  assert.equal(await status(server, 'GET priv/s.txt', 'eve'), 403)
  assert.equal(await status(server, 'GET priv/inner/i.txt', 'ann'), 403)
  assert.equal(await status(server, 'GET priv/inner/i.txt', 'bob'), 200)
  assert.equal(await status(server, 'HEAD priv/', 'ann'), 200)
  assert.equal(await status(server, 'PUT priv/s.txt', 'ann'), 405, 'nothing is written here')
  assert.equal(await status(server, 'GET pub/p.txt', 'nobody'), 200, 'where none is asked for, none is looked at')
  const preflight = { origin: 'http://o', 'access-control-request-method': 'GET' }
  assert.equal((await fetch(`${server.url}priv/s.txt`, { method: 'OPTIONS', headers: preflight })).status, 204)
})

test('a listing names the folders that who asks may read, and no others', async (t) => {
  const { server } = await ruled(
    t,
    { 'pub/p.txt': 'p', 'pub/staff/s.txt': 's', 'priv/s.txt': 's', 'shut/n.txt': 'n' },
    '[@/pub]\nname=pub\n[@/pub/staff]\nru=bob\n[@/priv]\nname=priv\nru=ann\n[@/shut]\nname=shut\nru=$NONE\nwu=$ALL\n',
  )
  const names = async (path: string, headers: Record<string, string> = {}) =>
    (await (await fetch(server.url + path, { headers: { accept: 'text/plain', ...headers } })).text()).trim()
  assert.equal(await names(''), 'pub/')
  assert.equal(await names('', login('ann')), 'priv/\npub/')
  assert.equal(await names('', login('ann', 'wrong')), 'pub/')
  assert.equal(await names('pub/'), 'p.txt')
  assert.equal(await names('pub/', login('bob')), 'staff/\np.txt')
})

test('passwords are not guessed any faster because rules ask for them', async (t) => {
  const { server } = await ruled(t, { 'priv/s.txt': 's' }, '[@/priv]\nname=priv\nru=ann\n')
  const tries = Array.from({ length: 400 }, async (_, i) => {
    const headers = login('ann', `no${i}`)
    return (await fetch(`${server.url}priv/s.txt`, { headers })).status
  })
  assert.ok((await Promise.all(tries)).includes(429))
  assert.doesNotMatch(server.log(), /no399/)
})

test('a section without a name is the root when it is the only one, sections with one are folders', async (t) => {
  const only = await ruled(t, { 'd/a.txt': 'a' }, '[@/d]\nru=$ALL\n')
  assert.equal(await status(only.server, 'GET a.txt', 'eve'), 200)
  assert.equal(await status(only.server, 'GET a.txt'), 401)
  const named = await ruled(t, { 'd/a.txt': 'a' }, '[@/d]\nname=bar\n[@/gone]\nname=svc\nru=ann\n')
  assert.equal(await status(named.server, 'GET bar/a.txt'), 200)
  assert.equal(await status(named.server, 'GET svc/x'), 401)
  assert.equal(await status(named.server, 'GET svc/x', 'ann'), 404)
})

test('who may write does, into the folder of the section, and nobody else', async (t) => {
  const rules =
    '[@/in]\nname=in\nwu=ann\nwg=staff\n[@/out]\nname=out\n[@/all]\nname=all\nru=$NONE\nwu=$ALL\n[groups]\nstaff=bob\n'
  const { server, at } = await ruled(t, { 'in/old.txt': 'o', 'out/o.txt': 'o', 'all/': '' }, rules)
  assert.equal(await status(server, 'PUT in/a.txt'), 401)
  assert.ok(!existsSync(at('in/a.txt')))
  assert.equal(await status(server, 'PUT in/a.txt', 'eve'), 403)
  assert.equal(await status(server, 'PUT in/a.txt', 'ann'), 201)
  assert.equal(await status(server, 'PUT in/a.txt', 'bob'), 204)
  assert.equal(readFileSync(at('in/a.txt'), 'utf8'), 'new')
  assert.equal(await status(server, 'DELETE in/old.txt'), 401)
  assert.equal(await status(server, 'DELETE in/old.txt', 'eve'), 403)
  assert.equal(await status(server, 'DELETE in/old.txt', 'bob'), 204)
  assert.equal(await status(server, 'PUT out/x.txt', 'ann'), 403)
  assert.equal(await status(server, 'PUT new.txt', 'ann'), 403)
  assert.equal(await status(server, 'PUT all/x.txt'), 201)
  assert.equal(await status(server, 'GET all/x.txt', 'ann'), 403)
})

test('rules hold for --write, whose folder may be another one than that which is read', async (t) => {
  const { server, at } = await ruled(
    t,
    { 'r/sub/a.txt': 'a', 'w/sub/': '', 'w/closed/': '' },
    '[@/w]\nwu=ann\n[@/w/closed]\nru=ann\n[@/r/sub]\nru=bob\n',
    ['@/r', '--write', '@/w'],
  )
  assert.equal(await status(server, 'PUT sub/x.txt', 'ann'), 201)
  assert.equal(readFileSync(at('w/sub/x.txt'), 'utf8'), 'new')
  assert.equal(await status(server, 'PUT closed/x.txt', 'ann'), 403)
  assert.equal(await status(server, 'GET sub/a.txt', 'ann'), 403)
  assert.equal(await status(server, 'GET sub/a.txt', 'bob'), 200)
})

test('rules guard live folders: on a disk, in memory, and by their URLs', async (t) => {
  const rights = 'ru=ann\nwu=bob\n'
  const rules = `[@/cam]\n${rights}[@/cam/in]\nru=eve\n[:memory:live/mem]\n${rights}[url:/url/**]\n${rights}`
  const folders = ['cam=@/cam', 'mem=memory', 'url=memory', 'free=memory'].flatMap((dir) => ['--live-dir', dir])
  const tree = { 'cam/in/x.m4s': 'x', 'd/a.txt': 'a' }
  const { server } = await ruled(t, tree, rules, ['@/d', ...folders])
  for (const dir of ['cam', 'mem', 'url']) {
    const tell = async (method: string, name: string) => [
      await status(server, `${method} ${dir}/${name}`),
      await status(server, `${method} ${dir}/${name}`, 'ann'),
      await status(server, `${method} ${dir}/${name}`, 'bob'),
    ]
    assert.deepEqual(await tell('PUT', 's1.m4s'), [401, 403, 201], dir)
    assert.deepEqual(await tell('GET', 's1.m4s'), [401, 200, 403], dir)
    assert.deepEqual(await tell('HEAD', ''), [401, 200, 403], dir)
    const upload = await openUpload(server, `${dir}/s2.m4s`, login('bob'))
    await upload.write('begun')
    assert.equal(await status(server, `HEAD ${dir}/s2.m4s`), 401, 'what is being written is guarded as well')
    assert.equal(await upload.end(), 201)
    assert.deepEqual(await tell('DELETE', 's1.m4s'), [401, 403, 204], dir)
  }
  assert.equal(await status(server, 'GET cam/in/x.m4s', 'ann'), 403)
  assert.equal(await status(server, 'GET cam/in/x.m4s', 'eve'), 200)
  assert.equal(await status(server, 'PUT cam/in/y.m4s', 'bob'), 403)
  assert.equal(await status(server, 'PUT free/s1.m4s', 'bob'), 403)
  assert.equal(await status(server, 'GET a.txt'), 200)
})

test('a section about a live folder does not serve it a second time', async (t) => {
  const { server } = await ruled(t, { 'cam/x.m4s': 'x' }, '[@/cam]\nru=ann\n', ['--live-dir', 'live=@/cam'])
  assert.equal(await status(server, 'GET live/x.m4s', 'ann'), 200)
  assert.equal(await status(server, 'GET live/x.m4s'), 401)
  assert.equal(await status(server, 'GET x.m4s', 'ann'), 404)
})

test('no way around a rule: links, zips, index files, other ways to write a path', async (t) => {
  const dir = scratch(t)
  const tree = {
    'd/priv/s.txt': 'secret',
    'd/priv\u00e9/t.txt': 'secret',
    'd/pub/p.txt': 'p',
    'd/page/index.html': 'secret',
    'd/page/x.txt': 'x',
    rules: `[${dir}/d/priv]\nru=$NONE\n[${dir}/d/priv\u00e9]\nru=$NONE\n[url:/**/index.html]\nru=$NONE\n`,
  }
  files(dir, tree)
  symlinkSync('../priv', join(dir, 'd/pub/link'))
  symlinkSync('../priv/s.txt', join(dir, 'd/pub/file'))
  const server = await serve(t, [
    'serve',
    'http',
    join(dir, 'd'),
    '--rules',
    join(dir, 'rules'),
    '--index',
    'index.html',
    '--copy-links',
    '--vfs-case-insensitive',
  ])
  const paths = ['priv/', 'priv/s.txt', '%70riv/s.txt', 'PRIV/s.txt', 'Priv/S.TXT', 'priv%2Fs.txt', '/priv/s.txt']
  const others = [
    'pub/link/s.txt',
    'PUB/LINK/s.txt',
    'pub/file',
    'prive%CC%81/t.txt',
    'PRIV%C3%89/t.txt',
    'priv/?download=zip',
  ]
  for (const path of [...paths, ...others]) {
    const response = await fetch(server.url + path)
    assert.notEqual(response.status, 200, path)
    assert.doesNotMatch(await response.text(), /secret/, path)
  }
  assert.doesNotMatch(await (await fetch(`${server.url}page/`)).text(), /secret/)
  const zip = Buffer.from(await (await fetch(`${server.url}?download=zip`)).arrayBuffer()).toString('latin1')
  assert.match(zip, /pub\/p\.txt/)
  assert.doesNotMatch(zip, /secret|s\.txt/)
})

test(
  'a stream that is sent in one request is written only where its sender may write',
  { skip: missing('ffmpeg') },
  async (t) => {
    const { server, at } = await ruled(t, { 'd/ch/own/': '' }, '[@/d]\n[@/d/ch]\nwu=$ALL\n[@/d/ch/own]\nwu=ann\n', [
      '@/d',
      '--write',
      '@/d',
    ])
    const flags = ['-movflags', '+cmaf+empty_moov+default_base_moof', '-f', 'mp4', at('v.mp4')]
    await run('ffmpeg', ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc2=size=64x64:d=1', '-c:v', 'libx264', ...flags])
    const body = readFileSync(at('v.mp4'))
    const post = async (name: string) =>
      (await fetch(`${server.url}ch/Streams(${name})`, { method: 'POST', body })).status
    assert.deepEqual([await post('own.cmfv'), await post('other.cmfv')], [403, 200])
    assert.deepEqual([existsSync(at('d/ch/own/init.mp4')), existsSync(at('d/ch/other/init.mp4'))], [false, true])
  },
)

test('no spelling of a URL leads around a rule', async (t) => {
  const dir = scratch(t)
  files(dir, {
    'd/priv/in/s.txt': 'secret',
    'd/pub/a.txt': 'a',
    rules: `[${dir}/d/priv]\nru=$NONE\n[url:/pub]\nru=$NONE\n`,
  })
  const args = ['serve', 'http', join(dir, 'd'), '--write', join(dir, 'd'), '--rules', join(dir, 'rules')]
  const server = await serve(t, [...args, '--vfs-case-insensitive'])
  const agent = new Agent({ keepAlive: true, maxSockets: 4 })
  t.after(() => agent.destroy())
  const ask = (path: string, method: string) =>
    new Promise<{ status: number; text: string }>((resolve, reject) => {
      const req = request({ host: '127.0.0.1', port: server.port, path, method, agent }, (res) => {
        let text = ''
        res.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        res.on('end', () => resolve({ status: res.statusCode ?? 0, text }))
      })
      req.on('error', reject).end()
    })
  const hex = (char: string) => `%${char.charCodeAt(0).toString(16)}`
  const spelt = (char: string) =>
    fc.constantFrom(
      char,
      hex(char),
      hex(char).toUpperCase(),
      char.toUpperCase(),
      ...(char === '/' ? ['//', '/./', '/x/../'] : []),
    )
  const way = fc
    .constantFrom('/priv/in/s.txt', '/priv/in/', '/pub/a.txt', '/priv/?download=zip')
    .chain((path) => fc.tuple(...path.split('').map((char) => (char === '?' ? fc.constant('?') : spelt(char)))))
    .map((parts) => `/${parts.slice(1).join('')}`)
  await fc.assert(
    fc.asyncProperty(way, fc.constantFrom('GET', 'HEAD', 'DELETE'), async (path, method) => {
      const { status, text } = await ask(path, method)
      assert.doesNotMatch(text, /secret|s\.txt/)
      assert.ok(status >= 300, `${method} ${path}: ${status}`)
    }),
    { numRuns: 300 },
  )
  assert.ok(existsSync(join(dir, 'd/priv/in/s.txt')) && existsSync(join(dir, 'd/pub/a.txt')))
})

test('a link that leads out of a guarded folder is guarded, also when it is the folder itself', async (t) => {
  const dir = scratch(t)
  files(dir, { 'v1/a.txt': 'one', 'v2/a.txt': 'two', 'out/x.txt': 'out', 'd/y.txt': 'y' })
  symlinkSync('v1', join(dir, 'current'))
  symlinkSync('../out', join(dir, 'd/link'))
  writeFileSync(join(dir, 'rules'), `[${dir}/current]\nname=c\nru=$NONE\n[${dir}/d]\nname=d\nru=$NONE\n`)
  const server = await serve(t, ['serve', 'http', '--rules', join(dir, 'rules'), '--copy-links-outside', '-L'])
  assert.equal(await status(server, 'GET d/link/x.txt'), 403)
  assert.equal(await status(server, 'GET c/a.txt'), 403)
  unlinkSync(join(dir, 'current'))
  symlinkSync('v2', join(dir, 'current'))
  assert.equal(await status(server, 'GET c/a.txt'), 403)
})

test('rules change while the server runs; a file that goes bad changes nothing', async (t) => {
  const { server, at } = await ruled(t, { 'd/a.txt': 'a' }, '[@/d]\nname=d\nru=ann\n')
  const set = (rights: string) => writeFileSync(at('conf/rules'), `[${at('d')}]\nname=d\n${rights}\n`)
  assert.equal(await status(server, 'GET d/a.txt', 'bob'), 403)
  set('ru=ann,bob')
  assert.equal(await status(server, 'GET d/a.txt', 'bob'), 200)
  set('nonsense')
  assert.equal(await status(server, 'GET d/a.txt', 'bob'), 200)
  assert.equal(await status(server, 'GET d/a.txt'), 401)
  await server.logged(/rules file: could not parse line: nonsense; what was read before stays in force/)
  set('')
  assert.equal(await status(server, 'GET d/a.txt'), 200)
})

test('sections are about remotes as well, whatever they stand for', async (t) => {
  const dir = scratch(t)
  files(dir, { 'd/priv/s.txt': 's', 'd/a.txt': 'a', users, conf: `[r]\ntype = alias\nremote = ${dir}/d\n` })
  writeFileSync(join(dir, 'rules'), '[r:priv]\nru=ann\n[:memory:]\nname=mem\nru=bob\nwu=$ALL\n')
  const args = ['--rules', join(dir, 'rules'), '--htpasswd', join(dir, 'users'), '--config', join(dir, 'conf')]
  const named = await serve(t, ['serve', 'http', 'r:', ...args])
  assert.equal(await status(named, 'GET a.txt'), 200)
  assert.equal(await status(named, 'GET priv/s.txt'), 401)
  assert.equal(await status(named, 'GET priv/s.txt', 'bob'), 403)
  assert.equal(await status(named, 'GET priv/s.txt', 'ann'), 200)
  const alone = await serve(t, ['serve', 'http', ...args])
  assert.equal(await status(alone, 'PUT mem/x.txt'), 201)
  assert.equal(await status(alone, 'GET mem/x.txt'), 401)
  assert.equal(await status(alone, 'GET mem/x.txt', 'bob'), 200)
  assert.equal(await status(alone, 'GET priv/s.txt', 'ann'), 200)
})

test('a section that guards nothing is told', async (t) => {
  const dir = scratch(t)
  files(dir, {
    'd/a.txt': 'a',
    'e/': '',
    rules: `[privat]\nru=$NONE\n[${dir}/d/gone]\nru=$NONE\n[${dir}/e]\n[d]\n[/url/*]\nru=$NONE\n[svc]\nname=svc\n`,
  })
  const server = await serve(t, ['serve', 'http', 'd', '--rules', 'rules'], { cwd: dir })
  const told = [...server.log().matchAll(/WARNING: (.*)/g)].map(([, line]) => line?.replaceAll(dir, ''))
  assert.deepEqual(told, [
    '[privat] of rules guards nothing: it is not in what is served',
    '[/d/gone] of rules is not there',
    '[/e] of rules guards nothing: it is not in what is served',
  ])
})

test('the users and groups of a users.cfg of gpac log in', async (t) => {
  const user = (name: string) => {
    const salt = randomBytes(32)
    const password = createHash('sha256').update(`${name}@`).update(salt).digest('hex')
    return `[${name}]\npassword=${password}\nsalt=${salt.toString('hex')}\npass_date=1\nemail=\n`
  }
  const cfg = `${user('ann')}${user('bob')}${user('eve')}[groups]\nusers=ann,bob,eve\nteam=bob\n`
  const rules = '[@/d]\nname=d\nru=ann\nrg=team\n'
  const { server, at } = await ruled(t, { 'd/a.txt': 'a', 'users.cfg': cfg }, rules, ['--gpac-users', '@/users.cfg'])
  for (const name of ['ann', 'bob']) assert.equal(await status(server, 'GET d/a.txt', name), 200, name)
  assert.equal(await status(server, 'GET d/a.txt', 'eve'), 403)
  assert.equal((await fetch(`${server.url}d/a.txt`, { headers: login('ann', 'bob') })).status, 401)
  assert.equal(await status(server, 'GET d/a.txt', 'groups'), 401)
  writeFileSync(at('users.cfg'), cfg.replace('team=bob', 'team=eve'))
  assert.equal(await status(server, 'GET d/a.txt', 'bob'), 403)
  assert.equal(await status(server, 'GET d/a.txt', 'eve'), 200)
})

test('what cannot work is told at the start', async (t) => {
  const dir = scratch(t)
  const deep = `[${dir}/d]\nname=a/b\n`
  files(dir, { 'd/': '', rules: `[${dir}/d]\nru=ann\n`, deep, bad: 'nonsense\n', users })
  const start = async (...args: string[]) => (await sluice(['serve', 'http', ...args, '--addr', '127.0.0.1:0'])).stderr
  assert.match(await start('--rules', join(dir, 'rules')), /asks for a login, and nobody can log in: give --htpasswd/)
  assert.match(await start('--rules', join(dir, 'bad')), /can't read the rules file: could not parse line/)
  assert.match(
    await start('--rules', join(dir, 'deep')),
    /the name "a\/b" has to be that of one folder, without a slash/,
  )
  assert.match(await start('--rules', join(dir, 'none')), /can't read the rules file: .*no such file/)
  const both = ['--htpasswd', join(dir, 'users'), '--gpac-users', join(dir, 'users')]
  assert.match(await start(join(dir, 'd'), ...both), /give --htpasswd or --gpac-users, not both/)
})

test('curl logs in where a rule asks it to, and uploads', { skip: missing('curl') }, async (t) => {
  const { server, at } = await ruled(t, { 'in/': '', 'f.txt': 'from curl' }, '[@/in]\nname=in\nru=ann\nwu=ann\n')
  const curl = async (...args: string[]) => (await run('curl', ['-s', '--anyauth', ...args])).stdout
  await curl('-u', 'ann:ann', '-T', at('f.txt'), `${server.url}in/f.txt`)
  assert.equal(await curl('-u', 'ann:ann', `${server.url}in/f.txt`), 'from curl')
  assert.equal(await curl('-o', '/dev/null', '-w', '%{http_code}', '-u', 'eve:eve', `${server.url}in/f.txt`), '403')
})
