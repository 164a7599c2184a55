import type { Body } from '../base/body.ts'
import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { pushOptions } from '../media/push-options.ts'
import { DiskStore } from '../spool/disk.ts'
import { Spool } from '../spool/spool.ts'
import { attempts } from './attempts.ts'
import type { Command, CommandIo } from './command.ts'

/** The URL to send to; its text may hold a password. Throws `usage`. */
function targetOf(text: string): URL {
  const url = URL.parse(text)
  if (url && (url.protocol === 'http:' || url.protocol === 'https:') && url.hostname !== '') return url
  throw new AppError('usage', 'sluice push SRC URL: the URL has to begin with http:// or https://')
}

async function push(io: CommandIo, ctx: Context): Promise<void> {
  const [source = '', text = ''] = io.args
  const options = io.get(pushOptions)
  const url = targetOf(text)
  const { Pusher } = await import('../media/push.ts')
  const sender = options.http2
    ? new (await import('../net/http2-client.ts')).Http2Client()
    : (await import('../net/client.ts')).HttpClient.of(ctx, { env: io.env })
  const pusher = new Pusher(sender, url, options)
  try {
    if (source === '-') return await pushInput(io, ctx, pusher)
    const { remote, file } = await (await io.remotes()).openAt(source)
    if (!file) {
      if (!(await remote.stat(ctx, ''))) throw new AppError('not-found', `directory not found: ${source}`)
      const { TreePush } = await import('../media/push-tree.ts')
      return await new TreePush(ctx, remote, pusher, options).run()
    }
    // An URL that ends in a slash is a folder.
    const path = url.pathname.endsWith('/') ? file.path : ''
    const length = file.size < 0 ? undefined : file.size
    return await pusher.send(ctx, { path, length, open: () => remote.open(ctx, file) })
  } finally {
    sender.close()
  }
}

type Pusher = InstanceType<typeof import('../media/push.ts').Pusher>

/** Sends standard input: as it comes, or gathered where a length is wanted. */
async function pushInput(io: CommandIo, ctx: Context, pusher: Pusher): Promise<void> {
  const options = io.get(pushOptions)
  if (io.stdin.isTTY) throw new AppError('usage', 'nothing to read from standard input (stdin)')
  if (options.noChunked) {
    const spool = new Spool(await DiskStore.open(io.tempDir))
    try {
      for await (const chunk of io.stdin as Body) await spool.write(chunk)
      spool.complete()
      return await pusher.send(ctx, { path: '', length: spool.end, open: () => spool.follow() })
    } finally {
      await spool.close()
    }
  }
  const { Replay } = await import('../media/push-replay.ts')
  const replay = new Replay({
    most: options.replayBuffer,
    drop: options.keepInput,
    dropped: (bytes) => ctx.log.warn(`${bytes} bytes of the input were dropped: they could not be sent in time`),
  })
  const filling = replay.fill(io.stdin as Body, ctx.signal)
  try {
    await pusher.stream(ctx, replay)
  } finally {
    replay.stop()
    io.stdin.destroy()
    await filling
  }
}

export const pushCommand: Command = {
  name: 'push',
  usage: 'SRC URL',
  summary: 'Send a file, a folder or standard input to another web server, as it comes into being',
  help: `SRC is a file, a folder, or - for standard input. Of a folder all files are sent below the URL, --transfers at once; with
--watch it goes on: what is added or changed is sent while it grows, and what is removed is deleted there, until a signal ends it.

A connection that breaks, or a server that is busy, is tried again. Standard input is sent again from --replay-buffer; with
--keep-input it never waits, what can't be sent in time is dropped. --header adds headers; a login is --user and --pass or stands in
the URL.`,
  examples: [
    ['sluice push out/ http://origin:8080/live/ --watch', 'what a packager writes into out, while it writes'],
    [
      'ffmpeg -i cam … -f mpegts - | sluice push - http://origin:8080/cam.ts --keep-input',
      'a stream that must not stop',
    ],
    ['sluice push film.mp4 https://me:secret@cdn.example/films/ --http2', 'one file'],
  ],
  options: [pushOptions],
  args: [2, 2],
  async run(io) {
    const status = await attempts(io, { name: 'push', retry: false, stats: true }, async (ctx) => await push(io, ctx))
    // What goes on until a signal ends it has ended well then.
    return io.get(pushOptions).watch && io.signals.stop.aborted ? 0 : status
  },
}
