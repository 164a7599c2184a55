import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { obscure } from '../src/remote/obscure.ts'
import { contest, emptied, type FilesBench, plantGibibyte, roomy, runOnce } from './files.ts'
import type { Figure } from './report.ts'

/** What is measured here: between two folders in memory, one of them encrypted, whole programs beside each other. */
export const cryptIds: readonly string[] = ['cryptwrite', 'cryptread']

/** Sluice and rclone encrypting one file of 1 GiB, and decrypting it: how long it takes, and how much memory. */
export async function cryptFigures(bench: FilesBench): Promise<Figure[]> {
  const ids = cryptIds.filter((id) => bench.wanted(id))
  if (ids.length === 0) return []
  const dir = mkdtempSync(join(roomy(), 'sluice-bench-crypt-'))
  try {
    const config = join(dir, 'rclone.conf')
    const [plain, stored, out] = [join(dir, 'plain'), join(dir, 'stored'), join(dir, 'out')]
    writeFileSync(config, `[safe]\ntype = crypt\nremote = ${stored}\npassword = ${obscure('potato')}\n`)
    plantGibibyte(plain)
    const figures: Figure[] = []
    for (const id of ids) {
      console.log(`measuring: ${id}`)
      figures.push(...(await figuresOf(id, { ...bench, config }, { plain, stored, out })))
    }
    return figures
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function figuresOf(
  id: string,
  bench: FilesBench,
  { plain, stored, out }: { readonly plain: string; readonly stored: string; readonly out: string },
): Promise<Figure[]> {
  const writes = id === 'cryptwrite'
  emptied(stored)
  if (!writes) await runOnce(bench, ['copy', plain, 'safe:'])
  const args = writes ? ['copy', plain, 'safe:'] : ['copy', 'safe:', out]
  const { times, peaks } = await contest(bench, args, () => emptied(writes ? stored : out))
  emptied(out)
  const title = writes ? '1 GiB encrypted' : '1 GiB decrypted'
  return [
    { id, title, unit: 'ms', better: 'less', goals: { rclone: 1.4 }, medians: times },
    { id: `${id}-memory`, title: `${title}: peak memory`, unit: 'MiB', better: 'less', goals: {}, medians: peaks },
  ]
}
