import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { testContext } from '../../core/testing.ts'
import { defaultsOf } from '../../schema/option.ts'
import { localOptions, type LocalOptions } from './index.ts'
import { LocalRemote } from './remote.ts'

/** A local remote in a temporary directory that goes with the test; beside the root is room for what must stay outside. */
export function temporary(t: Pick<TestContext, 'after'>, options: Partial<LocalOptions> = {}) {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-local-')))
  const root = join(base, 'root')
  const ctx = testContext()
  const remote = LocalRemote.open(ctx, { name: 'local', root, config: { ...defaultsOf(localOptions), ...options } })
  t.after(async () => {
    await remote.close()
    rmSync(base, { recursive: true })
  })
  return { ctx, remote, root, base }
}
