// Arguments and results of system calls, read: numbers, names, `A | B`, texts, lists, structures, `htons(…)`, and `...` for whatever.
import type { Scanner } from './scanner.ts'
import type { CallSpec, Value } from './script.ts'

const ANY: Value = { kind: 'any' }
const NUMBER = /[+-]?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?)/y
const NAME = /[A-Za-z_]\w*/y

/** `name(arguments) = result`. */
export function readCall(scanner: Scanner): CallSpec {
  const name = scanner.need(NAME, 'the name of a system call')[0]
  scanner.need(/\(/y, 'a "("')
  const args = readItems(scanner, /\)/y, ')')
  scanner.need(/=/y, 'a "=" with the result')
  const result = scanner.take(/\?/y) === null ? readValue(scanner) : ANY
  const error = scanner.take(/E[A-Z0-9]+\b/y)?.[0] ?? null
  // "(Connection refused)" and "(flags O_RDWR)" are for readers.
  scanner.take(/\([^)\n]*\)/y)
  return { name, args, result, error }
}

export function readValue(scanner: Scanner): Value {
  const parts = [readOne(scanner)]
  while (scanner.take(/\|(?!\|)/y) !== null) parts.push(readOne(scanner))
  return parts.length === 1 ? parts[0] : { kind: 'or', parts }
}

function readOne(scanner: Scanner): Value {
  if (scanner.take(/\.\.\.|\*/y) !== null) return ANY
  const number = scanner.take(NUMBER)
  if (number !== null) return { kind: 'number', value: Number(number[0]) }
  const text = scanner.take(/"((?:[^"\\]|\\.)*)"/y)
  if (text !== null) return { kind: 'text', text: unescaped(text[1]) }
  if (scanner.take(/\[/y) !== null) return { kind: 'list', items: readItems(scanner, /\]/y, ']') }
  if (scanner.take(/\{/y) !== null) return { kind: 'struct', fields: readFields(scanner) }
  const name = scanner.need(NAME, 'a value')[0]
  if (scanner.take(/\(/y) === null) return { kind: 'symbol', name }
  return { kind: 'apply', name, args: readItems(scanner, /\)/y, ')') }
}

function readItems(scanner: Scanner, end: RegExp, written: string): Value[] {
  const items: Value[] = []
  if (scanner.take(end) !== null) return items
  do items.push(readValue(scanner))
  while (scanner.take(/,/y) !== null)
  scanner.need(end, `a "${written}"`)
  return items
}

/** `{name=value, …}`; also `{name(16)=…}` as messages have it, and values without a name, which are numbered. */
function readFields(scanner: Scanner): Map<string, Value> {
  const fields = new Map<string, Value>()
  while (scanner.take(/\}/y) === null) {
    const name = scanner.take(/([A-Za-z_]\w*)\s*(?:\([^)=]*\)\s*)?=/y)
    fields.set(name?.[1] ?? String(fields.size), readValue(scanner))
    if (scanner.take(/,/y) === null && !scanner.sees(/\}/y)) scanner.fail('here should be a "," or a "}"')
  }
  return fields
}

const ESCAPED: Record<string, string> = { n: '\n', r: '\r', t: '\t', 0: '\0' }

function unescaped(text: string): string {
  return text.replace(/\\x([0-9a-fA-F]{2})|\\(.)/g, (_, hex: string | undefined, letter: string) =>
    hex === undefined ? (ESCAPED[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16)),
  )
}

// What the calls ask of values.

/** The value as a number; null where it is none. Names are looked up. */
export function numberOf(value: Value | undefined, symbols: Readonly<Record<string, number>> = {}): number | null {
  switch (value?.kind) {
    case 'number':
      return value.value
    case 'symbol':
      return symbols[value.name] ?? null
    case 'or': {
      let all = 0
      for (const part of value.parts) {
        const one = numberOf(part, symbols)
        if (one === null) return null
        all |= one
      }
      return all
    }
    case 'apply':
      return value.name === 'htons' || value.name === 'htonl' ? numberOf(value.args[0], symbols) : null
    default:
      return null
  }
}

/** The names that are joined by `|`; a number is written out. */
export function namesOf(value: Value | undefined): Set<string> {
  if (value === undefined || value.kind === 'any') return new Set()
  if (value.kind === 'or') return new Set(value.parts.flatMap((part) => [...namesOf(part)]))
  if (value.kind === 'symbol') return new Set([value.name])
  if (value.kind === 'number') return value.value === 0 ? new Set() : new Set([String(value.value)])
  return new Set()
}

export function describeValue(value: Value): string {
  switch (value.kind) {
    case 'any':
      return '...'
    case 'number':
      return String(value.value)
    case 'symbol':
      return value.name
    case 'or':
      return value.parts.map(describeValue).join('|')
    case 'text':
      return JSON.stringify(value.text)
    case 'list':
      return `[${value.items.map(describeValue).join(', ')}]`
    case 'struct':
      return `{${[...value.fields].map(([name, field]) => `${name}=${describeValue(field)}`).join(', ')}}`
    case 'apply':
      return `${value.name}(${value.args.map(describeValue).join(', ')})`
  }
}
