import { AppError } from '../base/error.ts'
import { mainOptions } from '../core/options.ts'
import { encoding } from '../http/encoding.ts'
import type { Middleware } from '../http/message.ts'
import { loadListingTemplate } from '../origin/template.ts'
import { filesPage } from '../rc/files.ts'
import type { Page } from '../rc/handler.ts'
import { Objects } from '../rc/objects.ts'
import { rcHttpOptions, rcOptions } from '../rc/options.ts'
import type { Services } from '../rc/services.ts'
import { quoteSpecValue } from '../remote/spec.ts'
import { vfsOptions } from '../vfs/options.ts'
import { Vfs } from '../vfs/vfs.ts'
import type { CommandIo } from './command.ts'
import { withoutSecrets } from './secrets.ts'

/** What GET and HEAD find beside the pages of methods: remotes, and the files of a web interface. */
export interface RcPages {
  /** Come before all others. */
  readonly first: readonly Page[]
  /** Come after all others. */
  readonly last: readonly Page[]
  /** Forgets directory listings. */
  forget(): void
  close(): Promise<void>
}

/** Larger answers go out as they are. */
const MOST_COMPRESSED = 8 * 1024 * 1024

/** Opens what `--rc-serve` and `--rc-files` ask for; `allowed` = whoever gets there may read everything. Throws when something is missing. */
export async function openPages(io: CommandIo, services: Services, allowed: boolean): Promise<RcPages> {
  const rc = io.get(rcOptions)
  const compress = encoding(() => ({ effort: 'on', max: MOST_COMPRESSED }))
  const objects = rc.serve ? await openObjects(io, services, allowed) : undefined
  const files = rc.files === '' ? undefined : await openFiles(io, services, rc.files)
  const last = [objects?.list, files && filesPage(files), objects?.home]
  return {
    first: objects ? [compressed(objects.object, compress)] : [],
    last: last.filter((page) => page !== undefined).map((page) => compressed(page, compress)),
    forget: () => void files?.forget(),
    async close() {
      objects?.close()
      await files?.close()
    },
  }
}

async function openObjects(io: CommandIo, services: Services, allowed: boolean): Promise<Objects> {
  const { serveNoModTime, template } = io.get(rcOptions)
  return new Objects({
    services,
    allowed,
    shared: io.get(rcHttpOptions).allowOrigin.length > 0,
    modTimes: !serveNoModTime,
    ...(template === '' ? {} : { template: await loadListingTemplate(template) }),
    cover: (remote) => withoutSecrets(io, remote),
  })
}

/** The tree of a folder, of a zip, or of a remote. */
async function openFiles(io: CommandIo, services: Services, text: string): Promise<Vfs> {
  const remotes = await io.remotes()
  const place = await remotes.openAt(text)
  if (place.file && !/\.zip$/i.test(place.file.path))
    throw new AppError('usage', `--rc-files ${text} is neither a folder nor a zip`)
  const remote = place.file ? await remotes.open(`:archive,remote=${quoteSpecValue(text)}:`) : place.remote
  if (remote.info.traits.emptyDirectories && !(await remote.stat(io.ctx, '')))
    throw new AppError('not-found', `--rc-files: directory not found: ${text}`)
  return new Vfs(services.ctx, withoutSecrets(io, remote), io.get(vfsOptions), io.get(mainOptions).bufferSize)
}

function compressed(page: Page, compress: Middleware): Page {
  return async (ctx, request) => {
    const response = await page(ctx, request)
    return response && (await compress(() => response)(ctx, request))
  }
}
