import { test } from 'node:test'
import { crossCheck } from '../cross-check.ts'
import { missing } from '../peers.ts'
import { swift, swiftPrograms } from '../servers/swift.ts'

const skip = missing('rclone', ...swiftPrograms)

for (const [title, more] of [
  ['whole', {}],
  ['in segments', { RCLONE_CONFIG_OS_CHUNK_SIZE: '200Ki' }],
] as const)
  test(`on Swift, Sluice and rclone find and read what the other stored ${title}`, { skip }, async (t) => {
    const { auth, user, key } = await swift()
    const env = {
      RCLONE_CONFIG_OS_TYPE: 'swift',
      RCLONE_CONFIG_OS_AUTH: auth,
      RCLONE_CONFIG_OS_USER: user,
      RCLONE_CONFIG_OS_KEY: key,
      ...more,
    }
    await crossCheck(t, { env, place: `os:cross ${title}` })
  })
