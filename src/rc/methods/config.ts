import { AppError } from '../../base/error.ts'
import { plain } from '../../base/json.ts'
import {
  type ConfigOut,
  type ConfigureOptions,
  type Configuring,
  createRemote,
  deleteRemote,
  setPasswords,
  unsetKeys,
  updateRemote,
} from '../../remote/configure.ts'
import { describeBackend } from '../../remote/providers.ts'
import { type Infer, optional, required } from '../../schema/field.ts'
import { any, bool, listOf, nullable, object, string, strings } from '../../schema/params.ts'
import { Answer, type Call, method, nothing } from '../method.ts'

const name = required(string, 'Name of the remote')
const parameters = required(object, 'Values of its options; an object, or JSON text of one')
const opt = optional(
  object,
  'How to go about it: obscure, noObscure, nonInteractive, all, continue (booleans), state and result (strings)',
)
const obscuring = {
  obscure: optional(bool, 'Obscure passwords whatever they look like; as in opt'),
  noObscure: optional(bool, 'Passwords are obscured already; as in opt'),
}

const question = {
  State: optional(string, 'With nonInteractive: what to send back as `state`; empty at the end'),
  Option: optional(nullable(any), 'With nonInteractive: the option that is asked for'),
  Error: optional(string, 'With nonInteractive: what was wrong with the last answer'),
  Result: optional(string, 'With nonInteractive: always empty'),
}

const asking = `Passwords are obscured unless they are already; \`obscure\` and \`noObscure\` say otherwise. Values that run programs are refused unless the server was started with --rc-allow-exec.

With \`nonInteractive\` the answer holds the next question: call \`config/update\` with \`{"continue": true, "nonInteractive": true, "state": State, "result": "the answer"}\` as \`opt\` until \`State\` is empty. \`all\` asks for every option.`

export const configMethods = [
  method({
    path: 'config/create',
    title: 'create the config for a remote',
    help: `Nothing is written when the type is unknown or a value does not fit.\n\n${asking}`,
    input: { name, parameters, opt, type: required(string, 'Kind of storage'), ...obscuring },
    output: question,
    async run(call, input) {
      return said(
        input,
        await changed(call, (parts) => createRemote(parts, input.name, input.type, input.parameters, how(input))),
      )
    },
  }),
  method({
    path: 'config/update',
    title: 'update the config for a remote',
    help: `Other values stay as they are.\n\n${asking}`,
    input: { name, parameters, opt, ...obscuring },
    output: question,
    async run(call, input) {
      return said(input, await changed(call, (parts) => updateRemote(parts, input.name, input.parameters, how(input))))
    },
  }),
  method({
    path: 'config/password',
    title: 'password the config for a remote',
    help: 'All values are obscured.',
    input: { name, parameters },
    output: nothing,
    run: (call, input) => changed(call, (parts) => setPasswords(parts, input.name, input.parameters)),
  }),
  method({
    path: 'config/unset',
    title: 'unset keys in the config for a remote',
    input: { name, keys: required(strings, 'Names of options to forget') },
    output: { removed: required(listOf(string), 'Those that were set') },
    async run(call, input) {
      return { removed: await changed(call, (parts) => unsetKeys(parts, input.name, input.keys)) }
    },
  }),
  method({
    path: 'config/delete',
    title: 'Delete a remote in the config file',
    help: 'One that is not there is no error.',
    input: { name },
    output: nothing,
    run: (call, input) => changed(call, (parts) => deleteRemote(parts, input.name)),
  }),
  method({
    path: 'config/dump',
    title: 'Dumps the config file',
    help: 'An object for each remote. Passwords are obscured as they are in the file, which keeps nobody from reading them.',
    input: nothing,
    output: nothing,
    async run({ services }) {
      const config = await services.config()
      return new Answer(Object.fromEntries(config.sections().map((section) => [section, config.get(section) ?? {}])))
    },
  }),
  method({
    path: 'config/get',
    title: 'Get a remote in the config file',
    help: 'The answer has its values, none when there is no such remote.',
    input: { name },
    output: nothing,
    run: async ({ services }, input) => new Answer((await services.config()).get(input.name) ?? {}),
  }),
  method({
    path: 'config/listremotes',
    title: 'Lists the remotes in the config file and defined in environment variables.',
    input: nothing,
    output: { remotes: required(listOf(string), 'Their names') },
    run: async ({ services }) => ({ remotes: (await services.config()).sections() }),
  }),
  method({
    path: 'config/providers',
    title: 'Shows how providers are configured in the config file.',
    input: nothing,
    output: { providers: required(listOf(object), 'Kinds of storage with their options, for drawing forms') },
    run: ({ services }) => ({
      providers: services.backends.map((backend) => plain(describeBackend(backend)) as Record<string, unknown>),
    }),
  }),
  method({
    path: 'config/paths',
    title: 'Reads the config file path and other important paths.',
    input: nothing,
    output: {
      config: required(string, 'Configuration file; empty = in memory'),
      cache: required(string, 'Directory for caches'),
      temp: required(string, 'Directory for temporary files'),
    },
    run: ({ services }) => ({
      config: services.configPath(),
      cache: services.cacheDir,
      temp: services.tempDir,
    }),
  }),
  method({
    path: 'config/setpath',
    title: 'Set the path of the config file',
    input: { path: required(string, 'The file; empty keeps remotes in memory') },
    output: nothing,
    async run({ services }, { path }) {
      await services.setConfigPath(path)
      ;(await services.remotes()).forget()
    },
  }),
  method({
    path: 'config/unlock',
    title: 'Unlock the config file.',
    input: {
      configPassword: optional(string, 'Password of the file'),
      config_password: optional(string, 'The same under the name of the flag'),
    },
    output: nothing,
    run: unlock,
  }),
  method({
    path: 'config/oauthstatus',
    title: 'Get the status of a running OAuth authentication',
    input: nothing,
    output: {
      status: required(string, 'running or stopped'),
      authUrl: optional(string, 'Where to log in, while it runs'),
    },
    // No storage of this program logs in by OAuth.
    run: () => ({ status: 'stopped' }),
  }),
  method({
    path: 'config/oauthstop',
    title: 'Stop a running OAuth authentication',
    input: nothing,
    output: nothing,
    run() {
      throw new AppError('invalid', 'no oauth authentication is in progress')
    },
  }),
] as const

/** Changes the configuration; remotes that are open are opened anew from it. */
async function changed<T>({ services, trusted, ctx }: Call, change: (parts: Configuring) => Promise<T>): Promise<T> {
  const result = await change({
    config: await services.config(),
    backends: services.backends,
    refuseExec: !trusted && !services.allowExec,
    warn: (message) => ctx.log.notice(message),
  })
  ;(await services.remotes()).forget()
  return result
}

interface Asking {
  readonly opt?: Readonly<Record<string, unknown>> | undefined
  readonly obscure?: boolean | undefined
  readonly noObscure?: boolean | undefined
}

const flags = {
  obscure: optional(bool, ''),
  noObscure: optional(bool, ''),
  nonInteractive: optional(bool, ''),
  all: optional(bool, ''),
  continue: optional(bool, ''),
  state: optional(string, ''),
  result: optional(string, ''),
}

/** What `opt` says; without `nonInteractive` nobody could answer, so that nothing is asked. */
function how({ opt: given = {}, obscure = false, noObscure = false }: Asking): ConfigureOptions {
  const read = readFlags(given)
  const asked = read.nonInteractive ? read : {}
  return {
    obscure: read.obscure ?? obscure,
    noObscure: read.noObscure ?? noObscure,
    all: asked.all ?? false,
    continue: asked.continue ?? false,
    state: asked.state ?? '',
    result: asked.result ?? '',
  }
}

function readFlags(given: Readonly<Record<string, unknown>>): Infer<typeof flags> {
  return Object.fromEntries(
    Object.entries(flags)
      .filter(([key]) => Object.hasOwn(given, key))
      .map(([key, { type }]) => [key, type.read(key, given[key])]),
  )
}

function said({ opt: given = {} }: Asking, out: ConfigOut): Answer {
  return new Answer(readFlags(given).nonInteractive ? (plain(out) as object) : {})
}

async function unlock(
  { services }: Call,
  input: { configPassword?: string | undefined; config_password?: string | undefined },
) {
  const password = input.configPassword ?? input.config_password
  if (password === undefined) throw new AppError('usage', `Didn't find key "configPassword" in input`)
  await services.unlockConfig(password).catch((cause: unknown) => {
    throw new AppError('invalid', 'failed to set config password', { cause })
  })
}
