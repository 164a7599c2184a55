import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLogger, type LogPart, type Level } from './log.ts'

const at = new Date('2026-11-20T10:11:12.345Z')

function lines(level: Level, parts: LogPart[], systemd = false) {
  const written: string[] = []
  const log = createLogger({
    level,
    parts: new Set(parts),
    systemd,
    now: () => at,
    write: (line) => written.push(line),
  })
  return { log, written }
}

test('a text line has the date, the padded level, the object and the message', () => {
  const { log, written } = lines('debug', ['date', 'time', 'UTC'])
  log.info('Copied (new)', { object: 'sub/a.txt' })
  log.notice('Serving')
  log.error('failed')
  assert.deepEqual(written, [
    '2026/11/20 10:11:12 INFO  : sub/a.txt: Copied (new)\n',
    '2026/11/20 10:11:12 NOTICE: Serving\n',
    '2026/11/20 10:11:12 ERROR : failed\n',
  ])
})

test('lines below the threshold are not written', () => {
  const { log, written } = lines('notice', [])
  log.info('no')
  log.debug('no')
  log.warn('yes')
  assert.deepEqual(written, ['WARNING: yes\n'])
  assert.equal(log.enabled('info'), false)
  assert.equal(log.enabled('error'), true)
})

test('the threshold may be moved while a logger is in use', () => {
  const { log, written } = lines('notice', [])
  log.debug('no')
  log.setLevel('debug')
  log.debug('yes')
  assert.equal(log.enabled('debug'), true)
  log.setLevel('error')
  log.warn('no')
  assert.deepEqual(written, ['DEBUG : yes\n'])
})

test('control characters cannot forge a line or drive a terminal', () => {
  const { log, written } = lines('info', ['nolevel'])
  log.info('a\nb\r\u001b[31m\u2028', { object: 'x\u0000y' })
  assert.deepEqual(written, ['x\\x00y: a\\x0ab\\x0d\\x1b[31m\\u2028\n'])
})

test('a JSON line carries the fields', () => {
  const { log, written } = lines('info', ['json'])
  log.info('hello', { object: 'a', size: 3 })
  assert.deepEqual(JSON.parse(written[0] ?? ''), {
    time: at.toISOString(),
    level: 'info',
    msg: 'hello',
    object: 'a',
    size: 3,
  })
})

test('for journald a line starts with its priority', () => {
  const { log, written } = lines('debug', ['nolevel'], true)
  log.error('e')
  log.debug('d')
  assert.deepEqual(written, ['<3>e\n', '<7>d\n'])
})
