/** Flags of a printf directive. */
export interface Flags {
  readonly minus: boolean
  readonly plus: boolean
  readonly sharp: boolean
  readonly space: boolean
  readonly zero: boolean
  readonly width: number | undefined
  readonly precision: number | undefined
}

/** Fills up to the width, counted in code points. */
export function padded(text: string, flags: Flags): string {
  const missing = (flags.width ?? 0) - Array.from(text).length
  if (missing <= 0) return text
  return flags.minus ? text + ' '.repeat(missing) : (flags.zero ? '0' : ' ').repeat(missing) + text
}

/** Zeros go between the sign and the digits. */
function zeroPadded(lead: string, digits: string, flags: Flags): string {
  if (flags.zero && flags.width !== undefined) return lead + digits.padStart(flags.width - lead.length, '0')
  return padded(lead + digits, flags)
}

function sign(negative: boolean, flags: Flags): string {
  return negative ? '-' : flags.plus ? '+' : flags.space ? ' ' : ''
}

const bases: Readonly<Record<string, readonly [base: number, prefix: string]>> = {
  d: [10, ''],
  v: [10, ''],
  b: [2, '0b'],
  o: [8, '0'],
  O: [8, '0o'],
  x: [16, '0x'],
  X: [16, '0X'],
}

/** An integer by one of the verbs `bcdoOqxXUv`; undefined for others. */
export function formatInteger(value: bigint, verb: string, flags: Flags): string | undefined {
  const [base, prefix] = bases[verb] ?? []
  if (base === undefined || prefix === undefined) return undefined
  let digits = (value < 0n ? -value : value).toString(base)
  if (verb === 'X') digits = digits.toUpperCase()
  const { precision } = flags
  if (precision !== undefined) digits = precision === 0 && value === 0n ? '' : digits.padStart(precision, '0')
  const lead = sign(value < 0n, flags) + (flags.sharp || verb === 'O' ? prefix : '')
  return zeroPadded(lead, digits, precision === undefined ? flags : { ...flags, zero: false })
}

/** A float by one of the verbs `eEfFgGv`; undefined for others. */
export function formatFloat(value: number, verb: string, flags: Flags): string | undefined {
  if (!'vgGeEfF'.includes(verb)) return undefined
  const finite = Number.isFinite(value)
  const text = finite
    ? floatText(Math.abs(value), verb === 'v' ? 'g' : verb, flags.precision)
    : Number.isNaN(value)
      ? 'NaN'
      : 'Inf'
  const lead = value === Infinity && !flags.space ? '+' : sign(value < 0 || Object.is(value, -0), flags)
  return zeroPadded(lead, text, finite ? flags : { ...flags, zero: false })
}

/**
 * A float as Go writes it by `e`, `f` or `g` (upper case for capitals): exponents have two digits, and the shortest form
 * uses one below 1e-4 and from 1e6 on.
 */
export function floatText(value: number, verb: string, precision: number | undefined): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf'
  const kind = verb.toLowerCase()
  const exact = Math.min(precision ?? 6, 100)
  const text =
    kind === 'f' ? value.toFixed(exact) : kind === 'e' ? value.toExponential(exact) : general(value, precision)
  const written = text.replace(/e([+-])(\d)$/, 'e$10$2')
  return verb === kind ? written : written.toUpperCase()
}

function general(value: number, precision: number | undefined): string {
  const digits = precision === undefined ? undefined : Math.max(1, Math.min(precision, 100))
  const exponential = value.toExponential(digits === undefined ? undefined : digits - 1)
  const exponent = value === 0 ? 0 : Number(exponential.split('e')[1])
  if (exponent < -4 || exponent >= (digits ?? 6)) return trimmed(exponential, digits)
  return trimmed(digits === undefined ? String(value) : value.toPrecision(digits), digits)
}

/** With a precision, zeros at the end are left out. */
function trimmed(text: string, digits: number | undefined): string {
  return digits !== undefined && text.includes('.') ? text.replace(/\.?0+(?=e|$)/, '') : text
}
