import { writeFile } from 'node:fs/promises'
import { AppError } from '../base/error.ts'
import { flagName, type OptionBlock } from '../schema/option.ts'
import type { Command, CommandIo } from './command.ts'
import { findCommand } from './dispatch.ts'
import { type Flag, flagsOf } from './flags.ts'

const scripts: Readonly<Record<string, string>> = {
  bash: `# bash completion for sluice: eval "$(sluice completion bash)"
_sluice() {
  local IFS=$'\\n' words=("\${COMP_WORDS[@]:1:COMP_CWORD}") current="\${COMP_WORDS[COMP_CWORD]}" line
  _get_comp_words_by_ref -n : -c current -w all 2>/dev/null && words=("\${all[@]:1:\${#all[@]}-1}")
  COMPREPLY=()
  while read -r line; do COMPREPLY+=("\${line%%$'\\t'*}"); done < <(sluice __complete -- "\${words[@]}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} -eq 1 && ( "\${COMPREPLY[0]}" == */ || "\${COMPREPLY[0]}" == *: ) ]]; then compopt -o nospace; fi
  declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$current"
  return 0
}
complete -o default -F _sluice sluice
`,
  zsh: `#compdef sluice
# zsh completion for sluice: eval "$(sluice completion zsh)"
_sluice() {
  local -a found
  local line
  while IFS= read -r line; do found+=("\${\${line//:/\\\\:}/$'\\t'/:}"); done < <(sluice __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( \${#found} )); then _describe sluice found -S ''; else _files; fi
}
compdef _sluice sluice
`,
  fish: `# fish completion for sluice: sluice completion fish | source
function __sluice_complete
  set -l words (commandline -opc) (commandline -ct)
  sluice __complete -- $words[2..-1] 2>/dev/null
end
complete -c sluice -a '(__sluice_complete)'
`,
  powershell: `# PowerShell completion for sluice: sluice completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName sluice -ScriptBlock {
  param($word, $ast, $position)
  $words = @($ast.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($word -eq '') { $words += '' }
  sluice __complete -- @words 2>$null | ForEach-Object {
    $value, $help = $_ -split "\`t", 2
    [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', ($help ? $help : $value))
  }
}
`,
}

/** The completions of the last of `words`, each \`value\` or \`value<TAB>what it is\`. */
export async function complete(words: readonly string[], io: CommandIo): Promise<string[]> {
  const current = words.at(-1) ?? ''
  const before = words.slice(0, -1)
  const { command } = findCommand(
    before.filter((word) => !word.startsWith('-')),
    io.commands,
  )
  const flags = flagsOf([...(command?.options ?? []), ...io.globals, ...io.backends.map((b) => b.options)])
  const valued = before.at(-1)?.startsWith('--') ? flags.get(before.at(-1)?.slice(2) ?? '') : undefined
  if (valued && valued.option.type.implied === undefined) return choices(valued, current)
  if (current.startsWith('-')) return flagNames([...(command?.options ?? []), ...io.globals], current)
  const given = before.filter((word) => !word.startsWith('-'))
  const next = commandWords(given, current, io.commands)
  return next.length > 0 && !command?.usage ? next : [...next, ...(await remotes(current, io))]
}

function choices(flag: Flag, current: string): string[] {
  return (flag.option.type.choices ?? []).filter((choice) => choice.toLowerCase().startsWith(current.toLowerCase()))
}

function flagNames(blocks: readonly OptionBlock[], current: string): string[] {
  return blocks
    .flatMap((block) => Object.entries(block.options))
    .filter(([, option]) => !option.hidden)
    .map(([key, option]) => `--${flagName(key, option)}\t${option.help}`)
    .filter((line) => line.startsWith(current))
}

function commandWords(given: readonly string[], current: string, commands: readonly Command[]): string[] {
  const prefix = given.length === 0 ? '' : `${given.join(' ')} `
  const found = new Map<string, string>()
  for (const command of commands) {
    if (command.hidden || !command.name.startsWith(prefix)) continue
    const word = command.name.slice(prefix.length).split(' ')[0] ?? ''
    if (word !== '' && word.startsWith(current) && !found.has(word)) found.set(word, command.summary)
  }
  return [...found].map(([word, summary]) => `${word}\t${summary}`)
}

async function remotes(current: string, io: CommandIo): Promise<string[]> {
  try {
    const config = await io.config()
    return config
      .sections()
      .map((name) => `${name}:`)
      .filter((name) => name.startsWith(current))
  } catch {
    return [] // an encrypted or broken configuration must not spoil completion
  }
}

export const completionCommand: Command = {
  name: 'completion',
  usage: 'bash|zsh|fish|powershell [FILE]',
  summary: 'Print the completion script of a shell',
  help: 'Completes commands, flags, their values and the names of your remotes. The first comment of each script says how to load it. It goes to FILE where one is named.',
  args: [1, 2],
  async run(io) {
    const [shell = '', file = '-'] = io.args
    const script = scripts[shell]
    if (!script) throw new AppError('usage', `no completion for ${shell}: choose ${Object.keys(scripts).join(', ')}`)
    await (file === '-' ? io.stdout(script) : writeFile(file, script))
  },
}

/** What rclone calls it. */
export const genautocompleteCommand: Command = { ...completionCommand, name: 'genautocomplete', hidden: true }

export const completeCommand: Command = {
  name: '__complete',
  usage: '[WORD]...',
  summary: 'List completions, for the scripts',
  hidden: true,
  args: [0, Infinity],
  async run(io) {
    for (const line of await complete(io.args, io)) await io.stdout(`${line}\n`)
  },
}
