import { createWriteStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { AppError } from '../../base/error.ts'
import { Faults } from '../../operations/faults.ts'
import { hashKind, hashsum, hashsums } from '../../operations/hashsum.ts'
import { hashKinds } from '../../remote/hash.ts'
import { defineOptions, option } from '../../schema/option.ts'
import { bool, string } from '../../schema/values.ts'
import { attempts } from '../attempts.ts'
import type { Command, CommandIo } from '../command.ts'
import { Output } from './output.ts'

const sumOptions = defineOptions('hashsum', {
  base64: option(bool, false, 'Write checksums in base64 instead of hex'),
  download: option(bool, false, 'Read the files instead of asking the storage for its checksums'),
  outputFile: option(string, '', 'Write to this file instead of standard output'),
  checkfile: option(string, '', 'Compare with the checksums in this file instead of printing any', { short: 'C' }),
})

async function print(io: CommandIo, kind: string, text: string): Promise<number> {
  const { base64, download, outputFile } = io.get(sumOptions)
  return await attempts(
    io,
    { name: io.args.length > 1 ? 'hashsum' : `${kind}sum`, retry: false, stats: false },
    async (ctx) => {
      const { remote } = await (await io.remotes()).openAt(text)
      const file = outputFile === '' ? undefined : createWriteStream(outputFile)
      const out = new Output(file ? { stdout: async (data) => void file.write(data) } : io)
      try {
        for await (const { sum, path } of hashsums(ctx, remote, { kind, base64, download }))
          await out.write(`${sum}  ${path}\n`)
      } finally {
        await out.flush()
        if (file) await finished(file.end())
      }
    },
  )
}

/** Compares files with a list of `sum  path` lines, as md5sum and its sisters write them. */
async function compare(io: CommandIo, kind: string, text: string): Promise<number> {
  const { base64, download, checkfile } = io.get(sumOptions)
  return await attempts(io, { name: 'check', retry: false, stats: false }, async (ctx) => {
    const { remote } = await (await io.remotes()).openAt(text)
    const faults = new Faults(ctx)
    let [matches, differences] = [0, 0]
    for (const { sum, path } of sumsIn(await readFile(checkfile, 'utf8'))) {
      const entry = await remote.stat(ctx, path)
      const now = entry?.kind === 'file' ? await hashsum(ctx, remote, entry, { kind, base64, download }) : undefined
      if (now !== undefined && (base64 ? now === sum : now === sum.toLowerCase())) {
        matches++
        await io.stdout(`= ${path}\n`)
        continue
      }
      differences++
      await io.stdout(`${now === undefined ? '-' : '*'} ${path}\n`)
      faults.log(path, '', new AppError('io', now === undefined ? 'file not found' : `${kind} differ`))
    }
    ctx.log.notice(`${differences} differences found`, { object: remote.info.description })
    if (matches > 0) ctx.log.notice(`${matches} matching files`, { object: remote.info.description })
    if (differences > 0) throw new AppError('io', `${differences} differences found`)
  })
}

function* sumsIn(text: string): Generator<{ sum: string; path: string }> {
  for (const line of text.split(/\r?\n/)) {
    const [, sum, path] = /^(\S+) [ *](.+)$/.exec(line) ?? []
    if (sum !== undefined && path !== undefined) yield { sum, path }
  }
}

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
