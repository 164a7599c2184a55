import type { Events } from './events.ts'
import { aroundLines, type Logger } from './log.ts'

/** A logger that also publishes what it writes, as events of type `log`. */
export function publishedLog(log: Logger, events: Events): Logger {
  return aroundLines(log, (write, level, message, fields) => {
    write()
    if (!events.enabled || !log.enabled(level)) return
    events.publish('log', { level, message, ...(fields?.object === undefined ? {} : { object: fields.object }) })
  })
}
