import { hash } from 'node:crypto'
import { Markup, escapeHtml, markup, visibleName } from '../base/html.ts'
import { nameOf } from '../base/path.ts'
import { toMs } from '../base/time.ts'
import type { HeaderList } from '../http/message.ts'
import type { Entry } from '../remote/remote.ts'
import { hrefOf } from './href.ts'
import { iconUrl } from './icon.ts'
import { kindOf } from './kind.ts'
import { script, style } from './listing-style.ts'
import { uploadForm, uploadScript } from './listing-upload.ts'
import type { Renderer, View } from './listing-view.ts'
import { formatSize } from './listing-size.ts'
import type { SortKey } from './sort.ts'

const source = (text: string) => `'sha256-${hash('sha256', text, 'base64')}'`

/** Headers that go with the page: nothing may run or load but what is in it, and nobody may frame it. */
const policyOf = (scripts: string, referrer: string): HeaderList => [
  'content-security-policy',
  `default-src 'none'; style-src ${source(style)}; script-src ${scripts}; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`,
  'referrer-policy',
  referrer,
  'x-frame-options',
  'DENY',
]
export const policy = policyOf(source(script), 'no-referrer')
/** For a page that takes files: its script sends them, and the server has to see that a form comes from a page of its own. */
export const uploadPolicy = policyOf(`${source(script)} ${source(uploadScript)}; connect-src 'self'`, 'same-origin')

/**
 * The page of a directory. It works without scripts and styles; every entry is a plain relative link, all else is a button,
 * so that programs which follow links see the entries and nothing more.
 */
export function htmlRenderer(view: View, entries: readonly Entry[] | undefined): Renderer {
  return {
    head: `${head(view, entries)}\n`,
    row: rowMaker(view),
    tail: `</tbody></table></div></main>${scripts(view, entries)}</body></html>\n`,
  }
}

function scripts({ upload }: View, entries: readonly Entry[] | undefined): string {
  const wanted = [...(entries ? [script] : []), ...(upload ? [uploadScript] : [])]
  return wanted.map((text) => `<script>${text}</script>`).join('')
}

function head(view: View, entries: readonly Entry[] | undefined): string {
  const name = `/${view.path}${view.path === '' ? '' : '/'}`
  const columns = [column('name', 'Name', view, entries), column('size', 'Size', view, entries)]
  if (view.modTimes) columns.push(column('time', 'Modified', view, entries))
  if (view.zip) columns.push(markup`<th scope="col"><span class="off">Download</span>`)
  return markup`<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${view.title ?? `Index of ${visibleName(name)}`}</title>
<link rel="icon" href="${new Markup(iconUrl)}"><style>${new Markup(style)}</style></head><body>
<header>${breadcrumb(view.path)}<div class="top"><h1>${view.title ?? (visibleName(nameOf(view.path)) || 'Home')}</h1>${summary(entries)}${zipButton(view)}</div></header>
<main>${note(entries)}${view.upload === true && uploadForm()}<p class="filter" hidden><label>Filter <input type="search" autocomplete="off" spellcheck="false"></label> <output></output></p>
<form id="z"></form><div class="box"><table><caption class="off">Contents of ${visibleName(name)}</caption>
<thead><tr>${columns}</thead><tbody>${view.path !== '' && parentRow(view)}`.text
}

/** Links to all directories above; the last name is where we are. */
function breadcrumb(path: string): Markup {
  const names = ['Home', ...path.split('/').filter((name) => name !== '')]
  const items = names.map((name, i) =>
    i === names.length - 1
      ? markup`<li aria-current="page">${visibleName(name)}`
      : markup`<li><a href="${'../'.repeat(names.length - 1 - i)}">${visibleName(name)}</a>`,
  )
  return markup`<nav aria-label="Breadcrumb"><ol>${items}</ol></nav>`
}

function summary(entries: readonly Entry[] | undefined): Markup {
  if (!entries) return markup``
  let directories = 0
  let bytes = 0
  for (const entry of entries)
    if (entry.kind === 'directory') directories++
    else bytes += Math.max(0, entry.size)
  const files = entries.length - directories
  return markup`<p class="sum">${count(directories, 'directory', 'directories')}, ${count(files, 'file', 'files')}, ${formatSize(bytes)}</p>`
}

function count(n: number, one: string, many: string): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`
}

function note(entries: readonly Entry[] | undefined): Markup | false {
  return (
    !entries &&
    markup`<p class="note">There are too many entries here to sort: they are shown as the storage lists them.</p>`
  )
}

function zipButton(view: View): Markup | false {
  return view.zip && markup`<form><button class="zip" name="download" value="zip">Download as ZIP</button></form>`
}

/** A column head with the button that sorts by it; a second press turns the order round. */
function column(key: SortKey, text: string, view: View, entries: readonly Entry[] | undefined): Markup {
  const label = key === 'time' ? markup`${text} <small>UTC</small>` : markup`${text}`
  if (!entries) return markup`<th scope="col">${label}`
  const { order } = view
  const sorted = order.key === key || (key === 'name' && order.key === 'namedirfirst')
  // Largest and newest first is what people look for.
  const descending = sorted ? !order.descending : key !== 'name'
  const state = sorted && new Markup(` aria-sort="${order.descending ? 'descending' : 'ascending'}"`)
  const by = key === 'name' ? (sorted ? order.key : 'namedirfirst') : key
  const direction = descending ? 'desc' : 'asc'
  return markup`<th scope="col"${state}><form><input type="hidden" name="order" value="${direction}"><button name="sort" value="${by}">${label}</button></form>`
}

function parentRow(view: View): Markup {
  const empty = new Markup('<td>'.repeat(1 + (view.modTimes ? 1 : 0) + (view.zip ? 1 : 0)))
  return markup`
<tr class="u"><td><a href="../">..<span class="off"> (parent directory)</span></a>${empty}`
}

const harmless = /^[\w.~-]+$/

/** Rows are put together by hand: there may be very many. */
function rowMaker({ zip, modTimes }: View): Renderer['row'] {
  const time = timeMaker()
  return (entry) => {
    const name = nameOf(entry.path)
    const directory = entry.kind === 'directory'
    const plain = harmless.test(name)
    const slash = directory ? '/' : ''
    const href = plain ? name + slash : escapeHtml(hrefOf(name, directory))
    const text = plain ? href : `<bdi>${escapeHtml(visibleName(name))}${slash}</bdi>`
    const icon = directory ? 'd' : kindOf(name)
    let row = `<tr class="${icon}"><td><a href="${href}">${text}</a><td>`
    row += directory ? '&mdash;' : entry.size < 0 ? '?' : `<data value="${entry.size}">${formatSize(entry.size)}</data>`
    if (modTimes) row += `<td>${time(entry)}`
    if (zip) row += directory ? zipCell(href, name) : '<td>'
    return `${row}\n`
  }
}

/** A button and not a link, so that programs which follow links do not download everything twice. */
function zipCell(href: string, name: string): string {
  const label = escapeHtml(visibleName(name))
  return `<td><button form="z" formaction="${href}" name="download" value="zip" aria-label="Download ${label} as ZIP">ZIP</button>`
}

const two = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, '0'))
const dayMs = 86_400_000

/** Writes times. Each day's date is worked out once: entries of one directory share few of them. */
function timeMaker(): (entry: Entry) => string {
  const dates = new Map<number, string>()
  return ({ modTime }) => {
    if (modTime <= 0n) return '&mdash;'
    const seconds = Math.floor(toMs(modTime) / 1000)
    const day = Math.floor(seconds / 86_400)
    let date = dates.get(day)
    if (date === undefined) dates.set(day, (date = new Date(day * dayMs).toISOString().slice(0, 10)))
    const rest = seconds - day * 86_400
    const minute = `${two[Math.floor(rest / 3600)]}:${two[Math.floor(rest / 60) % 60]}`
    return `<time datetime="${date}T${minute}:${two[rest % 60]}Z">${date} ${minute}</time>`
  }
}
