import assert from 'node:assert/strict'
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { Journal } from './journal.ts'
import { createLogger } from './log.ts'

function place(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-journal-'))
  t.after(() => rmSync(dir, { recursive: true, force: true }))
  return join(dir, 'sub', 'jobs.jsonl')
}
const quiet = createLogger({ level: 'error', parts: new Set(), write: () => {} })
const numbers = async (journal: Journal) => (await journal.read()).map(({ n }) => n)

test('a journal is read by the next process, the newest entry first', async (t) => {
  const path = place(t)
  const first = new Journal(path, 10, quiet)
  first.add({ n: 1 })
  first.add({ n: 2 })
  assert.deepEqual(await numbers(first), [2, 1])
  const second = new Journal(path, 10, quiet)
  second.add({ n: 3 })
  await second.flush()
  assert.deepEqual(await numbers(second), [3, 2, 1])
  assert.equal(readFileSync(path, 'utf8'), '{"n":1}\n{"n":2}\n{"n":3}\n')
})

test('a journal keeps only its last entries', async (t) => {
  const journal = new Journal(place(t), 3, quiet)
  for (let n = 1; n <= 7; n++) journal.add({ n })
  await journal.flush()
  assert.deepEqual(await numbers(journal), [7, 6, 5])
})

test('a line that was broken by somebody else is passed over', async (t) => {
  const path = place(t)
  const journal = new Journal(path, 10, quiet)
  journal.add({ n: 1 })
  await journal.flush()
  appendFileSync(path, '{"n":2\nnull\n{"n":3}\n')
  assert.deepEqual(await numbers(journal), [3, 1])
})

test('a journal of no entries makes no file', async (t) => {
  const path = place(t)
  const journal = new Journal(path, 0, quiet)
  journal.add({ n: 1 })
  await journal.flush()
  assert.equal(existsSync(path), false)
})
