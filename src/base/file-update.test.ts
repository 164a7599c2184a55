import assert from 'node:assert/strict'
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, beforeEach, describe, test } from 'node:test'
import { readIfThere, updateFile } from './file-update.ts'

describe('updateFile', () => {
  let root = ''
  let dir = ''
  let path = ''
  let count = 0
  const put = (text: string) => () => Promise.resolve(Buffer.from(text))

  before(() => (root = mkdtempSync(join(tmpdir(), 'sluice-update-'))))
  after(() => rmSync(root, { recursive: true, force: true }))
  beforeEach(() => {
    dir = join(root, `d${count++}`)
    path = join(dir, 'file')
  })

  test('creates a file for its owner alone, with its directories', async () => {
    assert.equal(await readIfThere(path), undefined)
    assert.equal(await updateFile(path, put('a')), true)
    assert.equal(readFileSync(path, 'utf8'), 'a')
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.deepEqual(readdirSync(dir), ['file'])
  })

  test('keeps the mode of a file that is there', async () => {
    await updateFile(path, put('a'))
    chmodSync(path, 0o664)
    await updateFile(path, put('b'))
    assert.equal(statSync(path).mode & 0o777, 0o664)
  })

  test('leaves a file alone when nothing changes', async () => {
    await updateFile(path, put('a'))
    const { ino, mtimeNs } = statSync(path, { bigint: true })
    assert.equal(await updateFile(path, put('a')), false)
    assert.equal(await updateFile(path, () => Promise.resolve(undefined)), false)
    const now = statSync(path, { bigint: true })
    assert.deepEqual([now.ino, now.mtimeNs], [ino, mtimeNs])
  })

  test('follows a link, also to a file that does not exist yet', async () => {
    await updateFile(path, put('a'))
    symlinkSync('file', join(dir, 'link'))
    symlinkSync('later', join(dir, 'dangling'))
    await updateFile(join(dir, 'link'), put('b'))
    await updateFile(join(dir, 'dangling'), put('c'))
    assert.ok(lstatSync(join(dir, 'link')).isSymbolicLink())
    assert.equal(readFileSync(path, 'utf8'), 'b')
    assert.equal(readFileSync(join(dir, 'later'), 'utf8'), 'c')
  })

  test('lets writers take turns so that no change is lost', async () => {
    const add = () =>
      updateFile(path, async (old) => {
        await new Promise((resolve) => setImmediate(resolve))
        return Buffer.concat([old ?? Buffer.alloc(0), Buffer.from('x')])
      })
    await Promise.all(Array.from({ length: 10 }, add))
    assert.equal(readFileSync(path, 'utf8'), 'x'.repeat(10))
    assert.deepEqual(readdirSync(dir), ['file'])
  })

  test('takes over the lock of a writer that died', async () => {
    await updateFile(path, put('a'))
    writeFileSync(`${path}.lock`, '1\n')
    utimesSync(`${path}.lock`, 1, 1)
    await updateFile(path, put('b'))
    assert.equal(readFileSync(path, 'utf8'), 'b')
  })

  test('leaves the old file and no other when the change fails', async () => {
    await updateFile(path, put('a'))
    await assert.rejects(
      updateFile(path, () => Promise.reject(new Error('no'))),
      { message: 'no' },
    )
    assert.equal(readFileSync(path, 'utf8'), 'a')
    assert.deepEqual(readdirSync(dir), ['file'])
  })
})
