// Walks over a script's text: a pattern at a time, over white space and comments, knowing the line. Used by the parsers of drill.
import { ScriptError } from './script.ts'

/** White space, comments of C and C++, and lines that begin with `#`. */
const BLANK = /(?:\s+|\/\/[^\n]*|\/\*[\s\S]*?\*\/|(?<=^|\n)#[^\n]*)*/y

export class Scanner {
  readonly text: string
  at = 0
  /** Where what was taken last ends: before blanks. */
  end = 0
  #countedTo = 0
  #line = 1

  constructor(text: string) {
    this.text = text
  }

  /** The line where the scanner stands; it only goes on. */
  get line(): number {
    for (; this.#countedTo < this.at; this.#countedTo++) if (this.text[this.#countedTo] === '\n') this.#line++
    return this.#line
  }

  skip(): void {
    BLANK.lastIndex = this.at
    BLANK.test(this.text)
    this.at = BLANK.lastIndex
  }

  get isAtEnd(): boolean {
    this.skip()
    return this.at >= this.text.length
  }

  /** Whether the text goes on like this, after blanks. The pattern must be sticky. */
  sees(pattern: RegExp): boolean {
    this.skip()
    pattern.lastIndex = this.at
    return pattern.test(this.text)
  }

  /** Takes what the sticky pattern finds, after blanks; null where it finds nothing. */
  take(pattern: RegExp): RegExpExecArray | null {
    this.skip()
    pattern.lastIndex = this.at
    const found = pattern.exec(this.text)
    if (found !== null) this.at = this.end = pattern.lastIndex
    return found
  }

  need(pattern: RegExp, what: string): RegExpExecArray {
    return this.take(pattern) ?? this.fail(`here should be ${what}`)
  }

  fail(message: string): never {
    const rest = this.text.slice(this.at, this.at + 30).split('\n')[0]
    throw new ScriptError(this.line, rest === '' ? `${message}, and the script ends` : `${message}: "${rest}"`)
  }
}
