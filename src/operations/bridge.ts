import { resolve } from 'node:path'
import { AppError } from '../base/error.ts'
import { isInside, join } from '../base/path.ts'
import { realPath } from '../base/real-path.ts'
import type { Opener, Place } from '../layers/open.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { formatSpec, parseSpec, type Spec, splitSpec } from '../remote/spec.ts'

/** Two places of one storage, seen from a folder that both are in: what makes server-side copies and moves possible. */
export interface Bridge {
  readonly remote: Remote
  /** The source's root inside `remote`. */
  readonly from: string
  /** The destination's root inside `remote`. */
  readonly to: string
}

/** A place that a text names, and the text of the folder it is rooted at. */
export interface Location extends Place {
  readonly text: string
}

/** Opens what a text names, a folder or a file. */
export async function locate(remotes: Opener, text: string): Promise<Location> {
  const place = await remotes.openAt(text)
  return { ...place, text: place.file ? splitText(text).parent : text }
}

/** A text for a file as the text of its folder and its name. Throws `invalid` for a root, which has no name. */
export function splitText(text: string): { readonly parent: string; readonly name: string } {
  const spec = parseSpec(text)
  const { parent, name } = splitSpec({ ...spec, path: spec.path.replace(/(?<=.)\/+$/, '') })
  if (name === '') throw new AppError('invalid', `${text} names no file`)
  return { parent: formatSpec(parent), name }
}

/** The bridge between two texts; undefined when they are not in one storage. */
export async function bridgeBetween(remotes: Opener, from: string, to: string): Promise<Bridge | undefined> {
  const [source, target] = [settled(from), settled(to)]
  if (source.storage !== target.storage) return undefined
  const common = commonFolder(source.path, target.path)
  const remote = await remotes.open(formatSpec({ ...source.spec, path: common }))
  return { remote, from: below(source.path, common), to: below(target.path, common) }
}

/** `same` = one folder, `overlap` = one within the other, `apart` otherwise. Links on a local disk are followed. */
export function relation(from: string, to: string): 'same' | 'overlap' | 'apart' {
  const [source, target] = [settled(from), settled(to)]
  if (source.storage !== target.storage) return 'apart'
  const [a, b] = [real(source), real(target)]
  if (a === b) return 'same'
  return isInside(a, b) || isInside(b, a) ? 'overlap' : 'apart'
}

interface Settled {
  readonly spec: Spec
  /** The same for all texts that name one storage. */
  readonly storage: string
  /** Without a slash at its end, save the root that is one; that of a local disk is absolute. */
  readonly path: string
}

function settled(text: string): Settled {
  const spec = parseSpec(text)
  const path = spec.kind === 'local' ? resolve(spec.path) : spec.path
  return { spec, storage: formatSpec({ ...spec, path: '/' }), path: path.replace(/(?<=.)\/+$/, '') }
}

function commonFolder(a: string, b: string): string {
  const [left, right] = [a.split('/'), b.split('/')]
  let length = 0
  while (length < left.length && left[length] === right[length]) length++
  const common = left.slice(0, length).join('/')
  return common === '' && a.startsWith('/') ? '/' : common
}

function below(path: string, folder: string): string {
  return path.slice(folder.length).replace(/^\/+/, '')
}

/** The path by which places are compared: links on a disk are followed. */
function real({ spec, path }: Settled): string {
  return (spec.kind === 'local' ? realPath(path) : path).replace(/^\/+/, '')
}

/** A file of the source as it is seen from the bridge. */
export function acrossFrom(bridge: Bridge, file: FileEntry): FileEntry {
  return { ...file, path: join(bridge.from, file.path) }
}

/** Where in `outer` the folder `inner` is: a path, `''` for the same one, undefined when it is not in it. */
export function inside(inner: string, outer: string): string | undefined {
  const [a, b] = [settled(inner), settled(outer)]
  if (a.storage !== b.storage) return undefined
  const [path, root] = [real(a), real(b)]
  return isInside(path, root) ? path.slice(root.length).replace(/^\/+/, '') : undefined
}
