import { escapeTemplates } from './escape.ts'
import { execute } from './execute.ts'
import { functions } from './functions.ts'
import { parse } from './parse.ts'
import type { Value } from './value.ts'

/** A page template that is ready to run. */
export interface Template {
  readonly name: string
  /** The page for the data. Throws a TemplateError with the line when the template asks for what is not there. */
  render(data: Value): string
}

/**
 * Reads a page template in the language of Go's html/template, with the functions that rclone gives to its templates
 * (`afterEpoch`, `contains`, `hasPrefix`, `hasSuffix`). Every value is escaped for the place it stands in: text, attribute,
 * URL, script or style. Mistakes that can be found without data throw a TemplateError with the line.
 *
 * What differs from Go: no complex numbers, no function values; texts are Unicode, `len`, `index` and `slice` count bytes
 * as Go does but a cut character shows as U+FFFD; zones other than UTC show as offsets; actions inside JavaScript template
 * literals are refused; error messages are worded differently.
 */
export function compileTemplate(name: string, text: string): Template {
  const templates = escapeTemplates(parse(name, text, new Set(Object.keys(functions))), name)
  return { name, render: (data) => execute(templates, name, functions, data) }
}
