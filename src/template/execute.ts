import { escapers } from './escapers.ts'
import type { TemplateFunction } from './functions.ts'
import { TemplateError, show } from './node.ts'
import type { ActionNode, BranchNode, CallNode, Command, Operand, Pipe, TemplateNode } from './node.ts'
import type { Templates } from './parse.ts'
import { plain, sortedKeys } from './print.ts'
import { Native, asInteger, isList, isMap, isStruct, isTrue, typeOf } from './value.ts'
import type { Value } from './value.ts'

/** Templates that call each other deeper than this never come to an end. */
const deepest = 1000

type Leave = 'break' | 'continue' | undefined

/** Runs the template `name` of a set over the data and gives what it printed. Mistakes throw a TemplateError with the line. */
export function execute(
  templates: Templates,
  name: string,
  functions: Readonly<Record<string, TemplateFunction>>,
  data: Value,
): string {
  const run = new Run(templates, name, functions)
  run.template(name, data, 0)
  return run.text
}

class Run {
  text = ''
  readonly #templates: Templates
  readonly #functions: Readonly<Record<string, TemplateFunction>>
  readonly #name: string

  constructor(templates: Templates, name: string, functions: Readonly<Record<string, TemplateFunction>>) {
    this.#templates = templates
    this.#name = name
    this.#functions = functions
  }

  template(name: string, data: Value, line: number, depth = 0): void {
    const nodes = this.#templates.get(name)
    if (!nodes) throw new TemplateError({ name: this.#name, line }, `template ${JSON.stringify(name)} not defined`)
    new Frame(this, data, depth).walk(nodes, data)
  }

  function(name: string): TemplateFunction {
    return this.#functions[name] as TemplateFunction
  }

  fail(line: number, what: string, problem: unknown): never {
    const message = problem instanceof Error ? problem.message : String(problem)
    throw new TemplateError(
      { name: this.#name, line },
      `executing ${JSON.stringify(this.#name)} at <${what}>: ${message}`,
    )
  }
}

/** One template at work: its variables. */
class Frame {
  readonly #run: Run
  readonly #depth: number
  readonly #variables: { readonly name: string; value: Value }[]

  constructor(run: Run, data: Value, depth: number) {
    this.#run = run
    this.#depth = depth
    this.#variables = [{ name: '$', value: data }]
  }

  walk(nodes: readonly TemplateNode[], dot: Value): Leave {
    for (const node of nodes) {
      switch (node.kind) {
        case 'text':
          this.#run.text += node.text
          break
        case 'action':
          this.#action(node, dot)
          break
        case 'template':
          this.#call(node, dot)
          break
        case 'break':
        case 'continue':
          return node.kind
        default: {
          const leave = node.kind === 'range' ? this.#range(node, dot) : this.#choose(node, dot)
          if (leave) return leave
        }
      }
    }
    return undefined
  }

  #action(node: ActionNode, dot: Value): void {
    let value = this.#pipe(node.pipe, dot)
    if (node.pipe.variables.length > 0) return
    for (const name of node.escapers ?? []) value = escapers[name]?.(value)
    this.#run.text += plain(value)
  }

  #call(node: CallNode, dot: Value): void {
    if (this.#depth >= deepest) this.#run.fail(node.line, node.name, 'exceeded maximum template depth')
    this.#run.template(node.name, node.pipe ? this.#pipe(node.pipe, dot) : null, node.line, this.#depth + 1)
  }

  #choose(node: BranchNode, dot: Value): Leave {
    const scope = this.#variables.length
    const value = this.#pipe(node.pipe, dot)
    let leave: Leave
    if (isTrue(value)) leave = this.walk(node.list, node.kind === 'with' ? value : dot)
    else if (node.otherwise) leave = this.walk(node.otherwise, dot)
    this.#variables.length = scope
    return leave
  }

  #range(node: BranchNode, dot: Value): Leave {
    const scope = this.#variables.length
    const value = this.#pipe(node.pipe, dot)
    const inner = this.#variables.length
    let rounds = 0
    let leave: Leave
    for (const [key, item] of this.#items(value, node)) {
      rounds++
      this.#setRound(node.pipe, key, item)
      leave = this.walk(node.list, item)
      this.#variables.length = inner
      if (leave === 'break') break
    }
    leave = undefined
    if (rounds === 0 && node.otherwise) leave = this.walk(node.otherwise, dot)
    this.#variables.length = scope
    return leave
  }

  /** The variables of a range: the last one is the item, the first of two its key. */
  #setRound({ variables }: Pipe, key: Value, item: Value): void {
    const values = variables.length === 2 ? [key, item] : [item]
    for (const [i, name] of variables.entries()) this.#slot(name).value = values[i]
  }

  *#items(value: Value, node: BranchNode): Generator<[Value, Value]> {
    if (value === null || value === undefined) return
    if (isList(value)) {
      for (const [i, item] of value.entries()) yield [BigInt(i), item]
      return
    }
    if (isMap(value)) {
      for (const key of sortedKeys(value)) yield [key, value.get(key)]
      return
    }
    if (typeof value !== 'bigint')
      this.#run.fail(node.line, this.#shown(node.pipe), `range can't iterate over ${plain(value)}`)
    for (let i = 0n; i < value; i++) yield [i, i]
  }

  #shown(pipe: Pipe): string {
    return pipe.commands.map((command) => command.operands.map(show).join(' ')).join(' | ')
  }

  #slot(name: string): { value: Value } {
    for (let i = this.#variables.length - 1; i >= 0; i--) {
      const variable = this.#variables[i]
      if (variable?.name === name) return variable
    }
    throw new TypeError(`the parser let an undeclared variable pass: ${name}`)
  }

  #pipe(pipe: Pipe, dot: Value): Value {
    let value: Value
    for (const [i, command] of pipe.commands.entries()) value = this.#command(command, dot, i === 0 ? [] : [value])
    for (const name of pipe.variables)
      if (pipe.assigns) this.#slot(name).value = value
      else this.#variables.push({ name, value })
    return value
  }

  #command({ operands, line }: Command, dot: Value, final: readonly Value[]): Value {
    const [first, ...rest] = operands as [Operand, ...Operand[]]
    const at = { line, dot }
    switch (first.kind) {
      case 'function':
        return this.#function(first.name, rest, final, at)
      case 'field':
        return this.#fields(dot, first, first.names, this.#arguments(rest, final, at), line)
      case 'variable':
        if (first.names.length > 0)
          return this.#fields(this.#slot(first.name).value, first, first.names, this.#arguments(rest, final, at), line)
        break
      case 'chain':
        return this.#fields(this.#operand(first.of, at), first, first.names, this.#arguments(rest, final, at), line)
    }
    if (rest.length > 0 || final.length > 0)
      this.#run.fail(line, show(first), `can't give argument to non-function ${show(first)}`)
    return this.#operand(first, at)
  }

  #arguments(rest: readonly Operand[], final: readonly Value[], at: Place): Value[] {
    return [...rest.map((operand) => this.#operand(operand, at)), ...final]
  }

  #operand(operand: Operand, at: Place): Value {
    switch (operand.kind) {
      case 'dot':
        return at.dot
      case 'nil':
        return null
      case 'literal':
        return operand.value
      case 'function':
        return this.#function(operand.name, [], [], at)
      case 'field':
        return this.#fields(at.dot, operand, operand.names, [], at.line)
      case 'variable':
        return this.#fields(this.#slot(operand.name).value, operand, operand.names, [], at.line)
      case 'chain':
        return this.#fields(this.#operand(operand.of, at), operand, operand.names, [], at.line)
      default:
        return this.#pipe(operand.pipe, at.dot)
    }
  }

  #function(name: string, rest: readonly Operand[], final: readonly Value[], at: Place): Value {
    const count = rest.length + final.length
    const { least, most = least, call } = this.#run.function(name)
    if (count < least || count > most) {
      const wanted = most === least ? `want ${least}` : `want at least ${least}`
      this.#run.fail(at.line, name, `wrong number of args for ${name}: ${wanted} got ${count}`)
    }
    if (name === 'and' || name === 'or') return this.#shortCircuit(name === 'or', rest, final, at)
    const args = this.#arguments(rest, final, at)
    try {
      return call(args)
    } catch (error) {
      if (error instanceof TemplateError) throw error
      return this.#run.fail(
        at.line,
        name,
        `error calling ${name}: ${error instanceof Error ? error.message : String(error)}`,
      )
    }
  }

  #shortCircuit(until: boolean, rest: readonly Operand[], final: readonly Value[], at: Place): Value {
    let value: Value
    for (const operand of rest) {
      value = this.#operand(operand, at)
      if (isTrue(value) === until) return value
    }
    return final.length > 0 ? final[0] : value
  }

  /** Looks names up one after the other; arguments go to the last one, which must then be a method. */
  #fields(receiver: Value, operand: Operand, names: readonly string[], args: readonly Value[], line: number): Value {
    let value = receiver
    for (const [i, name] of names.entries()) {
      try {
        value = member(value, name, i === names.length - 1 ? args : [])
      } catch (error) {
        this.#run.fail(line, show(operand), error)
      }
    }
    return value
  }
}

interface Place {
  readonly line: number
  readonly dot: Value
}

function member(value: Value, name: string, args: readonly Value[]): Value {
  if (value === null || value === undefined) throw new Error(`nil data; no entry for key ${JSON.stringify(name)}`)
  if (value instanceof Native) return callMethod(value, name, args)
  if (isStruct(value) && Object.hasOwn(value, name)) {
    if (args.length > 0) throw new Error(`${name} has arguments but cannot be invoked as function`)
    return value[name]
  }
  if (isMap(value)) return value.get(name)
  throw new Error(`can't evaluate field ${name} in type ${typeOf(value)}`)
}

function callMethod(value: Native, name: string, args: readonly Value[]): Value {
  const method = Object.hasOwn(value.methods, name) ? value.methods[name] : undefined
  if (!method) throw new Error(`can't evaluate field ${name} in type ${value.type}`)
  const { parameters } = method
  if (args.length !== parameters.length)
    throw new Error(`wrong number of args for ${name}: want ${parameters.length} got ${args.length}`)
  const checked = parameters.map((kind, i) => {
    const arg = args[i]
    const fits =
      kind === 'string'
        ? typeof arg === 'string'
        : kind === 'integer'
          ? asInteger(arg) !== undefined
          : typeOf(arg) === value.type
    if (!fits)
      throw new Error(`wrong type for value; expected ${kind === 'same' ? value.type : kind}; got ${typeOf(arg)}`)
    return kind === 'integer' ? asInteger(arg) : arg
  })
  return method.call(value, ...checked)
}
