import { AppError } from '../../base/error.ts'
import { splitText } from '../../operations/bridge.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command } from '../command.ts'

const urlOptions = defineOptions('copyurl', {
  autoFilename: option(bool, false, 'DEST:PATH is a folder; the file is named as in the URL', { short: 'a' }),
  headerFilename: option(bool, false, 'DEST:PATH is a folder; the file is named as in the answer of the server'),
  printFilename: option(bool, false, 'Print the name of the file', { short: 'p' }),
  noClobber: option(bool, false, 'Fail rather than replace a file'),
  stdout: option(bool, false, 'Write to standard output instead of a file'),
})

export const copyurlCommand: Command = {
  name: 'copyurl',
  usage: 'URL DEST:PATH',
  summary: 'Download a URL straight into storage',
  examples: [['sluice copyurl -a https://example.org/film.mp4 nas:films', 'to nas:films/film.mp4']],
  options: [urlOptions],
  args: [1, 2],
  run: (io) =>
    attempts(io, { name: 'copyurl', retry: true, stats: true }, async (ctx) => {
      const { copyUrl, readUrl } = await import('../../operations/url.ts')
      const options = io.get(urlOptions)
      const [url = '', text] = io.args
      if (options.stdout) return await readUrl(ctx, url, (chunk) => io.stdout(chunk))
      if (text === undefined) throw new AppError('usage', 'need DEST:PATH if not using --stdout')
      const named = options.autoFilename || options.headerFilename
      const { parent, name } = named ? { parent: text, name: '' } : splitText(text)
      const remote = await (await io.remotes()).open(parent)
      const { path } = await copyUrl(ctx, { remote, path: name }, url, options)
      return options.printFilename ? await io.stdout(`${path}\n`) : undefined
    }),
}
