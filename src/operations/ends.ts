import { AppError } from '../base/error.ts'
import type { Context } from '../core/context.ts'
import { filterOptions } from '../core/filter-options.ts'
import type { Opener } from '../layers/open.ts'
import type { FileEntry, Remote } from '../remote/remote.ts'
import { Backup } from './backup.ts'
import { type Bridge, bridgeBetween, inside, type Location, locate, relation } from './bridge.ts'
import { copyOptions } from './options.ts'

/** A further place where files are looked for before they are copied. */
export interface Reserve {
  readonly remote: Remote
  /** From there to the destination. */
  readonly bridge: Bridge | undefined
}

/** The two ends of a copy, and what the flags put beside them. */
export interface Ends {
  readonly source: Remote
  /** When the source is one file: its name in `source`, which is its folder. */
  readonly file: FileEntry | undefined
  readonly target: Remote
  readonly bridge: Bridge | undefined
  /** The texts of both folders. */
  readonly texts: { readonly source: string; readonly target: string }
  readonly same: boolean
  /** One lies in the other, and the filter does not hide it. */
  readonly overlap: boolean
  readonly backup: Backup | undefined
  readonly compareDest: readonly Reserve[]
  readonly copyDest: readonly Reserve[]
}

/** Opens both ends. A text for the source may name a file, one for the destination a folder that is still to come. */
export async function openEnds(ctx: Context, remotes: Opener, from: string, into: string): Promise<Ends> {
  const source = await locate(remotes, await remotes.canonical(from))
  const to = await remotes.canonical(into)
  const target = await remotes.open(to)
  const { compareDest, copyDest } = ctx.get(copyOptions)
  if (compareDest.length > 0 && copyDest.length > 0)
    throw new AppError('usage', "can't use --compare-dest with --copy-dest")
  const related = source.file ? 'apart' : relation(source.text, to)
  const reserves = (texts: readonly string[]) => Promise.all(texts.map((text) => reserve(remotes, text, to)))
  return {
    source: source.remote,
    file: source.file,
    target,
    bridge: await bridgeBetween(remotes, source.text, to),
    texts: { source: source.text, target: to },
    same: related === 'same',
    overlap: related === 'overlap' && !hiddenBy(ctx, source.text, to),
    backup: await openBackup(ctx, remotes, { source, target, to }),
    compareDest: await reserves(compareDest),
    copyDest: await reserves(copyDest),
  }
}

async function reserve(remotes: Opener, text: string, to: string): Promise<Reserve> {
  return { remote: await remotes.open(text), bridge: await bridgeBetween(remotes, await remotes.canonical(text), to) }
}

/** True when `inner` lies in `outer` at a place that the filter leaves out. */
function hiddenBy(ctx: Context, outer: string, inner: string): boolean {
  const path = inside(inner, outer)
  return path !== undefined && path !== '' && !ctx.filter.includesDirectory(path)
}

interface BackupParts {
  readonly source: Location
  readonly target: Remote
  readonly to: string
}

async function openBackup(ctx: Context, remotes: Opener, parts: BackupParts): Promise<Backup | undefined> {
  const { suffix, ...asked } = ctx.get(copyOptions)
  const { source, target, to } = parts
  if (asked.backupDir === '')
    return suffix === '' ? undefined : new Backup(ctx, target, { remote: target, from: '', to: '' })
  const backupDir = await remotes.canonical(asked.backupDir)
  const bridge = await bridgeBetween(remotes, to, backupDir)
  if (!bridge) throw refused('parameter to --backup-dir has to be on the same remote as destination')
  const apart = (text: string) =>
    relation(text, backupDir) === 'apart' || (!ctx.get(filterOptions).deleteExcluded && hiddenBy(ctx, text, backupDir))
  if (suffix === '' || relation(to, backupDir) !== 'same') {
    if (!apart(to)) throw refused("destination and parameter to --backup-dir mustn't overlap")
    if (!source.file && !apart(source.text)) throw refused("source and parameter to --backup-dir mustn't overlap")
  }
  return new Backup(ctx, target, bridge)
}

function refused(message: string): AppError {
  return new AppError('invalid', message, { stop: 'fatal' })
}
