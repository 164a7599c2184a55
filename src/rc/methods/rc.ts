import { AppError } from '../../base/error.ts'
import { ordered } from '../../base/json.ts'
import { listOf, object } from '../../schema/params.ts'
import { floatText } from '../../template/number.ts'
import { required } from '../../schema/field.ts'
import { methodHelp } from '../help.ts'
import { Answer, method, type Method, nothing } from '../method.ts'

const echo = 'Gives back the parameters it was called with: to see that a connection works and how parameters are read.'

export const rcMethods = [
  method({
    path: 'rc/noop',
    title: 'Echo the input to the output parameters',
    help: echo,
    open: true,
    input: nothing,
    output: nothing,
    run: ({ raw }) => new Answer(raw),
  }),
  method({
    path: 'rc/noopauth',
    title: 'Echo the input to the output parameters requiring auth',
    help: echo,
    input: nothing,
    output: nothing,
    run: ({ raw }) => new Answer(raw),
  }),
  method({
    path: 'rc/error',
    title: 'This returns an error',
    help: 'Gives an error with the input in its text: to see how errors arrive.',
    open: true,
    input: nothing,
    output: nothing,
    run({ raw }) {
      throw new AppError('invalid', `arbitrary error on input ${goText(raw)}`)
    },
  }),
  method({
    path: 'rc/panic',
    title: 'This returns an error by panicking',
    help: 'Fails as a mistake in the program would: to see that the server goes on.',
    input: nothing,
    output: nothing,
    run({ raw }) {
      throw new TypeError(`arbitrary error on input ${goText(raw)}`)
    },
  }),
  method({
    path: 'rc/fatal',
    title: 'This ends the program with an error',
    help: 'To see how its surroundings take that.',
    input: nothing,
    output: nothing,
    run({ raw, services }) {
      services.ctx.log.error(`arbitrary error on input ${goText(raw)}`)
      services.program.quit(1)
    },
  }),
  method({
    path: 'rc/list',
    title: 'List all the registered remote control commands',
    help: 'Each with its `Path`, `Title` and `Help` in Markdown, and whether it needs a login.',
    open: true,
    input: nothing,
    output: { commands: required(listOf(object), 'The methods, in order of their paths') },
    run: ({ services }) => ({ commands: services.methods.all.map(described) }),
  }),
] as const

function described(one: Method): Readonly<Record<string, unknown>> {
  const { path, title, open, needs } = one
  return ordered({
    Path: path,
    Title: title,
    AuthRequired: open !== true,
    NoAuth: open === true,
    Help: methodHelp(one),
    NeedsRequest: needs === 'request',
    NeedsResponse: needs === 'response',
  })
}

/** A value as Go prints it: `map[a:1 b:[x y]]`, keys in order. */
function goText(value: unknown): string {
  if (value === null || value === undefined) return '<nil>'
  if (Array.isArray(value)) return `[${value.map(goText).join(' ')}]`
  if (typeof value === 'number') return floatText(value, 'g', undefined)
  if (typeof value !== 'object') return `${value as string | boolean}`
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return `map[${fields.map(([key, item]) => `${key}:${goText(item)}`).join(' ')}]`
}
