import type { Events } from './events.ts'
import type { Level, LogFields, Logger } from './log.ts'

/** A logger that also publishes what it writes, as events of type `log`. */
export function publishedLog(log: Logger, events: Events): Logger {
  function at(level: Level, write: Logger['error']): Logger['error'] {
    return (message, fields) => {
      write(message, fields)
      if (events.enabled && log.enabled(level)) events.publish('log', entry(level, message, fields))
    }
  }
  return {
    error: at('error', (message, fields) => log.error(message, fields)),
    warn: at('warning', (message, fields) => log.warn(message, fields)),
    notice: at('notice', (message, fields) => log.notice(message, fields)),
    info: at('info', (message, fields) => log.info(message, fields)),
    debug: at('debug', (message, fields) => log.debug(message, fields)),
    enabled: (level) => log.enabled(level),
  }
}

function entry(level: Level, message: string, fields: LogFields | undefined) {
  return { level, message, ...(fields?.object === undefined ? {} : { object: fields.object }) }
}
