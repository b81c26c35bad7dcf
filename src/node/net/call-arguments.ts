// How `connect` and `listen` may be called: `(options[, callback])`, `(port[, host][, …][, callback])`, `(path[, callback])`.
// What is sorted once is marked, so that `connect` may hand it on.

export type Callback = (...args: unknown[]) => void
// biome-ignore lint/suspicious/noExplicitAny: options come from anybody, and are checked where they are read
export type AnyOptions = Record<string, any>

const SORTED = Symbol('sorted')
export type SortedArguments = [options: AnyOptions, callback: Callback | null] & { [SORTED]?: true }

export function sortArguments(args: readonly unknown[]): SortedArguments {
  const [first, second] = args
  if (Array.isArray(first) && (first as SortedArguments)[SORTED]) return first as SortedArguments
  let options: AnyOptions = {}
  if (typeof first === 'object' && first !== null) options = first
  else if (isPath(first)) options.path = first
  else if (args.length > 0) {
    options.port = first
    if (args.length > 1 && typeof second === 'string') options.host = second
  }
  const last = args.at(-1)
  const sorted: SortedArguments = [options, typeof last === 'function' ? (last as Callback) : null]
  sorted[SORTED] = true
  return sorted
}

/** Whatever is no number names a pipe. */
export function isPath(value: unknown): boolean {
  return typeof value === 'string' && toNumber(value) === false
}

export function toNumber(value: unknown): number | false {
  const number = Number(value)
  return number >= 0 ? number : false
}
