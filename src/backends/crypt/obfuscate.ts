import { AppError } from '../../base/error.ts'

const QUOTE = '!'

/**
 * Turns the letters and digits of a name by an amount that depends on the name and the key: it hides names from a glance, no
 * more (serve-http.md 3.10). Gives `AMOUNT.text`.
 */
export function obfuscated(name: string, key: Uint8Array): string {
  if (name === '') return ''
  // Bytes that are not UTF-8 stay as they are.
  if (name.includes('\uFFFD') || !name.isWellFormed()) return `${QUOTE}.${name}`
  let amount = 0
  for (const char of name) amount += codeOf(char)
  amount %= 256
  const turn = amount + sumOf(key)
  return `${amount}.${Array.from(name, (char) => turned(char, turn)).join('')}`
}

/** The name that `obfuscated` wrote. Throws `invalid` for a text that it cannot have written. */
export function clarified(text: string, key: Uint8Array): string {
  if (text === '') return ''
  const [, head = '', rest] = /^(\d+|!)\.(.*)$/s.exec(text) ?? []
  if (rest === undefined) throw notEncrypted()
  if (head === QUOTE) return rest
  const turn = Number(head) + sumOf(key)
  let name = ''
  let quoted = false
  for (const char of rest) {
    if (!quoted && char === QUOTE) {
      quoted = true
      continue
    }
    name += quoted ? char : turnedBack(char, turn)
    quoted = false
  }
  return name
}

export function notEncrypted(): AppError {
  return new AppError('invalid', 'not an encrypted file')
}

/** Characters that turn among themselves: `size` of them from the code `base` on, of which this is number `at`. */
interface Wheel {
  readonly base: number
  readonly size: number
  readonly at: number
  readonly step: number
}

/** The letters of both cases are one wheel, although other characters lie between them. */
const BETWEEN_CASES = 6
const LETTERS = 52

function wheelOf(char: string, turn: number): Wheel | undefined {
  const code = codeOf(char)
  if (/[0-9]/.test(char)) return { base: 0x30, size: 10, at: code - 0x30, step: (turn % 9) + 1 }
  if (/[A-Za-z]/.test(char)) {
    const at = code - 0x41 - (code >= 0x61 ? BETWEEN_CASES : 0)
    return { base: 0x41, size: LETTERS, at, step: (turn % 25) + 1 }
  }
  if (code >= 0xa0 && code <= 0xff) return { base: 0xa0, size: 96, at: code - 0xa0, step: (turn % 95) + 1 }
  if (code >= 0x100) return { base: code - (code % 256), size: 256, at: code % 256, step: (turn % 127) + 1 }
  return undefined
}

/** The code that lies `step` further on the wheel. */
function moved({ base, size, at }: Wheel, step: number): number {
  const to = (at + step + size) % size
  return base + to + (size === LETTERS && to >= LETTERS / 2 ? BETWEEN_CASES : 0)
}

function turned(char: string, turn: number): string {
  if (char === QUOTE) return QUOTE + QUOTE
  const wheel = wheelOf(char, turn)
  if (!wheel) return char
  const code = moved(wheel, wheel.step)
  // Half of a surrogate pair, or what lies behind the last plane, is no character.
  return (code >= 0xd800 && code < 0xe000) || code > 0x10ffff ? QUOTE + char : String.fromCodePoint(code)
}

function turnedBack(char: string, turn: number): string {
  const wheel = wheelOf(char, turn)
  return wheel ? String.fromCodePoint(moved(wheel, -wheel.step)) : char
}

function codeOf(char: string): number {
  return char.codePointAt(0) ?? 0
}

function sumOf(key: Uint8Array): number {
  return key.reduce((sum, byte) => sum + byte, 0)
}
