/** What a template text is made of, after parsing. Lines count from 1. */
export type TemplateNode =
  | { readonly kind: 'text'; readonly text: string; readonly line: number }
  | ActionNode
  | BranchNode
  | CallNode
  | { readonly kind: 'break' | 'continue'; readonly line: number }

/** `{{pipeline}}`: prints unless it only sets variables. The escapers are added by the contextual escaper. */
export interface ActionNode {
  readonly kind: 'action'
  readonly line: number
  readonly pipe: Pipe
  readonly escapers?: readonly string[]
}

export interface BranchNode {
  readonly kind: 'if' | 'with' | 'range'
  readonly line: number
  readonly pipe: Pipe
  readonly list: readonly TemplateNode[]
  readonly otherwise: readonly TemplateNode[] | undefined
}

/** `{{template "name" pipeline}}` */
export interface CallNode {
  readonly kind: 'template'
  readonly line: number
  readonly name: string
  readonly pipe: Pipe | undefined
}

export interface Pipe {
  readonly line: number
  /** Variables that take the value: declared by `:=`, or changed by `=`. */
  readonly variables: readonly string[]
  readonly assigns: boolean
  readonly commands: readonly Command[]
}

export interface Command {
  readonly line: number
  readonly operands: readonly Operand[]
}

export type Operand =
  | { readonly kind: 'dot' | 'nil' }
  | { readonly kind: 'literal'; readonly value: string | bigint | number | boolean; readonly text: string }
  | { readonly kind: 'function'; readonly name: string }
  /** `.A.B`, `$x.A`, `(pipe).A`: names looked up one after the other. */
  | { readonly kind: 'field'; readonly names: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly names: readonly string[] }
  | { readonly kind: 'chain'; readonly of: Operand; readonly names: readonly string[] }
  | { readonly kind: 'pipe'; readonly pipe: Pipe }

/** A mistake in a template, with the place: `template: page.html:3: ...`. */
export class TemplateError extends Error {
  constructor(place: { readonly name: string; readonly line: number }, message: string) {
    super(`template: ${place.name}:${place.line}: ${message}`)
    this.name = 'TemplateError'
  }
}

/** An operand as it was written, for messages. */
export function show(operand: Operand): string {
  switch (operand.kind) {
    case 'dot':
      return '.'
    case 'nil':
      return 'nil'
    case 'literal':
      return operand.text
    case 'function':
      return operand.name
    case 'field':
      return `.${operand.names.join('.')}`
    case 'variable':
      return [operand.name, ...operand.names].join('.')
    case 'chain':
      return [show(operand.of), ...operand.names].join('.')
    default:
      return `(${operand.pipe.commands.map((c) => c.operands.map(show).join(' ')).join(' | ')})`
  }
}
