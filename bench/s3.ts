import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { find } from '../test/peers.ts'
import { swift, swiftPrograms } from '../test/servers/swift.ts'
import { emptied, type FilesBench, plant, plantGibibyte, race, roomy, runOnce } from './files.ts'
import type { Figure } from './report.ts'

const KEYS = 10_000
const SMALL = 1000

/** What is measured here: between a folder in memory and one real store, whole programs beside each other. */
export const s3Ids: readonly string[] = ['s3read', 's3write', 's3list', 's3small']

/** Sluice and rclone at the same server, an OpenStack Swift that speaks S3; none without that. */
export async function s3Figures(bench: FilesBench): Promise<Figure[]> {
  const ids = s3Ids.filter((id) => bench.wanted(id))
  if (ids.length === 0 || swiftPrograms.some((program) => !find(program))) return []
  const dir = mkdtempSync(join(roomy(), 'sluice-bench-s3-'))
  try {
    const config = join(dir, 'rclone.conf')
    const { url, user, key } = await swift()
    writeFileSync(
      config,
      `[s3]\ntype = s3\nprovider = Other\nendpoint = ${url}\naccess_key_id = ${user}\nsecret_access_key = ${key}\n`,
    )
    const figures: Figure[] = []
    for (const id of ids) {
      console.log(`measuring: ${id}`)
      figures.push(await figureOf(id, { ...bench, config }, dir))
    }
    return figures
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

async function figureOf(id: string, bench: FilesBench, dir: string): Promise<Figure> {
  const [large, small, out] = [join(dir, 'large'), join(dir, 'small'), join(dir, 'out')]
  const figure = (title: string, medians: Figure['medians']): Figure => ({
    id,
    title,
    unit: 'ms',
    better: 'less',
    goals: { rclone: 1 },
    medians,
  })
  if (id === 's3list') {
    const many = join(dir, 'many')
    plant(many, KEYS, 1, KEYS)
    await runOnce(bench, ['copy', many, 's3:many', '--transfers', '16'])
    return figure(`listing of ${KEYS} keys of S3`, await race(bench, ['lsf', '-R', 's3:many']))
  }
  if (id === 's3small') {
    plant(small, SMALL, 2048)
    const before = (round: string) => ['copy', small, `s3:small/${round}`]
    return figure(`${SMALL} small files copied to S3`, await race(bench, before))
  }
  plantGibibyte(large)
  if (id === 's3write')
    return figure('1 GiB written to S3', await race(bench, (round) => ['copy', large, `s3:large/${round}`]))
  await runOnce(bench, ['copy', large, 's3:read'])
  return figure('1 GiB read from S3', await race(bench, ['copy', 's3:read', out], () => emptied(out)))
}
