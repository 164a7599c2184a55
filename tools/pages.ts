import { backendsOf, commands, globals } from '../src/catalog.ts'
import { exitMeanings } from '../src/commands/exit.ts'
import { variablesOf } from '../src/commands/environment.ts'
import { errorTable } from '../src/http/error.ts'
import { methodHelp } from '../src/rc/help.ts'
import { allMethods } from '../src/rc/methods/index.ts'
import type { Backend } from '../src/remote/backend.ts'
import { configKey, flagName, type Option, type OptionBlock } from '../src/schema/option.ts'

const generated = '<!-- Written by `npm run docs` from the declarations in the code. -->\n'

/** The generated pages: path and text. */
export function pages(): readonly (readonly [path: string, text: string])[] {
  return [
    ['docs/reference/flags.md', flagsPage()],
    ['docs/reference/commands.md', commandsPage()],
    ['docs/reference/backends.md', backendsPage()],
    ['docs/reference/errors.md', errorsPage()],
    ['docs/reference/rc.md', rcPage()],
  ]
}

function allBlocks(): OptionBlock[] {
  return [...new Set([...commands.flatMap((command) => command.options ?? []), ...globals])]
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ').replaceAll('<', '&lt;')
}

function initial(option: Option<unknown>): string {
  const text = option.type.format(option.default)
  return text === '' ? '' : `\`${text}\``
}

function flagsPage(): string {
  const rows = (block: OptionBlock) =>
    Object.entries(block.options)
      .filter(([, option]) => !option.hidden)
      .map(([key, option]) => {
        const name = flagName(key, option)
        const names = [
          ...(option.short ? [`-${option.short}`] : []),
          `--${name}`,
          ...(option.aliases ?? []).map((a) => `--${a}`),
        ]
        return `| ${names.map((n) => `\`${n}\``).join(' ')} | ${cell(option.type.name)} | ${initial(option)} | ${cell(option.help)} | \`${variablesOf(name)[1]}\` |`
      })
  const sections = allBlocks().map(
    (block) =>
      `## ${block.name}\n\n| flag | type | default | meaning | environment |\n| --- | --- | --- | --- | --- |\n${rows(block).join('\n')}\n`,
  )
  return `# Flags\n\n${generated}\nEvery flag can be set by the environment; \`SLUICE_…\` wins over \`RCLONE_…\`, a flag wins over both.\n\n${sections.join('\n')}`
}

function commandsPage(): string {
  const sections = commands
    .filter((command) => !command.hidden)
    .map((command) => {
      const examples = (command.examples ?? []).map(([line, meaning]) => `- \`${line}\`: ${meaning}\n`).join('')
      return `## ${command.name}\n\n\`sluice ${`${command.name} ${command.usage}`.trim()}\`\n\n${command.summary}.\n${command.help ? `\n${command.help.trim()}\n` : ''}${examples ? `\n${examples}` : ''}`
    })
  return `# Commands\n\n${generated}\n${sections.join('\n')}\n## Exit statuses\n\n| status | meaning |\n| --- | --- |\n${exitMeanings.map(([code, meaning]) => `| ${code} | ${cell(meaning)} |`).join('\n')}\n`
}

function backendsPage(): string {
  const sections = backendsOf().map((backend) => {
    const rows = Object.entries(backend.options.options).map(
      ([key, option]) =>
        `| \`${configKey(key)}\` | ${cell(option.type.name)} | ${initial(option)} | ${cell(option.help)} |`,
    )
    return `## ${backend.name}\n\n${backend.description}\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n${backendCommands(backend)}`
  })
  return `# Storage\n\n${generated}\n${sections.join('\n')}`
}

function backendCommands({ commands }: Backend): string {
  if (!commands) return ''
  const rows = commands.map(({ name, usage, summary, help, options = {} }) => {
    const more = Object.entries(options).map(([key, meaning]) => `\`-o ${key}\`: ${meaning}`)
    return `| \`${`${name} ${usage ?? ''}`.trim().replaceAll('|', '\\|')}\` | ${cell([summary, help?.replace(/\.$/, ''), ...more].filter(Boolean).join('. '))} |`
  })
  return `\n| \`sluice backend\` … | does |\n| --- | --- |\n${rows.join('\n')}\n`
}

function errorsPage(): string {
  return `# Errors\n\n${generated}\nEvery error has one code; the code picks the HTTP status. \`io\` of a storage that may answer the next time is 502.\n\n| code | HTTP status |\n| --- | --- |\n${Object.entries(
    errorTable,
  )
    .map(([code, status]) => `| ${code} | ${status} |`)
    .join('\n')}\n`
}

function rcPage(): string {
  const sections = allMethods().all.map((method) => {
    const open = method.open ? 'Answers everybody while no login is set up.' : 'Needs a login, or `--rc-no-auth`.'
    return `## ${method.path}\n\n${method.title.replace(/\.$/, '')}. ${open}\n\n${methodHelp(method)}`
  })
  const intro = `\`sluice rcd\` serves these methods, as does every command with \`--rc\`. Each is called by POST, with parameters in JSON, in a
form or in the URL: \`curl -X POST 'http://localhost:5572/rc/noop?a=1'\`, or \`sluice rc rc/noop a=1\`. Every call may also have
\`_async\` (answer at once with the number of a job), \`_group\` (stats group), \`_config\` and \`_filter\` (options and filters for
this call). \`GET /openapi.json\` describes the same to machines, and the package has a client with types: \`sluice/client\`.`
  return `# Remote control\n\n${generated}\n${intro}\n\n${sections.join('\n')}`
}
