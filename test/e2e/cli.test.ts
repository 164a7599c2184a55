import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { find, missing } from '../peers.ts'
import { run, scratch, sluice } from '../program.ts'

test('help, version and unknown words', async () => {
  assert.match((await sluice(['--version'])).stdout, /^sluice v\d+\.\d+\.\d+/)
  assert.match((await sluice([])).stdout, /Start here:/)
  assert.match((await sluice(['serve', 'http', '--help'])).stdout, /--vfs-cache-mode/)
  assert.match((await sluice(['help', 'flags', 'bwlimit'])).stdout, /--bwlimit /)
  assert.match((await sluice(['help', 'backend', 'local'])).stdout, /copy_links/)
  const { code, stderr } = await sluice(['servehttp'])
  assert.equal(code, 2)
  assert.match(stderr, /Did you mean "serve http"\?/)
})

test('what only one kind of storage can do is told by help and to clients, and done', async (t) => {
  const help = (await sluice(['backend', 'help', 'local'])).stdout
  assert.match(help, /noop \[ARGUMENT\]\.\.\.\n.+\n +-o echo: /)
  assert.ok((await sluice(['help', 'backend', 'local'])).stdout.endsWith(help))
  assert.equal((await sluice(['backend', 'help', ':local:'])).stdout, help)
  assert.match((await sluice(['backend', 'help', 'sftp'])).stderr, /sftp has no backend commands/)
  const providers = JSON.parse((await sluice(['config', 'providers'])).stdout) as readonly {
    Name: string
    CommandHelp: readonly Readonly<Record<'Name' | 'Long', string>>[] | null
  }[]
  const named = (name: string) => providers.find(({ Name }) => Name === name)?.CommandHelp
  assert.deepEqual(
    named('hasher')?.map(({ Name }) => Name),
    ['drop', 'dump', 'fulldump', 'import', 'stickyimport'],
  )
  assert.match(named('s3')?.at(-1)?.Long ?? '', /Usage: sluice backend versioning REMOTE:PATH/)
  assert.equal(named('sftp'), null)
  const features = JSON.parse((await sluice(['backend', 'features', scratch(t)])).stdout)
  assert.equal(features.Name, 'local')
  assert.equal(features.Features.IsLocal, true)
})

test('commands of rclone that have nothing to do here say so', async (t) => {
  const path = join(scratch(t), 'rclone.conf')
  writeFileSync(path, '[nas]\ntype = sftp\nhost = nas\n')
  for (const word of ['userinfo', 'reconnect', 'disconnect']) {
    const { code, stderr } = await sluice(['config', word, 'nas:', '--config', path])
    assert.equal(code, 1)
    assert.match(stderr, /nas is storage of the kind sftp, which has no login that a browser renews/)
  }
  assert.match((await sluice(['version', '--check'])).stdout, /^yours:  \d+\.\d+\.\d+\nlatest: not asked for/)
})

test('a remote is created, shown, changed and deleted in rclone.conf', { skip: missing('rclone') }, async (t) => {
  const path = join(scratch(t), 'rclone.conf')
  const config = ['--config', path]
  assert.equal((await sluice(['config', 'create', 'films', 'alias', 'remote=/srv/films', ...config])).code, 0)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const theirs = await run('rclone', ['config', 'dump', ...config])
  assert.deepEqual(JSON.parse(theirs.stdout), { films: { type: 'alias', remote: '/srv/films' } })
  assert.equal((await sluice(['config', 'update', 'films', 'remote', '/srv/other', ...config])).code, 0)
  assert.deepEqual(JSON.parse((await sluice(['config', 'dump', ...config])).stdout), {
    films: { remote: '/srv/other', type: 'alias' },
  })
  assert.equal((await sluice(['listremotes', ...config])).stdout, 'films:\n')
  assert.equal((await sluice(['config', 'delete', 'films', ...config])).code, 0)
  assert.equal((await sluice(['listremotes', ...config])).stdout, '')
})

test('a value with a line break cannot break the file', async (t) => {
  const path = join(scratch(t), 'rclone.conf')
  writeFileSync(path, '# mine\n[a]\ntype = alias\nremote = /a\n')
  const { code, stderr } = await sluice(['config', 'update', 'a', 'remote=x\n[evil]', '--config', path])
  assert.notEqual(code, 0)
  assert.notEqual(stderr, '')
  assert.equal(readFileSync(path, 'utf8'), '# mine\n[a]\ntype = alias\nremote = /a\n')
})

test('a broken configuration is named with its line, and nothing is lost', async (t) => {
  const path = join(scratch(t), 'rclone.conf')
  writeFileSync(path, '[a]\ntype = local\nnoeq\n')
  const { code, stderr } = await sluice(['listremotes', '--config', path])
  assert.equal(code, 1)
  assert.match(stderr, /could not parse line: noeq/)
  assert.equal(readFileSync(path, 'utf8'), '[a]\ntype = local\nnoeq\n')
})

test('an encrypted configuration opens with its password only', { skip: missing('rclone') }, async (t) => {
  const path = join(scratch(t), 'rclone.conf')
  writeFileSync(
    path,
    '# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXBhVMj4pqSJdsgcKJzz4+BIgDgSxgkGfw4nKvwtin/0zs\n',
  )
  const args = ['listremotes', '--config', path, '--ask-password=false']
  assert.equal((await sluice(args, { env: { RCLONE_CONFIG_PASS: 'Test Pässword 1' } })).stdout, 'a:\n')
  const wrong = await sluice(args, { env: { RCLONE_CONFIG_PASS: 'wrong' } })
  assert.equal(wrong.code, 1)
  assert.match(wrong.stderr, /password/)
})

test('a remote of the environment is there without a file', async () => {
  const env = { RCLONE_CONFIG_MYENV_TYPE: 'alias', RCLONE_CONFIG_MYENV_REMOTE: '/srv' }
  assert.equal((await sluice(['listremotes'], { env })).stdout, 'myenv:\n')
})

test('obscure and reveal are inverses, and rubbish is refused', async () => {
  const { stdout } = await sluice(['obscure', 'p\u00e4ss'])
  assert.equal((await sluice(['reveal', stdout.trim()])).stdout, 'p\u00e4ss\n')
  assert.equal((await sluice(['reveal', '-'], { stdin: stdout })).stdout, 'p\u00e4ss\n')
  assert.equal((await sluice(['reveal', '!!!'])).code, 1)
})

test('the wizard makes a remote from piped answers', async (t) => {
  const path = join(scratch(t), 'rclone.conf')
  const answers = ['n', 'films', 'alias', '/srv/films', 'y', 'q', ''].join('\n')
  const { code, stderr } = await sluice(['config', '--config', path], { stdin: answers })
  assert.equal(code, 0, stderr)
  assert.match(readFileSync(path, 'utf8'), /\[films\]\ntype = alias\nremote = \/srv\/films\n/)
})

test('bash completes commands, flags and values', { skip: missing('bash') }, async (t) => {
  const script = join(scratch(t), 'c.bash')
  writeFileSync(script, (await sluice(['completion', 'bash'])).stdout)
  const bin = join(import.meta.dirname, '..', '..', 'bin')
  const complete = async (...words: string[]) => {
    const line = `PATH=${bin}:$PATH; sluice() { ${process.execPath} ${bin}/sluice.js "$@"; }; source ${script}; COMP_WORDS=(${words.map((w) => `'${w}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _sluice; printf '%s\\n' "\${COMPREPLY[@]}"`
    return (await run('bash', ['-c', line])).stdout.trim().split('\n')
  }
  assert.deepEqual(await complete('sluice', 'ser'), ['serve'])
  await sluice(['genautocomplete', 'bash', `${script}.new`])
  assert.equal(readFileSync(`${script}.new`, 'utf8'), readFileSync(script, 'utf8'))
  const { stderr } = await sluice(['completion', 'bash', `${script}/none`])
  assert.match(stderr, /ERROR : not a directory: .*\/none\n$/)
  assert.ok((await complete('sluice', 'serve', 'http', '--vfs-cache-m')).includes('--vfs-cache-mode'))
  assert.deepEqual(await complete('sluice', 'serve', 'http', '--vfs-cache-mode', 'f'), ['full'])
})

for (const shell of ['zsh', 'fish'])
  test(
    `the ${shell} completion script is one that ${shell} can read`,
    { skip: find(shell) ? false : `needs ${shell}` },
    async (t) => {
      const script = join(scratch(t), `c.${shell}`)
      writeFileSync(script, (await sluice(['completion', shell])).stdout)
      assert.equal((await run(shell, ['-n', script])).code, 0)
    },
  )
