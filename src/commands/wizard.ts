import { AppError, messageOf } from '../base/error.ts'
import type { Backend } from '../remote/backend.ts'
import type { ConfigFile } from '../remote/config.ts'
import { backendOf, createRemote, deleteRemote } from '../remote/configure.ts'
import { obscure } from '../remote/obscure.ts'
import { checkName } from '../remote/spec.ts'
import { configKey, type Option } from '../schema/option.ts'
import type { CommandIo } from './command.ts'
import { type Choices, listed, Prompt } from './prompt.ts'
import { masking, sectionText } from './section.ts'

interface Session {
  readonly config: ConfigFile
  readonly backends: readonly Backend[]
  readonly prompt: Prompt
}

/** The interactive configuration: a menu over the remotes of the configuration file. */
export async function wizard(io: CommandIo): Promise<void> {
  const config = await io.config()
  const prompt = new Prompt(io)
  try {
    while (await menu({ config, backends: io.backends, prompt }));
  } finally {
    prompt.close()
  }
}

/** Shows the menu once and does what is chosen. Gives false for quit. */
async function menu(session: Session): Promise<boolean> {
  const { config, prompt } = session
  const names = config.sections()
  const list = names.map((name) => `${name.padEnd(20)} ${config.get(name)?.type ?? ''}\n`).join('')
  prompt.say(names.length === 0 ? 'No remotes found, make a new one?' : `Current remotes:\n\n${list}`)
  const choice = await prompt.choose(names.length === 0 ? choices.filter(([key]) => 'nsq'.includes(key)) : choices)
  if (choice === 'q') return false
  try {
    await actions[choice]?.(session)
  } catch (error) {
    // Without more input each further question would fail as well.
    if (error instanceof AppError && error.code === 'usage') throw error
    prompt.say(`\n${messageOf(error)}\n`)
  }
  return true
}

const choices: Choices = [
  ['e', 'Edit existing remote'],
  ['n', 'New remote'],
  ['d', 'Delete remote'],
  ['r', 'Rename remote'],
  ['c', 'Copy remote'],
  ['s', 'Set configuration password'],
  ['q', 'Quit config'],
]

const actions: Readonly<Record<string, (session: Session) => Promise<void>>> = {
  async n(session) {
    const name = await newName(session, 'Enter name for new remote.')
    session.prompt.say('\nKind of storage. Choose a number, or type the name.')
    const names = session.backends.map((backend) => backend.name)
    const shown = session.backends.map((backend) => `${backend.name}: ${backend.description}`)
    const type = await session.prompt.pick('Storage> ', names, shown)
    await askRemote(session, name, { type })
  },
  async e(session) {
    const name = await pickRemote(session)
    await askRemote(session, name, session.config.stored(name) ?? {})
  },
  async d(session) {
    await deleteRemote(session, await pickRemote(session))
  },
  async r(session) {
    const from = await pickRemote(session)
    session.config.rename(from, await newName(session, `Enter new name for "${from}".`))
    await session.config.save()
  },
  async c(session) {
    const from = session.config.get(await pickRemote(session)) ?? {}
    session.config.set(await newName(session, 'Enter name for the copy.'), from)
    await session.config.save()
  },
  async s({ config, prompt }) {
    prompt.say(config.encrypted ? 'Your configuration is encrypted.' : 'Your configuration is not encrypted.')
    const choice = await prompt.choose([
      ['a', config.encrypted ? 'Change the password' : 'Add a password'],
      ...(config.encrypted ? ([['u', 'Unencrypt configuration']] as const) : []),
      ['q', 'Back to main menu'],
    ])
    if (choice === 'q') return
    config.setPassword(choice === 'a' ? await prompt.askNewPassword() : undefined)
    await config.save()
    prompt.say(choice === 'a' ? 'Password set.' : 'The configuration is plain again.')
  },
}

async function newName({ config, prompt }: Session, text: string): Promise<string> {
  prompt.say(`\n${text}`)
  for (;;) {
    const name = await prompt.ask('name> ')
    try {
      checkName(name)
      if (!config.sections().includes(name)) return name
      prompt.say(`There is a remote "${name}" already.`)
    } catch (error) {
      prompt.say(messageOf(error))
    }
  }
}

/** A remote that is in the file: those of the environment cannot be changed. */
async function pickRemote({ config, prompt }: Session): Promise<string> {
  const names = config.sections().filter((name) => config.stored(name))
  if (names.length === 0) throw new AppError('invalid', 'All remotes come from the environment; change them there.')
  return await prompt.pick('remote> ', names)
}

/**
 * Asks for the options of a remote, those that are not advanced first, shows the result and writes it when it is agreed to.
 * Nothing is written before.
 */
export async function askRemote(
  session: Session,
  name: string,
  current: Readonly<Record<string, string>>,
): Promise<void> {
  const { prompt } = session
  const { type = '', ...values } = current
  const backend = backendOf(session, type)
  const options = Object.entries(backend.options.options).filter(([, option]) => !option.hidden)
  const advanced = options.filter(([, option]) => option.advanced)
  for (;;) {
    for (const [key, option] of options) if (!option.advanced) await askOption(prompt, configKey(key), option, values)
    if (advanced.length > 0 && (await prompt.confirm('\nEdit advanced config?', false)))
      for (const [key, option] of advanced) await askOption(prompt, configKey(key), option, values)
    prompt.say(`\n${sectionText(name, { type, ...values }, masking(backend))}\nKeep this remote?`)
    const choice = await prompt.choose(ends, 'y')
    if (choice === 'y') await createRemote(session, name, type, values, { noObscure: true })
    if (choice !== 'e') return
  }
}

const ends: Choices = [
  ['y', 'Yes, keep it'],
  ['e', 'Edit it again'],
  ['d', 'Discard what was entered'],
]

async function askOption(
  prompt: Prompt,
  word: string,
  option: Option<unknown>,
  values: Record<string, string>,
): Promise<void> {
  prompt.say(`\nOption ${word}.\n${option.help}`)
  const initial = values[word] ?? option.type.format(option.default)
  if (option.password) {
    const password = await prompt.choosePassword({ required: option.required ?? false, kept: initial !== '' })
    if (password !== undefined) values[word] = obscure(password)
    return
  }
  const offered = option.examples ?? (option.type.choices ?? []).map((value) => ({ value, help: '' }))
  prompt.list(offered.map(({ value, help }) => (help === '' ? value : `${value}: ${help}`)))
  const known = offered.map(({ value }) => value)
  const shown = initial === '' ? '' : option.secret ? ' (Enter to keep)' : ` (${initial})`
  for (;;) {
    const question = `${word}${shown}> `
    const answer = option.secret ? await prompt.askHidden(question) : await prompt.ask(question)
    if (answer === '' && initial === '' && option.required) {
      prompt.say('This value is required.')
      continue
    }
    if (answer === '') return
    try {
      const text = listed(answer, known) ?? answer
      option.type.parse(text)
      values[word] = text
      return
    } catch (error) {
      prompt.say(messageOf(error))
    }
  }
}
