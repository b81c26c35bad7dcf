// What commands say and how they end: data on stdout, words on stderr, one sentence for an error, and the exit codes.

/** Documented in every command's help. */
export const Exit = { done: 0, failed: 1, usage: 2, missing: 3, taken: 4 } as const
export type ExitCode = (typeof Exit)[keyof typeof Exit]

export const EXIT_CODES = [
  '  0  done',
  '  1  failed',
  '  2  the command line makes no sense',
  '  3  a privilege, a device, a namespace or the native addon is missing',
  '  4  a device, an address or a port is in use by somebody else',
].join('\n')

/** Ends a command: its message is the one sentence that is printed. */
export class CommandError extends Error {
  readonly exitCode: ExitCode

  constructor(exitCode: ExitCode, message: string) {
    super(message)
    this.name = 'CommandError'
    this.exitCode = exitCode
  }
}

export function usageError(message: string): CommandError {
  return new CommandError(Exit.usage, message)
}

/** Words, on stderr. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

/** Data, on stdout. */
export function tell(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function tellJson(value: unknown): void {
  tell(JSON.stringify(value))
}

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow'
const CODES: Record<Style, number> = { bold: 1, dim: 2, green: 32, red: 31, yellow: 33 }

/** Colours, where the stream is a terminal and NO_COLOR does not forbid them. */
export function styled(text: string, style: Style, stream: NodeJS.WriteStream = process.stderr): string {
  const { NO_COLOR = '', TERM = '' } = process.env
  if (!stream.isTTY || NO_COLOR !== '' || TERM === 'dumb') return text
  return `\u001b[${CODES[style]}m${text}\u001b[0m`
}

/** Errno names and our own codes that mean that something is missing here, or in use. */
const MISSING = new Set([
  'EPERM',
  'EACCES',
  'ENOENT',
  'ENXIO',
  'ENODEV',
  'ENOSYS',
  'ENOTTY',
  'EBADFD',
  'ERR_TUN_ADDON',
  'ERR_TUN_PLATFORM',
])
const TAKEN = new Set(['EBUSY', 'EEXIST', 'EADDRINUSE', 'addressInUse'])

/** The exit code that an error of the system, of a TUN device or of a socket stands for. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof CommandError) return error.exitCode
  const { code, reason, path } = error as { code?: string; reason?: string; path?: string }
  // A file that somebody has named, no part of the system.
  if (code === 'ENOENT' && path !== undefined) return Exit.failed
  const name = code ?? reason ?? ''
  if (MISSING.has(name)) return Exit.missing
  if (TAKEN.has(name)) return Exit.taken
  return name === 'ERR_INVALID_ARG_VALUE' ? Exit.usage : Exit.failed
}

/** The name of what failed, for errors that were expected; our own mistakes have none. */
export function isExpected(error: unknown): error is Error {
  if (!(error instanceof Error)) return false
  return error instanceof CommandError || 'code' in error || 'reason' in error
}
