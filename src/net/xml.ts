import { Parser } from 'htmlparser2'
import type { Body } from '../base/body.ts'
import { AppError } from '../base/error.ts'

/** An element of a document. Namespaces are those that everybody uses: names are told without their prefix. */
export interface XmlElement {
  readonly name: string
  /** The text right within it, entities resolved. */
  readonly text: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
}

interface Growing {
  /** Where its tag begins, to know a tag that closes itself. */
  readonly at: number
  readonly name: string
  text: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: Growing[]
}

/** Characters of text in one element that is kept; more is no answer of a storage. */
const MAX_TEXT = 16 * 1024 * 1024
const MAX_DEPTH = 64

/** Reads a document that is small: the answer to one call. Throws `io` when it is no XML or ends early. */
export async function parseXml(body: Body): Promise<XmlElement> {
  for await (const element of xmlElements(body)) return element
  throw new AppError('io', 'the server sent an answer that is not XML', { retry: 'now' })
}

/**
 * The elements of those names, each once it is complete, so that a long listing is never held as a whole; without names, the
 * one element that holds all. Definitions of entities are not looked at. Throws `io` for a document that ends early.
 */
export async function* xmlElements(body: Body, ...names: readonly string[]): AsyncGenerator<XmlElement> {
  const wanted = new Set(names)
  const found: XmlElement[] = []
  const open: Growing[] = []
  let roots = 0
  let broken = false
  const parser = new Parser(
    {
      onopentag(tag, attributes) {
        if (open.length >= MAX_DEPTH) throw new AppError('io', 'the server sent XML that is nested too deep')
        if (open.length === 0) roots++
        open.push({ at: parser.startIndex, name: tag.slice(tag.indexOf(':') + 1), text: '', attributes, children: [] })
      },
      ontext(text) {
        const element = open.at(-1)
        if (!element) return
        element.text += text
        if (element.text.length > MAX_TEXT) throw new AppError('io', 'the server sent XML with a text that is too long')
      },
      onclosetag(_tag, implied) {
        const element = open.pop()
        if (!element) return
        if (implied && element.at !== parser.startIndex) broken = true
        if (wanted.size > 0 ? wanted.has(element.name) : open.length === 0) found.push(element)
        // What is taken above is not kept in what it is within; a document that is taken in pieces is not kept at all.
        else if (wanted.size === 0 || open.some(({ name }) => wanted.has(name))) open.at(-1)?.children.push(element)
      },
    },
    { xmlMode: true },
  )
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    parser.write(decoder.decode(chunk, { stream: true }))
    yield* found.splice(0)
  }
  const whole = roots > 0 && open.length === 0 && !broken
  parser.end(decoder.decode())
  if (!whole) throw new AppError('io', 'the server sent XML that ends early', { retry: 'now' })
  yield* found
}

/** The first child of that name; a path of names leads on. */
export function childOf(element: XmlElement | undefined, ...names: readonly string[]): XmlElement | undefined {
  return names.reduce((at, name) => at?.children.find((child) => child.name === name), element)
}

/** The text of the child at that path, without space around it; undefined when there is none. */
export function textOf(element: XmlElement | undefined, ...names: readonly string[]): string | undefined {
  return childOf(element, ...names)?.text.trim()
}

const escapes: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Text for an element or an attribute. Control characters become references, which XML 1.0 lets few parsers refuse. */
export function escapeXml(text: string): string {
  return text.replaceAll(
    // oxlint-disable-next-line no-control-regex -- those are meant
    /[&<>"\0-\x1f]/g,
    (c) => escapes[c] ?? `&#${c.charCodeAt(0)};`,
  )
}
