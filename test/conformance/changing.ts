import assert from 'node:assert/strict'
import { once } from 'node:events'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import { bytesAt, fileAt, listed, putText, rejectsWith } from './helpers.ts'
import type { Subject } from './remote.ts'

/** Cases about directories, and about changing what is there. */
export function changing(subject: () => Subject): void {
  test('remove takes a file away; what is not there is not-found', async () => {
    const { ctx, remote } = subject()
    await putText(ctx, remote, 'change/gone.txt', 'x')
    const file = await fileAt(ctx, remote, 'change/gone.txt')
    await remote.remove(ctx, file)
    assert.equal(await remote.stat(ctx, 'change/gone.txt'), undefined)
    assert.equal(remote.peek?.('change/gone.txt'), undefined)
    // A store of objects is content when what it shall remove is not there.
    if (!remote.info.traits.bucketBased) await rejectsWith(remote.remove(ctx, file), 'not-found')
  })

  test('mkdir makes parents and may be repeated; rmdir wants an empty directory', async (t) => {
    const { ctx, remote } = subject()
    await remote.mkdir(ctx, 'made/by/hand')
    await remote.mkdir(ctx, 'made/by/hand')
    await putText(ctx, remote, 'made/by/file.txt', 'x')
    if (!remote.info.traits.emptyDirectories) return t.skip('no empty directories')
    assert.equal((await remote.stat(ctx, 'made/by/hand'))?.kind, 'directory')
    await rejectsWith(remote.rmdir(ctx, 'made/by'), 'not-empty')
    await rejectsWith(remote.rmdir(ctx, 'made/missing'), 'not-found')
    if (!remote.info.traits.bucketBased)
      await rejectsWith(remote.mkdir(ctx, 'made/by/file.txt'), 'not-directory', 'exists')
    await remote.rmdir(ctx, 'made/by/hand')
    assert.equal(await remote.stat(ctx, 'made/by/hand'), undefined)
    assert.deepEqual([...(await listed(ctx, remote, 'made/by')).keys()], ['made/by/file.txt'])
    return undefined
  })

  test('copy makes a second file with the same bytes and time', async (t) => {
    const { ctx, remote } = subject()
    if (!remote.copy) return t.skip('no copy')
    const modTime = 1_400_000_000_000_000_000n
    const file = await putText(ctx, remote, 'change/from.txt', 'copied', { modTime })
    const copied = await remote.copy(ctx, file, 'change/new/to.txt')
    assert.equal(copied.path, 'change/new/to.txt')
    if (remote.info.precision !== undefined) assert.equal(copied.modTime, file.modTime)
    assert.equal((await bytesAt(ctx, remote, 'change/new/to.txt')).toString(), 'copied')
    assert.equal((await bytesAt(ctx, remote, 'change/from.txt')).toString(), 'copied')
    return undefined
  })

  test('move renames a file, also over another one', async (t) => {
    const { ctx, remote } = subject()
    if (!remote.move) return t.skip('no move')
    await putText(ctx, remote, 'change/over.txt', 'replaced')
    const file = await putText(ctx, remote, 'change/moving.txt', 'moved')
    assert.equal((await remote.move(ctx, file, 'change/over.txt')).path, 'change/over.txt')
    assert.equal(await remote.stat(ctx, 'change/moving.txt'), undefined)
    assert.equal((await bytesAt(ctx, remote, 'change/over.txt')).toString(), 'moved')
    await rejectsWith(remote.move(ctx, file, 'change/else.txt'), 'not-found')
    return undefined
  })

  test('moveDirectory renames a directory to a free name', async (t) => {
    const { ctx, remote } = subject()
    if (!remote.moveDirectory) return t.skip('no moveDirectory')
    await putText(ctx, remote, 'tree/a/b.txt', 'b')
    await putText(ctx, remote, 'tree/taken/c.txt', 'c')
    await rejectsWith(remote.moveDirectory(ctx, 'tree/a', 'tree/taken'), 'exists')
    await rejectsWith(remote.moveDirectory(ctx, 'tree/a', 'tree/a/below'), 'invalid')
    await remote.moveDirectory(ctx, 'tree/a', 'tree/new/place')
    assert.equal(await remote.stat(ctx, 'tree/a'), undefined)
    assert.equal((await bytesAt(ctx, remote, 'tree/new/place/b.txt')).toString(), 'b')
    return undefined
  })

  test('purge removes a directory with all below it', async (t) => {
    const { ctx, remote } = subject()
    if (!remote.purge) return t.skip('no purge')
    await putText(ctx, remote, 'purge/me/deep/er/x.txt', 'x')
    await putText(ctx, remote, 'purge/me/y.txt', 'y')
    await putText(ctx, remote, 'purge/stays.txt', 'z')
    await remote.purge(ctx, 'purge/me')
    assert.deepEqual([...(await listed(ctx, remote, 'purge')).keys()], ['purge/stays.txt'])
    await rejectsWith(remote.purge(ctx, 'purge/me'), 'not-found')
    return undefined
  })

  test('setModTime changes the time of a file and nothing else', async (t) => {
    const { ctx, remote } = subject()
    if (!remote.setModTime) return t.skip('no setModTime')
    await putText(ctx, remote, 'change/time.txt', 'time')
    await remote.setModTime(ctx, await fileAt(ctx, remote, 'change/time.txt'), 1_111_111_111_000_000_000n)
    assert.equal((await fileAt(ctx, remote, 'change/time.txt')).modTime, 1_111_111_111_000_000_000n)
    assert.equal((await bytesAt(ctx, remote, 'change/time.txt')).toString(), 'time')
    return undefined
  })

  test('listRecursive gives everything below a directory', async (t) => {
    const { ctx, remote } = subject()
    if (!remote.listRecursive) return t.skip('no listRecursive')
    await putText(ctx, remote, 'all/a/b/c.txt', 'c')
    await putText(ctx, remote, 'all/d.txt', 'd')
    const found: string[] = []
    for await (const { path } of remote.listRecursive(ctx, 'all')) found.push(path)
    assert.deepEqual(found.sort(), ['all/a', 'all/a/b', 'all/a/b/c.txt', 'all/d.txt'])
    return undefined
  })

  test('about gives sizes that fit together', async (t) => {
    const { ctx, remote } = subject()
    if (!remote.about) return t.skip('no about')
    const { total, used, free } = await remote.about(ctx)
    if (total !== undefined && free !== undefined) assert.ok(total >= free)
    if (total !== undefined && used !== undefined) assert.ok(total >= used)
    return undefined
  })

  test('a watch fires once after a child was added, changed or removed', async (t) => {
    const { ctx, remote } = subject()
    if (!remote.watch) return t.skip('no watch')
    await putText(ctx, remote, 'watched/here.txt', '1')
    const changes: [string, () => Promise<unknown>][] = [
      ['added', () => putText(ctx, remote, 'watched/new.txt', 'x')],
      ['changed', () => putText(ctx, remote, 'watched/new.txt', 'longer')],
      ['removed', async () => await remote.remove(ctx, await fileAt(ctx, remote, 'watched/new.txt'))],
    ]
    for (const [what, change] of changes) {
      const events = new EventEmitter()
      const stop = remote.watch('watched', () => events.emit('changed'))
      assert.ok(stop, 'can be watched')
      const fired = once(events, 'changed', { signal: AbortSignal.timeout(5000) })
      await change()
      await fired.catch(() => assert.fail(`nothing was told when a child was ${what}`))
      stop()
    }
    return undefined
  })

  test('a watch that was stopped does not fire', async (t) => {
    const { ctx, remote } = subject()
    if (!remote.watch) return t.skip('no watch')
    await putText(ctx, remote, 'watched/here.txt', '1')
    let fired = false
    remote.watch('watched', () => (fired = true))?.()
    await putText(ctx, remote, 'watched/here.txt', '2')
    await new Promise((resolve) => setImmediate(resolve))
    assert.equal(fired, false)
    return undefined
  })
}
