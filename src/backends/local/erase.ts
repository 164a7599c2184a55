import * as fs from 'node:fs'
import { throwIfAborted } from '../../base/abort.ts'
import { errorCode, rethrow } from '../../base/error.ts'
import { join } from '../../base/path.ts'
import type { Context } from '../../core/context.ts'
import { leafOf, type Tree } from './tree.ts'

/** Removes everything in a directory, never through a link, then what is left is the empty directory. */
export async function empty(ctx: Context, tree: Tree, dir: string): Promise<void> {
  const directory = await tree.openDirectory(dir)
  try {
    for (const entry of await fs.promises.readdir(directory.place, { withFileTypes: true, encoding: 'buffer' })) {
      throwIfAborted(ctx.signal)
      const place = directory.at(entry.name)
      if (entry.isDirectory()) {
        const name = entry.name.toString()
        await (Buffer.from(name).equals(entry.name) ? empty(ctx, tree, join(dir, name)) : dropBytes(place))
        await fs.promises.rmdir(place).catch(unlessGone)
      } else await fs.promises.unlink(place).catch(unlessGone)
    }
  } finally {
    await directory.close()
  }
}

/** Removes an empty directory. */
export async function removeDirectory(tree: Tree, dir: string): Promise<void> {
  if (dir === '') return await fs.promises.rmdir(tree.root).catch(rethrow)
  const { parent, leaf } = await parentDirectory(tree, dir)
  try {
    await fs.promises.rmdir(parent.at(leaf)).catch(rethrow)
  } finally {
    await parent.close()
  }
}

/** The open parent of a path, and the last name. */
export async function parentDirectory(tree: Tree, path: string) {
  const slash = path.lastIndexOf('/')
  const leaf = leafOf(path)
  return { parent: await tree.openDirectory(slash < 0 ? '' : path.slice(0, slash)), leaf }
}

async function dropBytes(place: string | Buffer): Promise<void> {
  await fs.promises.rm(place, { recursive: true, force: true }).catch(rethrow)
}

function unlessGone(error: unknown): void {
  if (errorCode(error) !== 'ENOENT') rethrow(error)
}
