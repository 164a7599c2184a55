import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { AppError, messageOf } from '../base/error.ts'
import { nameOf } from '../base/path.ts'
import type { Entry } from '../remote/remote.ts'
import { compileTemplate } from '../template/template.ts'
import type { Template } from '../template/template.ts'
import { Time } from '../template/time.ts'
import type { Struct } from '../template/value.ts'
import { hrefOf } from './href.ts'

/** Reads the template of `--template`. A file that cannot be read, or a mistake in it, throws `usage` with the line. */
export async function loadListingTemplate(path: string): Promise<Template> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    throw new AppError('usage', `--template: ${messageOf(error)}`, { cause: error })
  }
  try {
    return compileTemplate(basename(path), text)
  } catch (error) {
    throw new AppError('usage', `--template: ${messageOf(error)}`, { cause: error })
  }
}

export interface TemplatePage {
  readonly path: string
  readonly entries: readonly Entry[]
  readonly query: URLSearchParams
  readonly zip: boolean
  readonly modTimes: boolean
  readonly title?: string
}

/** What rclone gives to its listing templates (serve-http.md 1.4). */
export function templateData({ path, entries, query, zip, modTimes, title }: TemplatePage): Struct {
  const name = `/${path}`
  const zipUrl = zip ? '?download=zip' : ''
  return {
    DirRemote: path,
    Title: title ?? `Directory listing of ${name}`,
    Name: name,
    ZipURL: zipUrl,
    DisableZip: !zip,
    Entries: entries.map((entry): Struct => {
      const directory = entry.kind === 'directory'
      const leaf = nameOf(entry.path)
      const url = hrefOf(leaf, directory)
      return {
        URL: url,
        ZipURL: directory && zip ? `${url}${zipUrl}` : '',
        Leaf: directory ? `${leaf}/` : leaf,
        IsDir: directory,
        Size: directory ? 0n : BigInt(entry.size),
        ModTime: modTimes && entry.modTime !== 0n ? new Time(entry.modTime) : Time.zero,
      }
    }),
    Query: '',
    Breadcrumb: breadcrumb(path),
    Sort: query.get('sort') ?? '',
    Order: query.get('order') ?? '',
  }
}

/** The way from the root, whose text is `/`: links go up, the last one is empty. */
function breadcrumb(path: string): Struct[] {
  const names = ['/', ...path.split('/').filter((name) => name !== '')]
  return names.map((Text, i) => ({ Link: '../'.repeat(names.length - 1 - i), Text }))
}
