import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf, collect } from '../../src/base/body.ts'
import { AppError } from '../../src/base/error.ts'
import { noise } from './fixture.ts'
import { bytesAt, failing, fileAt, hanging, listed, putText, rejectsWith } from './helpers.ts'
import type { Subject } from './remote.ts'

/** Cases about putting files. */
export function storing(subject: () => Subject): void {
  test('put stores a file with its time, its parents are made', async () => {
    const { ctx, remote } = subject()
    const modTime = 1_234_567_890_123_456_000n
    const entry = await putText(ctx, remote, 'put/new/sub/file.txt', 'content', { modTime })
    assert.equal(entry.path, 'put/new/sub/file.txt')
    assert.equal(entry.size, 7)
    assert.equal((await bytesAt(ctx, remote, 'put/new/sub/file.txt')).toString(), 'content')
    const { precision } = remote.info
    if (precision === undefined) return
    const off = entry.modTime - modTime
    assert.ok(off < BigInt(precision) && -off < BigInt(precision), `${entry.modTime}`)
    assert.deepEqual((await fileAt(ctx, remote, 'put/new/sub/file.txt')).modTime, entry.modTime)
  })

  test('put replaces a file, longer or shorter', async () => {
    const { ctx, remote } = subject()
    for (const text of ['first', 'a much longer second one', '', 'x']) {
      await putText(ctx, remote, 'put/over.txt', text)
      assert.equal((await bytesAt(ctx, remote, 'put/over.txt')).toString(), text)
      assert.equal((await fileAt(ctx, remote, 'put/over.txt')).size, text.length)
    }
  })

  test('put takes a source of unknown size, and one of no bytes', async () => {
    const { ctx, remote } = subject()
    const bytes = noise(300_000, 'unknown')
    await remote.put(ctx, 'put/unknown.bin', bodyOf(bytes.subarray(0, 7), bytes.subarray(7)), {})
    assert.ok((await bytesAt(ctx, remote, 'put/unknown.bin')).equals(bytes))
    assert.equal((await remote.put(ctx, 'put/none', bodyOf(), { size: 0 })).size, 0)
    assert.equal((await bytesAt(ctx, remote, 'put/none')).length, 0)
  })

  const broken: [string, Parameters<typeof putBroken>[1]][] = [
    ['ends early', { body: () => bodyOf('abc'), info: { size: 10 }, codes: ['invalid', 'io'] }],
    [
      'has more bytes than announced',
      { body: () => bodyOf('abc', 'def'), info: { size: 3 }, codes: ['invalid', 'io'] },
    ],
    ['fails midway', { body: () => failing(['abc'], new AppError('io', 'source broke')), info: {}, codes: ['io'] }],
    [
      'fails with the wrong checksum',
      { body: () => bodyOf('abc'), info: { hashes: { md5: '0'.repeat(32) } }, codes: ['io'] },
    ],
  ]
  for (const [what, source] of broken) {
    test(`a source that ${what} stores nothing`, async () => {
      await putBroken(subject(), source, undefined)
    })
    test(`a source that ${what} leaves the old file as it was`, async () => {
      await putBroken(subject(), source, 'the old content')
    })
  }

  test('a put that is stopped ends at once and stores nothing', async () => {
    const { ctx, remote } = subject()
    const stop = new AbortController()
    const putting = remote.put(ctx.with({ signal: stop.signal }), 'put/stopped.txt', hanging('abc'), { size: 100 })
    setImmediate(() => stop.abort())
    await rejectsWith(putting, 'aborted')
    assert.equal(await remote.stat(ctx, 'put/stopped.txt'), undefined)
  })

  test('with ifAbsent a name that is taken is an error, and of many only one gets it', async () => {
    const { ctx, remote } = subject()
    await putText(ctx, remote, 'put/once.txt', 'one', { ifAbsent: true })
    await rejectsWith(putText(ctx, remote, 'put/once.txt', 'two', { ifAbsent: true }), 'exists')
    assert.equal((await bytesAt(ctx, remote, 'put/once.txt')).toString(), 'one')
    const tries = await Promise.allSettled(
      Array.from({ length: 8 }, (_, i) => putText(ctx, remote, 'put/race.txt', `try ${i}`, { ifAbsent: true })),
    )
    const won = tries.findIndex(({ status }) => status === 'fulfilled')
    assert.equal(tries.filter(({ status }) => status === 'fulfilled').length, 1)
    assert.equal((await bytesAt(ctx, remote, 'put/race.txt')).toString(), `try ${won}`)
  })

  test('of many who put the same name at once, one wins whole', async () => {
    const { ctx, remote } = subject()
    const bodies = Array.from({ length: 6 }, (_, i) => noise(100_000 + i, `writer ${i}`))
    await Promise.all(bodies.map((bytes) => remote.put(ctx, 'put/many.bin', bodyOf(bytes), { size: bytes.length })))
    const stored = await bytesAt(ctx, remote, 'put/many.bin')
    assert.ok(bodies.some((bytes) => stored.equals(bytes)))
    assert.deepEqual(
      [...(await listed(ctx, remote, 'put')).keys()].filter((path) => path.includes('many')),
      ['put/many.bin'],
    )
  })

  test('of two uploads of one name the one that began first may end last', { timeout: 30_000 }, async () => {
    const { ctx, remote } = subject()
    const [first, other] = ['first', 'other'].map((seed) => noise(100_000, seed)) as [Buffer, Buffer]
    for (const info of [{ size: first.length }, { size: first.length, ifAbsent: true }]) {
      const path = `put/patient-${info.ifAbsent ?? false}.bin`
      const [begun, over] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      async function* patient(): AsyncGenerator<Uint8Array> {
        yield first.subarray(0, 50_000)
        begun.resolve()
        await over.promise
        yield first.subarray(50_000)
      }
      const late = remote.put(ctx, path, patient(), info)
      await begun.promise
      await remote.put(ctx, path, bodyOf(other), info)
      over.resolve()
      if (info.ifAbsent) await rejectsWith(late, 'exists')
      else await late
      assert.ok((await bytesAt(ctx, remote, path)).equals(info.ifAbsent ? other : first))
    }
  })

  test('put over a directory, and below a file, is an error', async (t) => {
    const { ctx, remote } = subject()
    if (remote.info.traits.bucketBased) return t.skip('a file and a directory may have one name')
    await putText(ctx, remote, 'put/taken/file', 'x')
    await rejectsWith(putText(ctx, remote, 'put/taken', 'y'), 'is-directory', 'exists')
    await rejectsWith(putText(ctx, remote, 'put/taken/file/below', 'y'), 'not-directory')
    assert.equal((await bytesAt(ctx, remote, 'put/taken/file')).toString(), 'x')
    return undefined
  })

  test('names that are no names are refused', async () => {
    const { ctx, remote } = subject()
    for (const path of ['../escape', 'a/../../escape', 'put/./x', 'put//x', 'put/nul\0x', '']) {
      await rejectsWith(putText(ctx, remote, path, 'x'), 'invalid', 'not-found', 'is-directory', 'exists', 'denied')
      if (path !== '') await rejectsWith(remote.mkdir(ctx, path), 'invalid')
    }
  })

  test('a name that looks like a path is a name', async () => {
    const { ctx, remote } = subject()
    const names = ['．．', '．', 'a／..／..／b', '／']
    await putText(ctx, remote, 'alike/file', 'not this')
    for (const name of names) {
      assert.equal(await remote.stat(ctx, `alike/in/${name}/file`), undefined)
      await putText(ctx, remote, `alike/in/${name}/file`, name)
    }
    assert.deepEqual(
      [...(await listed(ctx, remote, 'alike/in')).keys()].sort(),
      names.map((name) => `alike/in/${name}`).sort(),
    )
    for (const name of names) assert.equal((await bytesAt(ctx, remote, `alike/in/${name}/file`)).toString(), name)
    assert.equal((await bytesAt(ctx, remote, 'alike/file')).toString(), 'not this')
  })

  test('a name that is longer than any disk takes is not found', async () => {
    const { ctx, remote } = subject()
    assert.equal(await remote.stat(ctx, 'x'.repeat(300)), undefined)
  })

  test('what was opened stays one version while the file is replaced', async () => {
    const { ctx, remote } = subject()
    const [first, second] = [noise(900_000, 'first'), noise(900_000, 'second')]
    await remote.put(ctx, 'put/version.bin', bodyOf(first), { size: first.length })
    const file = await fileAt(ctx, remote, 'put/version.bin')
    const body = await remote.open(ctx, file)
    const source = body[Symbol.asyncIterator]()
    const head = await source.next()
    await remote.put(ctx, 'put/version.bin', bodyOf(second), { size: second.length })
    const chunks = [head.value as Uint8Array]
    try {
      for (let next = await source.next(); !next.done; next = await source.next()) chunks.push(next.value)
    } catch {
      return
    }
    assert.ok(Buffer.concat(chunks).equals(first), 'bytes of both versions were mixed')
  })

  test('an entry of a version that is gone never gives bytes of another', async () => {
    const { ctx, remote } = subject()
    // Storage that counts whole seconds and knows no versions can tell them by their times alone.
    const second = 1_000_000_000n
    await putText(ctx, remote, 'put/stale.txt', 'old bytes', { modTime: 1_500_000_000n * second })
    const old = await fileAt(ctx, remote, 'put/stale.txt')
    await putText(ctx, remote, 'put/stale.txt', 'new bytes', { modTime: 1_600_000_000n * second })
    const got = await remote.open(ctx, old).then(
      async (body) => Buffer.from(await collect(body)).toString(),
      (error: unknown) => (error instanceof AppError && error.code === 'not-found' ? 'gone' : error),
    )
    assert.ok(got === 'gone' || got === 'old bytes', String(got))
    assert.equal((await bytesAt(ctx, remote, 'put/stale.txt')).toString(), 'new bytes')
  })

  test('a file written in several places can be read meanwhile, and gets its name when it is whole', async (t) => {
    const { ctx, remote } = subject()
    if (!remote.openWriter) return t.skip('no openWriter')
    const bytes = noise(200_000, 'writer')
    const writer = await remote.openWriter(ctx, 'put/writer/at.bin', { size: bytes.length, modTime: 10n ** 18n })
    await Promise.all([writer.write(100_000, bytes.subarray(100_000)), writer.write(0, bytes.subarray(0, 50_000))])
    await rejectsWith(writer.commit(), 'invalid')
    await writer.write(50_000, bytes.subarray(50_000, 100_000))
    assert.equal(await remote.stat(ctx, 'put/writer/at.bin'), undefined)
    const stored = await writer.commit()
    assert.deepEqual(stored, await remote.stat(ctx, 'put/writer/at.bin'))
    assert.equal(stored.size, bytes.length)
    assert.equal(stored.modTime, 10n ** 18n)
    assert.ok(Buffer.from(await writer.read(150_000, 1)).equals(bytes.subarray(150_000, 150_001)))
    await writer.close()
    assert.ok((await bytesAt(ctx, remote, 'put/writer/at.bin')).equals(bytes))
    const given = await remote.openWriter(ctx, 'put/writer/never.bin', {})
    await given.write(0, bytes)
    await given.close()
    const late = await remote.openWriter(ctx, 'put/writer/at.bin', { ifAbsent: true })
    await rejectsWith(late.commit(), 'exists')
    await late.close()
    assert.deepEqual([...(await listed(ctx, remote, 'put/writer')).keys()], ['put/writer/at.bin'])
    return undefined
  })
}

async function putBroken(
  { ctx, remote }: Subject,
  source: {
    body: () => AsyncIterable<Uint8Array>
    info: { size?: number; hashes?: Record<string, string> }
    codes: ('invalid' | 'io')[]
  },
  old: string | undefined,
): Promise<void> {
  const path = old === undefined ? 'broken/new.txt' : 'broken/old.txt'
  if (old === undefined) await putText(ctx, remote, 'broken/other.txt', 'other')
  else await putText(ctx, remote, path, old)
  await rejectsWith(remote.put(ctx, path, source.body(), source.info), ...source.codes)
  if (old === undefined) assert.equal(await remote.stat(ctx, path), undefined)
  else assert.equal((await bytesAt(ctx, remote, path)).toString(), old)
  for (const name of (await listed(ctx, remote, 'broken')).keys())
    assert.ok(['broken/other.txt', 'broken/old.txt'].includes(name), `${name} was left over`)
}
