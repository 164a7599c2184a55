import type { Body } from '../base/body.ts'
import type { Event, Events } from '../core/events.ts'
import type { HttpResponse } from '../http/message.ts'
import { readQuery } from './input.ts'
import type { Page } from './handler.ts'

/** Proxies and browsers end a connection that says nothing for longer than a minute or so. */
const HEARTBEAT_MS = 15_000

/**
 * `GET /events`: what happens, pushed as Server-Sent Events (HTML Standard, section "Server-sent events"). `types=job,log`
 * picks kinds; `Last-Event-ID`, which browsers send by themselves, or `lastEventId=N` goes on where a reader left. A reader
 * that is too slow to see all gets an event `lost` with the numbers of those it missed.
 */
export function eventsPage(events: Events, allowed: boolean): Page {
  return (ctx, request) => {
    if (request.path !== 'events' || !allowed) return undefined
    const query = readQuery(request.query)
    const types = typeof query.types === 'string' && query.types !== '' ? new Set(query.types.split(',')) : undefined
    const from = Number(request.header('last-event-id') ?? query.lastEventId ?? NaN)
    const last = Number.isSafeInteger(from) && from >= 0 ? from : events.last
    return {
      status: 200,
      headers: ['content-type', 'text/event-stream', 'cache-control', 'no-store', 'x-accel-buffering', 'no'],
      body: stream(events, Math.min(last, events.last), types, ctx.signal),
    } satisfies HttpResponse
  }
}

async function* stream(
  events: Events,
  last: number,
  types: ReadonlySet<string> | undefined,
  signal: AbortSignal,
): Body {
  const encoder = new TextEncoder()
  yield encoder.encode(`retry: 2000\n\n`)
  let seen = last
  while (!signal.aborted) {
    const news = events.since(seen)
    const first = news[0]
    let text = first && first.id > seen + 1 ? lost(seen + 1, first.id - 1) : ''
    for (const event of news) if (!types || types.has(event.type)) text += written(event)
    seen = news.at(-1)?.id ?? seen
    if (text !== '') yield encoder.encode(text)
    else if (!(await events.next(seen, signal, HEARTBEAT_MS))) yield encoder.encode(':\n\n')
  }
}

function written({ id, type, time, data }: Event): string {
  return `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ time: new Date(time).toISOString(), ...(data as object) })}\n\n`
}

function lost(from: number, to: number): string {
  return `event: lost\ndata: ${JSON.stringify({ from, to })}\n\n`
}
