import { AppError } from '../../base/error.ts'
import { hashKind, hashsums } from '../../operations/hashsum.ts'
import type { Tell } from '../../operations/teller.ts'
import { hashKinds } from '../../remote/hash.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, string } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command, CommandIo } from '../command.ts'
import { Output, writingTo } from './output.ts'
import { compareSums } from './sum-list.ts'

const sumOptions = defineOptions('hashsum', {
  base64: option(bool, false, 'Write checksums in base64 instead of hex'),
  download: option(bool, false, 'Read the files instead of asking the storage for its checksums'),
  outputFile: option(string, '', 'Write to this file instead of standard output'),
  checkfile: option(string, '', 'Compare with the checksums in this file instead of printing any', { short: 'C' }),
})

async function print(io: CommandIo, kind: string, text: string): Promise<number> {
  const { base64, download, outputFile } = io.get(sumOptions)
  return await attempts(io, { name: nameOf(io, kind), retry: false, stats: false }, async (ctx) => {
    const { remote } = await (await io.remotes()).openAt(text)
    const out = new Output(io)
    try {
      await writingTo(outputFile, out, async (paper) => {
        for await (const { sum, path } of hashsums(ctx, remote, { kind, base64, download }))
          await paper.write(`${sum}  ${path}\n`)
      })
    } finally {
      await out.flush()
    }
  })
}

/** Compares files with a list of `sum  path` lines, as md5sum and its sisters write them. */
async function compare(io: CommandIo, kind: string, text: string): Promise<number> {
  const { base64, download, checkfile } = io.get(sumOptions)
  return await attempts(io, { name: nameOf(io, kind), retry: false, stats: false }, async (ctx) => {
    const out = new Output(io)
    const tell: Tell = (mark, path) => void out.write(`${mark} ${path}\n`)
    try {
      await compareSums(io, ctx, { kind, list: checkfile, text }, { base64, download, tell })
    } finally {
      await out.flush()
    }
  })
}

/** The command as it was typed. */
const nameOf = (io: CommandIo, kind: string) => (io.args.length > 1 ? 'hashsum' : `${kind}sum`)

function run(io: CommandIo, kind: string, text: string): Promise<number> {
  return io.get(sumOptions).checkfile === '' ? print(io, kind, text) : compare(io, kind, text)
}

const supported = `Supported hashes are:\n${hashKinds.map((kind) => `  * ${kind}\n`).join('')}`

/** `hashsum`, `md5sum` and `sha1sum`. */
export const hashsumCommands: readonly Command[] = [
  {
    name: 'hashsum',
    usage: 'KIND REMOTE:PATH',
    summary: 'Print checksums of all files of a path',
    help: `KIND is one of ${hashKinds.join(', ')}; without arguments they are listed. Lines are those of md5sum, so md5sum -c can check them.`,
    options: [sumOptions],
    args: [0, 2],
    async run(io) {
      const [kind, text] = io.args
      if (kind === undefined) return await io.stdout(supported)
      if (text === undefined) throw new AppError('usage', 'hashsum needs KIND and REMOTE:PATH')
      return await run(io, hashKind(kind), text)
    },
  },
  ...['md5', 'sha1'].map((kind): Command => ({
    name: `${kind}sum`,
    usage: 'REMOTE:PATH',
    summary: `Print ${kind.toUpperCase()} checksums of all files of a path`,
    options: [sumOptions],
    args: [1, 1],
    run: (io) => run(io, kind, io.args[0] ?? ''),
  })),
]
