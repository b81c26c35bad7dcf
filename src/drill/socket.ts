// What a file descriptor of a script stands for. Calls come with their arguments read; null means that the call would block.
import type { Value } from './script.ts'

/** What a call came to; `filled` are values that it gave by its arguments, beside those that are expected. */
export interface Outcome {
  readonly value: number
  readonly error: string | null
  readonly filled?: readonly {
    readonly what: string
    readonly expected: Value | undefined
    readonly got: number | string
  }[]
}

export type Attempt = () => Outcome | null

export function done(value = 0): Outcome {
  return { value, error: null }
}

export function failed(error: string): Outcome {
  return { value: -1, error }
}

export interface Socket {
  isNonBlocking: boolean
  /** The number that tcp_info has for a socket without a connection. */
  readonly state: number
  bind(address: string | null, port: number): Outcome
  listen(backlog: number): Outcome
  connect(address: string | null, port: number): Attempt
  accept(): Socket | null
  read(length: number, flags: ReadonlySet<string>): Outcome | null
  write(length: number, flags: ReadonlySet<string>, to: { address: string | null; port: number } | null): Attempt
  shutdown(how: string): Outcome
  close(): Attempt
  setOption(level: string, name: string, value: Value): Outcome
  getOption(level: string, name: string): number | string
  control(request: string): number
  /** Names of poll's events that are true now. */
  readiness(): Set<string>
}
