import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { test } from 'node:test'
import { noise } from '../conformance/fixture.ts'
import { missingPackage, npmPeers } from '../peers.ts'
import { gcs } from './gcs.ts'

/** What of Google's client is used here. */
interface Bucket {
  create(): Promise<unknown>
  delete(): Promise<unknown>
  file(name: string): File
  getFiles(query: object): Promise<[File[], unknown, { prefixes?: string[] } | undefined]>
}
interface File {
  readonly name: string
  save(bytes: Uint8Array, options: object): Promise<void>
  download(options: object): Promise<[Buffer]>
  getMetadata(): Promise<[Record<string, unknown>]>
  setMetadata(change: object): Promise<unknown>
  copy(to: File): Promise<unknown>
  exists(): Promise<[boolean]>
  delete(): Promise<unknown>
}

test(
  "Google's own client finds the fake of its service to be right",
  { skip: missingPackage('@google-cloud/storage') },
  async (t) => {
    const server = await gcs()
    t.after(() => server.stop())
    const peers = createRequire(join(npmPeers, 'x.js'))
    const { Storage } = peers('@google-cloud/storage') as {
      Storage: new (options: object) => { bucket(name: string): Bucket }
    }
    const storage = new Storage({ apiEndpoint: server.url.slice(0, -1), projectId: '7' })
    const bucket = storage.bucket('oracle')
    await bucket.create()
    const bytes = noise(700_000, 'oracle')
    for (const resumable of [false, true]) {
      const file = bucket.file(`dir/a ${resumable} ü?#.bin`)
      await file.save(bytes, { resumable, validation: 'md5', metadata: { metadata: { mtime: 'then' } } })
      assert.ok((await file.download({ validation: 'md5' }))[0].equals(bytes))
      assert.ok((await file.download({ start: 5, end: 9, validation: false }))[0].equals(bytes.subarray(5, 10)))
      await file.setMetadata({ metadata: { more: 'x' } })
      const [{ metadata, size }] = await file.getMetadata()
      assert.deepEqual([metadata, Number(size)], [{ mtime: 'then', more: 'x' }, bytes.length])
      await file.copy(bucket.file(`copy ${resumable}`))
    }
    const [files, , answer] = await bucket.getFiles({ delimiter: '/', autoPaginate: false })
    assert.deepEqual(
      files.map(({ name }) => name),
      ['copy false', 'copy true'],
    )
    assert.deepEqual(answer?.prefixes ?? ['dir/'], ['dir/'])
    await assert.rejects(
      bucket.file('copy true').save(bytes, { resumable: false, preconditionOpts: { ifGenerationMatch: 0 } }),
      { code: 412 },
    )
    await assert.rejects(bucket.delete(), { code: 409 })
    await bucket.file('copy true').delete()
    assert.deepEqual(await bucket.file('copy true').exists(), [false])
  },
)
