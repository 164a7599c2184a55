import { parseRegex, type RegexNode } from './regex-syntax.ts'

/**
 * A regular expression of Go's RE2 dialect that says whether a text matches anywhere. Matching takes time in proportion to the
 * length of the text, whatever the pattern: patterns of users meet paths of strangers here, and an engine that backtracks
 * could be kept busy for hours. Bounds: a pattern has at most 10,000 steps, and 500 states of the automaton are kept.
 */
export class Regex {
  readonly source: string
  readonly #program: Step[]
  readonly #first: number
  /** True when a match may begin anywhere. */
  readonly #floating: boolean
  /** True when a step looks at what stands before it. */
  readonly #looksBack: boolean
  readonly #states = new Map<string, State>()
  #start: State

  /** Throws an Error in Go's words when `source` is not valid. */
  constructor(source: string) {
    this.source = source
    const tree = parseRegex(source)
    this.#program = [{ kind: 'match' }]
    this.#first = compile(this.#program, tree, 0)
    this.#floating = !beginsAtStart(tree)
    this.#looksBack = this.#program.some(
      (step) => step.kind === 'assert' && step.what !== 'start' && step.what !== 'end',
    )
    this.#start = this.#stateOf([this.#first], 'start')
  }

  test(text: string): boolean {
    let state = this.#start
    for (let at = 0; at < text.length;) {
      const code = text.codePointAt(at) ?? 0
      at += code > 0xffff ? 2 : 1
      state = (code < 128 ? state.ascii[code] : state.wide.get(code)) ?? this.#advance(state, code)
      if (state === matched) return true
      if (state === dead) return false
    }
    return (state.accepts ??= this.#close(state.seeds, state.before, 'end') === undefined)
  }

  /** The state after one more code point; remembered in the state before it. */
  #advance(state: State, code: number): State {
    const kind = kindOf(code)
    const open = this.#close(state.seeds, state.before, kind)
    let next = matched
    if (open) {
      const seeds = new Set(this.#floating ? [this.#first] : [])
      for (const step of open) if (step.test(code)) seeds.add(step.next)
      next = seeds.size === 0 ? dead : this.#stateOf([...seeds], this.#looksBack ? kind : 'other')
    }
    if (code < 128) state.ascii[code] = next
    else state.wide.set(code, next)
    return next
  }

  #stateOf(seeds: number[], before: Before): State {
    const key = `${before} ${seeds.sort((a, b) => a - b).join(' ')}`
    let state = this.#states.get(key)
    if (state) return state
    if (this.#states.size >= MAX_STATES) {
      // Forget all and begin anew: the time stays linear, only the memory of earlier texts is lost.
      this.#states.clear()
      this.#start = newState([this.#first], 'start')
    }
    this.#states.set(key, (state = newState(seeds, before)))
    return state
  }

  /** The steps that wait for a code point, reached from `seeds` without one. Undefined when the end of the pattern is reached. */
  #close(seeds: readonly number[], before: Before, after: After): SetStep[] | undefined {
    const open: SetStep[] = []
    const seen = new Set<number>()
    const stack = [...seeds]
    for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
      if (seen.has(index)) continue
      seen.add(index)
      const step = this.#program[index] as Step
      if (step.kind === 'match') return undefined
      if (step.kind === 'set') open.push(step)
      else if (step.kind === 'split') stack.push(step.next, step.other)
      else if (holds[step.what](before, after)) stack.push(step.next)
    }
    return open
  }
}

type Kind = 'word' | 'newline' | 'other'
type Before = Kind | 'start'
type After = Kind | 'end'
type Assertion = Extract<RegexNode, { kind: 'assert' }>['what']

interface SetStep {
  readonly kind: 'set'
  readonly test: (code: number) => boolean
  readonly next: number
}
type Step =
  | SetStep
  | { readonly kind: 'match' }
  | { readonly kind: 'split'; readonly next: number; other: number }
  | { readonly kind: 'assert'; readonly what: Assertion; readonly next: number }

interface State {
  readonly seeds: readonly number[]
  readonly before: Before
  readonly ascii: (State | undefined)[]
  readonly wide: Map<number, State>
  accepts: boolean | undefined
}

const MAX_STEPS = 10_000
const MAX_STATES = 500

function newState(seeds: readonly number[], before: Before): State {
  return { seeds, before, ascii: [], wide: new Map(), accepts: undefined }
}

const matched: State = Object.freeze(newState([], 'other'))
const dead: State = Object.freeze(newState([], 'other'))

/** Adds the steps of `node`, which go on at step `next`; gives the first of them. */
function compile(program: Step[], node: RegexNode, next: number): number {
  if (node.kind === 'set') return add(program, { kind: 'set', test: node.test, next })
  if (node.kind === 'assert') return add(program, { kind: 'assert', what: node.what, next })
  if (node.kind === 'sequence') return node.nodes.reduceRight((after, part) => compile(program, part, after), next)
  if (node.kind === 'choice')
    return node.nodes
      .map((part) => compile(program, part, next))
      .reduceRight((rest, first) => add(program, { kind: 'split', next: first, other: rest }))
  return compileRepeat(program, node, next)
}

function compileRepeat(program: Step[], repeat: Extract<RegexNode, { kind: 'repeat' }>, next: number): number {
  let at = next
  if (repeat.max === Infinity) {
    const loop: Step = { kind: 'split', next: next, other: next }
    at = add(program, loop)
    loop.other = compile(program, repeat.node, at)
  } else
    for (let i = repeat.min; i < repeat.max; i++)
      at = add(program, { kind: 'split', next, other: compile(program, repeat.node, at) })
  for (let i = 0; i < repeat.min; i++) at = compile(program, repeat.node, at)
  return at
}

function add(program: Step[], step: Step): number {
  if (program.length >= MAX_STEPS) throw new Error('error parsing regexp: expression too large')
  return program.push(step) - 1
}

/** True when each match begins at the start of the text. */
function beginsAtStart(node: RegexNode): boolean {
  if (node.kind === 'assert') return node.what === 'start'
  if (node.kind === 'sequence') return node.nodes[0] !== undefined && beginsAtStart(node.nodes[0])
  return node.kind === 'choice' && node.nodes.every(beginsAtStart)
}

function kindOf(code: number): Kind {
  if (code === 10) return 'newline'
  const word = (code >= 48 && code <= 57) || (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code === 95
  return word ? 'word' : 'other'
}

const holds: Readonly<Record<Assertion, (before: Before, after: After) => boolean>> = {
  start: (before) => before === 'start',
  end: (_, after) => after === 'end',
  'line-start': (before) => before === 'start' || before === 'newline',
  'line-end': (_, after) => after === 'end' || after === 'newline',
  word: (before, after) => (before === 'word') !== (after === 'word'),
  'not-word': (before, after) => (before === 'word') === (after === 'word'),
}
