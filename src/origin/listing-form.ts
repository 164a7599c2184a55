import { nameOf } from '../base/path.ts'
import { subSecond, toDate } from '../base/time.ts'
import { visibleName } from '../base/html.ts'
import type { Entry } from '../remote/remote.ts'
import { hrefOf } from './href.ts'
import { htmlRenderer } from './listing-page.ts'
import type { Form, Render } from './listing-view.ts'

/** How each form is made. */
export const renderers: Readonly<Record<Form, Render>> = {
  'text/html': htmlRenderer,
  'application/json': ({ modTimes }) => ({
    head: '[',
    row: (entry, index) => `${index === 0 ? '\n' : ',\n'}${jsonRow(entry, modTimes)}`,
    tail: '\n]\n',
  }),
  'text/plain': () => ({
    head: '',
    row: (entry) => `${visibleName(nameOf(entry.path))}${entry.kind === 'directory' ? '/' : ''}\n`,
    tail: '',
  }),
}

function jsonRow(entry: Entry, modTimes: boolean): string {
  const name = nameOf(entry.path)
  const directory = entry.kind === 'directory'
  const row = {
    name,
    url: hrefOf(name, directory),
    isDir: directory,
    size: directory ? -1 : entry.size,
    modTime: modTimes && entry.modTime !== 0n ? rfc3339(entry.modTime) : undefined,
  }
  // Even where somebody takes it for HTML it must not be a script.
  return JSON.stringify(row).replaceAll('<', '\\u003c')
}

/** `2001-02-03T04:05:06.789000001Z`; the fraction is left out when there is none. */
function rfc3339(time: bigint): string {
  const seconds = toDate(time).toISOString().slice(0, 19)
  const fraction = String(subSecond(time)).padStart(9, '0').replace(/0+$/, '')
  return `${seconds}${fraction === '' ? '' : `.${fraction}`}Z`
}
