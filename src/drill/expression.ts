// `%{ assert tcpi_snd_cwnd == 10, tcpi_snd_cwnd }%`: a small part of Python, read and reckoned here, never handed to anybody's `eval`.
// Assertions, assignments to names, numbers, comparisons (chained too), arithmetic, bits, and/or/not, and a few functions.
import { Unsupported } from './script.ts'

/** What a name stands for; undefined where it is not known. */
export type Lookup = (name: string) => number | string | undefined
type Result = number | string

export interface Assertion {
  readonly text: string
  readonly isTrue: boolean
  /** What stands after the comma, reckoned; null where nothing does. */
  readonly told: string | null
}

const TOKEN =
  /\s*(?:(\d+(?:\.\d+)?|\.\d+)(?![\w.])|(0[xX][0-9a-fA-F]+)|([A-Za-z_]\w*)|("[^"]*"|'[^']*')|(\*\*|\/\/|<<|>>|[<>=!]=|[-+*/%&|^~<>(),=]))/y
const FUNCTIONS: Readonly<Record<string, (...values: number[]) => number>> = {
  abs: Math.abs,
  min: Math.min,
  max: Math.max,
  int: Math.trunc,
  round: Math.round,
}
/** From loosest to tightest; comparisons and the words stand apart. */
const BINARY: readonly Readonly<Record<string, (left: number, right: number) => number>>[] = [
  { '|': (left, right) => Number(BigInt(left) | BigInt(right)) },
  { '^': (left, right) => Number(BigInt(left) ^ BigInt(right)) },
  { '&': (left, right) => Number(BigInt(left) & BigInt(right)) },
  { '<<': (left, right) => left * 2 ** right, '>>': (left, right) => Math.floor(left / 2 ** right) },
  { '+': (left, right) => left + right, '-': (left, right) => left - right },
  {
    '*': (left, right) => left * right,
    '/': (left, right) => left / right,
    '//': (left, right) => Math.floor(left / right),
    '%': (left, right) => left - right * Math.floor(left / right),
  },
]
const COMPARISONS: Readonly<Record<string, (left: Result, right: Result) => boolean>> = {
  '==': (left, right) => left === right,
  '!=': (left, right) => left !== right,
  '<': (left, right) => left < right,
  '<=': (left, right) => left <= right,
  '>': (left, right) => left > right,
  '>=': (left, right) => left >= right,
}

/** Runs the statements of a block; what its assertions came to. */
export function assertAll(code: string, lookup: Lookup): Assertion[] {
  const variables = new Map<string, Result>()
  const find: Lookup = (name) => variables.get(name) ?? lookup(name)
  const assertions: Assertion[] = []
  for (const statement of statementsOf(code)) {
    const reader = new Reader(statement, find)
    if (reader.takeWord('assert')) {
      const isTrue = truth(reader.expression())
      const told = reader.take(',') ? String(reader.expression()) : null
      assertions.push({ text: statement, isTrue, told })
    } else if (/^print\b/.test(statement)) continue
    else {
      const name = /^([A-Za-z_]\w*)\s*=(?!=)/.exec(statement)
      if (name === null) throw new Unsupported(`"${statement}" is not a statement that is known`)
      const value = new Reader(statement.slice(name[0].length), find)
      variables.set(name[1], value.expression())
      value.end()
      continue
    }
    reader.end()
  }
  return assertions
}

/** Lines and `;` end statements, unless a parenthesis is open. */
function statementsOf(code: string): string[] {
  const statements: string[] = ['']
  let depth = 0
  for (const letter of code.replace(/\\\r?\n/g, ' ').replace(/#[^\n]*/g, '')) {
    if (letter === '(') depth++
    if (letter === ')') depth--
    if (depth === 0 && (letter === '\n' || letter === ';')) statements.push('')
    else statements[statements.length - 1] += letter === '\n' ? ' ' : letter
  }
  return statements.map((statement) => statement.trim()).filter((statement) => statement !== '')
}

/** A word of a script must find nothing that objects have by themselves. */
function ownOf<Kind>(table: Readonly<Record<string, Kind>>, name: string | undefined): Kind | undefined {
  return name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined
}

function truth(value: Result): boolean {
  return value !== 0 && value !== ''
}

class Reader {
  readonly #text: string
  readonly #lookup: Lookup
  readonly #tokens: string[] = []
  #at = 0

  constructor(text: string, lookup: Lookup) {
    this.#text = text
    this.#lookup = lookup
    TOKEN.lastIndex = 0
    while (TOKEN.lastIndex < text.length && text.slice(TOKEN.lastIndex).trim() !== '') {
      const found = TOKEN.exec(text)
      if (found === null) throw new Unsupported(`"${text}" is not an expression that is known`)
      this.#tokens.push(found[0].trim())
    }
  }

  take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false
    this.#at++
    return true
  }

  takeWord(word: string): boolean {
    return this.take(word)
  }

  end(): void {
    if (this.#at < this.#tokens.length) this.#fail()
  }

  expression(): Result {
    let value = this.#and()
    while (this.take('or')) {
      const right = this.#and()
      value = truth(value) ? value : right
    }
    return value
  }

  #and(): Result {
    let value = this.#not()
    while (this.take('and')) {
      const right = this.#not()
      value = truth(value) ? right : value
    }
    return value
  }

  #not(): Result {
    if (this.take('not')) return truth(this.#not()) ? 0 : 1
    return this.#comparison()
  }

  #comparison(): Result {
    let left = this.#binary(0)
    let isTrue: boolean | null = null
    for (;;) {
      const compare = ownOf(COMPARISONS, this.#tokens[this.#at])
      if (compare === undefined) return isTrue === null ? left : Number(isTrue)
      this.#at++
      const right = this.#binary(0)
      isTrue = (isTrue ?? true) && compare(left, right)
      left = right
    }
  }

  #binary(level: number): Result {
    if (level === BINARY.length) return this.#unary()
    let left = this.#binary(level + 1)
    for (;;) {
      const operation = ownOf(BINARY[level], this.#tokens[this.#at])
      if (operation === undefined) return left
      this.#at++
      left = operation(this.#number(left), this.#number(this.#binary(level + 1)))
    }
  }

  #unary(): Result {
    if (this.take('-')) return -this.#number(this.#unary())
    if (this.take('+')) return this.#number(this.#unary())
    if (this.take('~')) return ~this.#number(this.#unary())
    return this.#primary()
  }

  #primary(): Result {
    const token = this.#tokens[this.#at++]
    if (token === undefined) this.#fail()
    if (token === '(') {
      const value = this.expression()
      if (!this.take(')')) this.#fail()
      return value
    }
    if (/^[\d.]/.test(token)) return Number(token)
    if (/^["']/.test(token)) return token.slice(1, -1)
    if (!/^[A-Za-z_]/.test(token)) this.#fail()
    if (this.take('(')) return this.#apply(token)
    if (token === 'True' || token === 'False') return Number(token === 'True')
    const value = this.#lookup(token)
    if (value === undefined) throw new Unsupported(`"${token}" is not known in an assertion`)
    return value
  }

  #apply(name: string): number {
    const operation = ownOf(FUNCTIONS, name)
    if (operation === undefined) throw new Unsupported(`the function "${name}" is not known in an assertion`)
    const values: number[] = []
    if (!this.take(')')) {
      do values.push(this.#number(this.expression()))
      while (this.take(','))
      if (!this.take(')')) this.#fail()
    }
    return operation(...values)
  }

  #number(value: Result): number {
    return typeof value === 'number' ? value : this.#fail()
  }

  #fail(): never {
    throw new Unsupported(`"${this.#text}" is not an expression that is known`)
  }
}
