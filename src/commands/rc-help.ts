import { AppError } from '../base/error.ts'
import { nearest } from '../base/nearest.ts'
import { methodHelp } from '../rc/help.ts'
import { allMethods } from '../rc/methods/index.ts'

/** The text for `sluice help rc METHOD`; of a part before the slash, one line for each method. Throws `usage`. */
export function rcHelp(wanted: string): string {
  const path = wanted.replace(/^\/+|\/+$/g, '')
  const { all } = allMethods()
  const method = all.find((one) => one.path === path)
  if (method) return `${method.path}: ${method.title}\n\n${methodHelp(method)}`
  const group = all.filter((one) => path === 'all' || one.path.startsWith(`${path}/`))
  if (group.length > 0) return group.map((one) => `${one.path.padEnd(34)} ${one.title}\n`).join('')
  const hint = nearest(
    path,
    all.map((one) => one.path),
  )
  throw new AppError(
    'usage',
    `there is no method ${JSON.stringify(path)}.${hint ? ` Did you mean "${hint}"?` : ''} See: sluice help rc all`,
  )
}
