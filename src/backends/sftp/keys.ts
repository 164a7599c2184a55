import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import type { AnyAuthMethod, BaseAgent, IdentityCallback, ParsedKey } from 'ssh2'
import { AppError, messageOf } from '../../base/error.ts'
import type { Values } from '../../schema/option.ts'
import type { sftpOptions } from './index.ts'

type Ssh2 = typeof import('ssh2')
type Options = Values<typeof sftpOptions>

/**
 * The ways to log in, in the order in which they are tried: the agent, the key, the password. Throws `invalid` for a key that
 * can't be read and when there is no way at all.
 */
export async function loginMethods(ssh2: Ssh2, username: string, options: Options): Promise<AnyAuthMethod[]> {
  const methods: AnyAuthMethod[] = []
  const hasKey = options.keyFile !== '' || options.keyPem !== ''
  if (options.keyUseAgent || (!hasKey && options.pass === '')) {
    methods.push({ type: 'agent', username, agent: await agentOf(ssh2, options) })
  } else if (hasKey) methods.push({ type: 'publickey', username, key: await privateKey(ssh2, options) })
  if (options.pass !== '') {
    methods.push({ type: 'password', username, password: options.pass })
    methods.push({
      type: 'keyboard-interactive',
      username,
      prompt: (_name, _instructions, _language, prompts, answer) => answer(prompts.map(() => options.pass)),
    })
  }
  return methods
}

/** A path with `~` and variables, as a shell would read it. */
export function expanded(path: string): string {
  return path
    .replace(/^~(?=\/|$)/, homedir())
    .replace(/\$(\w+)|\$\{(\w+)\}/g, (_, plain: string | undefined, braced: string | undefined) => {
      return process.env[plain ?? braced ?? ''] ?? ''
    })
}

async function privateKey(ssh2: Ssh2, options: Options): Promise<ParsedKey> {
  const text = options.keyPem === '' ? await read(options.keyFile) : options.keyPem.replaceAll('\\n', '\n')
  const parsed = ssh2.utils.parseKey(text, options.keyFilePass === '' ? undefined : options.keyFilePass)
  const what = options.keyPem === '' ? `key_file ${options.keyFile}` : 'key_pem'
  if (parsed instanceof Error) throw new AppError('invalid', `sftp: ${what} can't be used: ${parsed.message}`)
  const key = Array.isArray(parsed) ? (parsed[0] as ParsedKey) : parsed
  if (!key.isPrivateKey()) throw new AppError('invalid', `sftp: ${what} is not a private key`)
  return key
}

async function agentOf(ssh2: Ssh2, { keyFile }: Options): Promise<BaseAgent> {
  const socket = process.env.SSH_AUTH_SOCK
  if (!socket)
    throw new AppError('invalid', 'sftp: no way to log in: set pass or key_file, or start an ssh-agent (SSH_AUTH_SOCK)')
  const agent = new ssh2.OpenSSHAgent(socket)
  if (keyFile === '') return agent
  const parsed = ssh2.utils.parseKey(await read(`${keyFile}.pub`))
  if (parsed instanceof Error) throw new AppError('invalid', `sftp: ${keyFile}.pub can't be used: ${parsed.message}`)
  const wanted = (Array.isArray(parsed) ? (parsed[0] as ParsedKey) : parsed).getPublicSSH()
  // Servers end logins that try too many keys: the agent shows this one alone.
  const getIdentities = agent.getIdentities.bind(agent)
  return Object.assign(agent, {
    getIdentities: (callback: IdentityCallback<ParsedKey>) =>
      getIdentities((error, keys) =>
        callback(
          error,
          (keys as ParsedKey[] | undefined)?.filter((key) => key.getPublicSSH().equals(wanted)),
        ),
      ),
  })
}

async function read(path: string): Promise<string> {
  try {
    return await readFile(expanded(path), 'utf8')
  } catch (error) {
    throw new AppError('invalid', `sftp: can't read ${path}: ${messageOf(error)}`, { cause: error })
  }
}
