import type { Field, Shape } from '../schema/field.ts'
import type { Method } from './method.ts'

/** What there is to know of a method beside its title, in Markdown: for `rc/list`, and for the reference. */
export function methodHelp({ help, input, output, needs }: Method): string {
  const parts = [
    help?.trim() ?? '',
    needs === 'request' ? 'The parameters stand in the URL; the body of the request is the data.' : '',
    fields('Parameters', input),
    fields('Results', output),
  ]
  return parts
    .filter((part) => part !== '')
    .map((part) => `${part}\n`)
    .join('\n')
}

function fields(heading: string, shape: Shape): string {
  const lines = Object.entries(shape).map(([name, field]) => `- ${name}: ${typeText(field)}. ${field.help}`)
  return lines.length === 0 ? '' : `${heading}:\n\n${lines.join('\n')}`
}

function typeText({ type, required }: Field<unknown>): string {
  const { schema } = type
  const name = typeof schema.type === 'string' ? schema.type : Array.isArray(schema.anyOf) ? 'any, or null' : 'any'
  return required ? name : `${name}, optional`
}
