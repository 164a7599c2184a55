import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configPath, type ConfigSearch, remotesInEnv, valuesInEnv } from './config-path.ts'

const home = '/home/u'
const all = [
  '/opt/rclone.conf',
  '/xdg/rclone/rclone.conf',
  '/home/u/.config/rclone/rclone.conf',
  '/home/u/.rclone.conf',
]
const search = (there: readonly string[], more: Partial<ConfigSearch> = {}) =>
  configPath({
    env: { XDG_CONFIG_HOME: '/xdg' },
    home,
    executable: '/opt/sluice',
    exists: (path) => there.includes(path),
    ...more,
  })

test('the first file that exists wins', () => {
  for (let from = 0; from < all.length; from++) assert.equal(search(all.slice(from)), all[from])
})

test('a new file goes to the XDG directory, else to .config, else to where we are', () => {
  assert.equal(search([]), '/xdg/rclone/rclone.conf')
  assert.equal(search([], { env: {} }), '/home/u/.config/rclone/rclone.conf')
  assert.equal(search([], { env: {}, home: undefined }), '.rclone.conf')
})

test('the flag wins over the environment, and an empty one means memory', () => {
  const env = { SLUICE_CONFIG: '/s', RCLONE_CONFIG: '/r' }
  assert.equal(search(all, { env, flag: '/f' }), '/f')
  assert.equal(search(all, { env, flag: '' }), '')
  assert.equal(search(all, { env }), '/s')
  assert.equal(search(all, { env: { RCLONE_CONFIG: '/r' } }), '/r')
  assert.equal(search(all, { env: { RCLONE_CONFIG: '' } }), '')
})

test('on Windows the file is in the application data', () => {
  const env = { APPDATA: 'C:\\Users\\u\\AppData\\Roaming' }
  const path = 'C:\\Users\\u\\AppData\\Roaming\\rclone\\rclone.conf'
  assert.equal(search([], { env, platform: 'win32', home: 'C:\\Users\\u', executable: 'C:\\s\\sluice.exe' }), path)
  assert.equal(
    search(['C:\\s\\rclone.conf', path], { env, platform: 'win32', executable: 'C:\\s\\sluice.exe' }),
    'C:\\s\\rclone.conf',
  )
})

test('a remote is set up by variables alone', () => {
  const env = {
    RCLONE_CONFIG_MY_S3_TYPE: 's3',
    SLUICE_CONFIG_B_TYPE: 'local',
    RCLONE_CONFIG_PASS: 'x',
    RCLONE_CONFIG: '',
  }
  assert.deepEqual(remotesInEnv(env), ['b', 'my_s3'])
  assert.deepEqual(valuesInEnv(env, 'my-s3', []), { type: 's3' })
})

test('a variable counts for the longest name that fits, ours before rclone’s', () => {
  const env = {
    RCLONE_CONFIG_A_TYPE: 'local',
    RCLONE_CONFIG_A_B_TYPE: 's3',
    RCLONE_CONFIG_A_B_ACCESS_KEY_ID: 'r',
    SLUICE_CONFIG_A_B_ACCESS_KEY_ID: 's',
  }
  assert.deepEqual(valuesInEnv(env, 'a', ['a', 'a-b']), { type: 'local' })
  assert.deepEqual(valuesInEnv(env, 'a-b', ['a', 'a-b']), { type: 's3', access_key_id: 's' })
  assert.deepEqual(valuesInEnv(env, 'A', ['A']), { type: 'local', b_type: 's3', b_access_key_id: 's' })
})
