import { wait } from '../base/abort.ts'
import type { Body } from '../base/body.ts'
import { AppError, messageOf, toAppError } from '../base/error.ts'
import { octetStream, typeByName, usefulType } from '../base/mime.ts'
import { nameOf } from '../base/path.ts'
import type { Logger } from '../core/log.ts'
import type { Channel } from './channel.ts'
import { withoutTitles } from './icy.ts'
import { paced } from './pace.ts'
import type { Station } from './station.ts'

/** What a source gives when it is opened. */
export interface OpenedSource {
  readonly body: Body
  readonly type?: string | undefined
  readonly station?: Station
  /** Bytes between titles that are among the bytes. */
  readonly titleInterval?: number
}

/** Where this program gets the bytes of a mount from. */
export interface Source {
  /** `file`, `pipe`, `stdin`, `program`, `url` */
  readonly kind: string
  /** Opened again when it ends: a program, another server. */
  readonly restarts: boolean
  /** Not opened before somebody listens. */
  readonly onDemand: boolean
  /** Its bytes can wait for listeners. */
  readonly waits: boolean
  open(signal: AbortSignal): Promise<OpenedSource>
}

/** The first and the longest wait before a source is opened again, ms. */
const FIRST_WAIT = 500
const LONGEST_WAIT = 30_000
/** A source that ran for this long (ms) was all right. */
const GOOD_RUN = 10_000

/** Publishes a source to its mount, again and again as it is meant, until `signal` aborts or the source has ended for good. */
export async function runSource(channel: Channel, source: Source, signal: AbortSignal, log: Logger): Promise<void> {
  const { mount } = channel
  const about = { object: mount.path }
  let pause = FIRST_WAIT
  while (!signal.aborted) {
    if (mount.onDemand || source.onDemand) await channel.someone(signal)
    const begun = performance.now()
    try {
      await runOnce(channel, source, signal, log)
      if (!source.restarts) return
      log.notice('the source has ended: it is opened again', about)
    } catch (reason) {
      if (signal.aborted) return
      const { code, message } = toAppError(reason)
      if (code === 'aborted' && message === UNHEARD) continue
      log.error(`the source failed: ${messageOf(reason)}`, about)
      if (!source.restarts && !mount.loop) throw reason
    }
    pause = performance.now() - begun > GOOD_RUN ? FIRST_WAIT : Math.min(LONGEST_WAIT, pause * 2)
    await wait(pause, signal)
  }
}

const UNHEARD = 'nobody listens any more'

async function runOnce(channel: Channel, source: Source, signal: AbortSignal, log: Logger): Promise<void> {
  const { mount } = channel
  const ending = new AbortController()
  const all = AbortSignal.any([signal, ending.signal])
  const quiet = mount.onDemand || source.onDemand ? endUnheard(channel, ending, all) : undefined
  try {
    const opened = await source.open(all)
    const type = mount.type ?? usefulType(opened.type) ?? typeByName(nameOf(mount.path)) ?? octetStream
    const clear =
      opened.titleInterval === undefined
        ? opened.body
        : withoutTitles(opened.body, opened.titleInterval, (title) => channel.stream && channel.setTitle(title))
    const endless = mount.loop ? repeated(clear, source, all) : clear
    const unknown = () =>
      log.warn('--pace auto does not know how fast this plays: it is read at full speed', { object: mount.path })
    const body = mount.pace === 'off' ? endless : paced(endless, { rate: mount.pace, type, signal: all, unknown })
    await channel.publish({
      type,
      station: opened.station ?? {},
      address: '',
      agent: source.kind,
      body,
      signal: all,
      waits: source.waits && mount.pace === 'off',
    })
  } finally {
    ending.abort(new Error('over'))
    await quiet
  }
}

/** Ends a source a while after its last listener has left. */
async function endUnheard(channel: Channel, ending: AbortController, signal: AbortSignal): Promise<void> {
  try {
    await channel.nobody(channel.mount.linger, signal)
    ending.abort(new AppError('aborted', UNHEARD))
  } catch {
    // it ended before
  }
}

/** The source over and over, as one stream. */
async function* repeated(first: Body, source: Source, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  yield* first
  while (!signal.aborted) {
    const { body } = await source.open(signal)
    let empty = true
    for await (const chunk of body) {
      empty = false
      yield chunk
    }
    if (empty) await wait(FIRST_WAIT, signal)
  }
}
