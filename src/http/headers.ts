// Header fields: those that were received are looked up in its octets when somebody asks; those to be sent are a flat list.
// Both have the names of the web's `Headers`.
import { CR, isTokenText, isValueText, isWord, latin1, SPACE, TAB } from './octets.ts'

export type HeadersInit =
  | Readonly<Record<string, string | readonly string[]>>
  | Iterable<readonly [string, string]>
  | ReceivedHeaders
  | HeaderFields

export class ReceivedHeaders {
  readonly #bytes: Uint8Array
  readonly #start: number
  readonly #end: number

  /** The octets are whole lines, checked, and nobody changes them. */
  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes
    this.#start = start
    this.#end = end
  }

  /** A field that was sent several times is one, with commas between (RFC 9110 §5.3). */
  get(name: string): string | null {
    const wanted = name.toLowerCase()
    const bytes = this.#bytes
    let found: string | null = null
    for (let at = this.#start; at < this.#end; ) {
      const end = lineEnd(bytes, at)
      if (bytes[at + wanted.length] === 58 && isWord(bytes, at, at + wanted.length, wanted)) {
        const value = valueBetween(bytes, at + wanted.length + 1, end)
        // RFC 9113 §8.2.3 has the one for cookies, which are no list.
        found = found === null ? value : `${found}${wanted === 'cookie' ? '; ' : ', '}${value}`
      }
      at = end + 2
    }
    return found
  }

  has(name: string): boolean {
    return this.get(name) !== null
  }

  /** Each line as it came, its name in lower case. */
  *entries(): IterableIterator<[string, string]> {
    const bytes = this.#bytes
    for (let at = this.#start; at < this.#end; ) {
      const end = lineEnd(bytes, at)
      const colon = bytes.indexOf(58, at)
      yield [latin1(bytes, at, colon).toLowerCase(), valueBetween(bytes, colon + 1, end)]
      at = end + 2
    }
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries()
  }

  forEach(callback: (value: string, name: string) => void): void {
    for (const [name, value] of this) callback(value, name)
  }
}

function lineEnd(bytes: Uint8Array, start: number): number {
  let at = start
  while (bytes[at] !== CR) at++
  return at
}

function valueBetween(bytes: Uint8Array, from: number, to: number): string {
  let start = from
  let end = to
  while (start < end && (bytes[start] === SPACE || bytes[start] === TAB)) start++
  while (end > start && (bytes[end - 1] === SPACE || bytes[end - 1] === TAB)) end--
  return latin1(bytes, start, end)
}

export class HeaderFields {
  /** Names and values by turns. Names are as they were written; they are compared without regard to case. */
  readonly list: string[] = []

  constructor(init?: HeadersInit) {
    if (init === undefined) return
    if (Symbol.iterator in init) for (const [name, value] of init) this.append(name, value)
    else {
      for (const name in init) {
        const value = init[name]
        if (typeof value === 'string') this.append(name, value)
        else for (const one of value) this.append(name, one)
      }
    }
  }

  get(name: string): string | null {
    const { list } = this
    let found: string | null = null
    for (let place = 0; place < list.length; place += 2) {
      if (isSame(list[place], name)) found = found === null ? list[place + 1] : `${found}, ${list[place + 1]}`
    }
    return found
  }

  has(name: string): boolean {
    return this.get(name) !== null
  }

  append(name: string, value: string): this {
    if (!isTokenText(name)) throw new TypeError(`'${name}' is no name of a header field`)
    if (!isValueText(value))
      throw new TypeError(`the value of the header field '${name}' has characters that may not stand there`)
    this.list.push(name, value)
    return this
  }

  set(name: string, value: string): this {
    this.delete(name)
    return this.append(name, value)
  }

  delete(name: string): void {
    const { list } = this
    for (let place = list.length - 2; place >= 0; place -= 2) if (isSame(list[place], name)) list.splice(place, 2)
  }

  *entries(): IterableIterator<[string, string]> {
    for (let place = 0; place < this.list.length; place += 2) yield [this.list[place], this.list[place + 1]]
  }

  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries()
  }
}

function isSame(one: string, other: string): boolean {
  return one === other || (one.length === other.length && one.toLowerCase() === other.toLowerCase())
}
