/** Where in an HTML document a piece of text stands; an action is escaped for the place it is in. */
export type State =
  | 'text'
  | 'tag'
  | 'attribute-name'
  | 'after-name'
  | 'before-value'
  | 'html-comment'
  /** Content of `<title>` and `<textarea>`: character references work, tags do not. */
  | 'rcdata'
  /** A plain attribute value. */
  | 'attribute'
  | 'url'
  | 'srcset'
  | 'js'
  | 'js-double'
  | 'js-single'
  | 'js-template'
  | 'js-regexp'
  | 'js-block-comment'
  | 'js-line-comment'
  | 'css'
  | 'css-double'
  | 'css-single'
  | 'css-double-url'
  | 'css-single-url'
  | 'css-url'
  | 'css-block-comment'
  | 'css-line-comment'

/** How far a URL has come: at its start a scheme could follow, after `?` or `#` only data. */
export type UrlPart = 'start' | 'path' | 'query' | 'unknown'
/** What a slash in a script would begin. */
export type Slash = 'regexp' | 'division' | 'unknown'
export type Delimiter = 'none' | 'double' | 'single' | 'blank'
export type Element = 'none' | 'script' | 'style' | 'textarea' | 'title'
export type AttributeKind = 'plain' | 'js' | 'script-type' | 'css' | 'url' | 'srcset'

export interface Context {
  readonly state: State
  readonly delimiter: Delimiter
  readonly urlPart: UrlPart
  readonly slash: Slash
  readonly attribute: AttributeKind
  readonly element: Element
}

/** The start of a page. */
export const start: Context = {
  state: 'text',
  delimiter: 'none',
  urlPart: 'start',
  slash: 'regexp',
  attribute: 'plain',
  element: 'none',
}

export function keyOf(c: Context): string {
  return `${c.state}/${c.delimiter}/${c.urlPart}/${c.slash}/${c.attribute}/${c.element}`
}

export function isSame(a: Context, b: Context): boolean {
  return keyOf(a) === keyOf(b)
}

export function isComment(state: State): boolean {
  return state.endsWith('-comment')
}

/** The state at the start of the content of an element. */
export const contentState: Readonly<Record<Element, State>> = {
  none: 'text',
  script: 'js',
  style: 'css',
  textarea: 'rcdata',
  title: 'rcdata',
}

/** The state at the start of the value of an attribute. */
export const valueState: Readonly<Record<AttributeKind, State>> = {
  plain: 'attribute',
  js: 'js',
  'script-type': 'attribute',
  css: 'css',
  url: 'url',
  srcset: 'srcset',
}

/** The context once a value follows where markup could also have gone on: `<a {{.}}`, `<a href={{.}}`. */
export function settle(c: Context): Context {
  if (c.state === 'tag') return { ...c, state: 'attribute-name' }
  if (c.state === 'before-value')
    return { ...c, state: valueState[c.attribute], delimiter: 'blank', attribute: 'plain' }
  if (c.state === 'after-name') return { ...c, state: 'attribute-name', attribute: 'plain' }
  return c
}

/** The context after one of two branches ran; undefined when they leave the page in different places. */
export function join(a: Context, b: Context): Context | undefined {
  if (isSame(a, b)) return a
  const url: Context = { ...a, urlPart: b.urlPart }
  if (isSame(url, b)) return { ...a, urlPart: 'unknown' }
  const slash: Context = { ...a, slash: b.slash }
  if (isSame(slash, b)) return { ...a, slash: 'unknown' }
  const [left, right] = [settle(a), settle(b)]
  return isSame(left, a) && isSame(right, b) ? undefined : join(left, right)
}

const urlAttributes = new Set(
  'action archive background cite classid codebase data formaction href icon longdesc manifest poster profile src usemap'.split(
    ' ',
  ),
)
const plainAttributes = new Set(
  (
    'abbr accept accesskey align alt aria axis bgcolor border bordercolor cellpadding cellspacing challenge char charoff ' +
    'checked class clear color cols colspan contenteditable contextmenu controls coords datetime default defer dir dirname ' +
    'disabled draggable dropzone for headers height hidden high hreflang id ismap keytype kind label lang list loop low max ' +
    'maxlength media mediagroup min multiple name novalidate nowrap open optimum placeholder preload pubdate readonly ' +
    'required reversed rows rowspan rules scope scoped seamless selected shape size sizes span spellcheck srclang start step ' +
    'summary tabindex target title wrap value valign width xml:lang'
  ).split(' '),
)

/** What the value of an attribute is, by its name in lower case. */
export function attributeKind(name: string, element: Element): AttributeKind {
  if (element === 'script' && name === 'type') return 'script-type'
  let bare = name
  if (bare.startsWith('data-')) bare = bare.slice(5)
  else if (bare.includes(':')) {
    if (bare.startsWith('xmlns:')) return 'url'
    bare = bare.slice(bare.indexOf(':') + 1)
  }
  if (bare === 'style') return 'css'
  if (bare === 'srcset') return 'srcset'
  if (urlAttributes.has(bare)) return 'url'
  if (plainAttributes.has(bare)) return 'plain'
  if (bare.startsWith('on')) return 'js'
  return /src|uri|url/.test(bare) ? 'url' : 'plain'
}

/** Attributes that an action may name: `<a {{.Name}}="x">` must not make a handler or a link. */
export function isHarmlessAttribute(name: string): boolean {
  const known = plainAttributes.has(name) || attributeKind(name, 'none') === 'plain'
  return (
    known &&
    !/^(?:async|charset|content|enctype|form|formenctype|formmethod|formnovalidate|http-equiv|method|nonce|pattern|rel|sandbox|srcdoc|type|language|crossorigin)$/.test(
      name,
    )
  )
}

const scriptTypes = new Set(
  (
    'application/ecmascript application/javascript application/json application/ld+json application/x-ecmascript ' +
    'application/x-javascript module text/ecmascript text/javascript text/javascript1.0 text/javascript1.1 ' +
    'text/javascript1.2 text/javascript1.3 text/javascript1.4 text/javascript1.5 text/jscript text/livescript ' +
    'text/x-ecmascript text/x-javascript text/template'
  ).split(' '),
)

/** Whether a `<script type=...>` holds a script, as opposed to markup for later. */
export function isScriptType(type: string): boolean {
  return scriptTypes.has((type.split(';', 1)[0] ?? '').trim().toLowerCase())
}
