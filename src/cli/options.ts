// The options of a command as they were written. cac checks that they exist and have values, but reads what looks like a
// number as one, which names of devices and files are not; so values are taken from the command line itself.
import { usageError } from './output.ts'

export class Options {
  readonly #parsed: Record<string, unknown>
  readonly #written: readonly string[]

  constructor(parsed: Record<string, unknown>, written: readonly string[] = process.argv.slice(2)) {
    this.#parsed = parsed
    this.#written = written
    if ((parsed['--'] as unknown[] | undefined)?.length) throw usageError('Nothing may stand after "--".')
  }

  flag(name: string): boolean {
    return this.#parsed[name] === true
  }

  /** `--no-NAME` was given. */
  isOff(name: string): boolean {
    return this.#parsed[name] === false
  }

  /** Null where it was not given. `short`: the letter that stands for it, too. */
  text(name: string, short?: string): string | null {
    const values = this.texts(name, short)
    if (values.length > 1) throw usageError(`--${name} may be given once.`)
    return values[0] ?? null
  }

  /** What stands between commas; null where it was not given. */
  list(name: string): string[] | null {
    return (
      this.text(name)
        ?.split(',')
        .map((one) => one.trim()) ?? null
    )
  }

  /** As often as it was given. */
  texts(name: string, short?: string): string[] {
    const values = this.#written.flatMap((word, place) => {
      if (word === `--${name}` || word === `-${short}`) return [this.#written[place + 1] ?? '']
      return word.startsWith(`--${name}=`) ? [word.slice(name.length + 3)] : []
    })
    if (values.includes('')) throw usageError(`--${name} needs a value.`)
    return values
  }

  integer(name: string, byDefault: number, least: number, most: number): number {
    const text = this.text(name)
    if (text === null) return byDefault
    const value = Number(text)
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw usageError(`--${name} is a whole number from ${least} to ${most}, and this is "${text}".`)
    return value
  }

  choice<Choice extends string>(name: string, byDefault: Choice, choices: readonly Choice[]): Choice {
    const text = this.text(name) ?? byDefault
    const chosen = choices.find((choice) => choice === text)
    if (chosen === undefined) throw usageError(`--${name} is ${choices.join(' or ')}, and this is "${text}".`)
    return chosen
  }
}
