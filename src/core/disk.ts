import { readFile, readdir, statfs } from 'node:fs/promises'
import { homedir } from 'node:os'

/** Bytes of the file system that holds `dir`; `available` is what is left for this user. Throws Node's error. */
export async function diskUsage(dir: string): Promise<{ total: number; free: number; available: number }> {
  const { bsize, blocks, bfree, bavail } = await statfs(dir)
  return { total: blocks * bsize, free: bfree * bsize, available: bavail * bsize }
}

/** Where a person's files may be on this machine: the home directory, the root, and what is mounted for people. */
export async function disks(): Promise<string[]> {
  const mounted = await mountPoints()
  const media = await Promise.all(
    ['/mnt', '/media'].map(async (dir) => (await names(dir)).map((name) => `${dir}/${name}`)),
  )
  const shown = mounted.filter((path) => /^\/(?:mnt|media|run\/media|Volumes)\//.test(path))
  return [...new Set([homedir(), '/', ...shown, ...media.flat()])]
}

async function mountPoints(): Promise<string[]> {
  const text = await readFile('/proc/self/mounts', 'utf8').catch(() => '')
  // A blank in a path is written in octal.
  return text
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
    .map((path) => path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))))
}

async function names(dir: string): Promise<string[]> {
  return await readdir(dir).catch(() => [])
}
