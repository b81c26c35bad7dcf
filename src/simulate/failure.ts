// What a failure inside `network.run` says beside its own words: how to see it again, when it happened, what had happened before, and
// where the packets are. Put behind the error's message, so that every test runner prints it.
import { describeTime, type Timeline } from './timeline.ts'

/** Happenings that are told. */
const LAST_WORDS = 12

export interface FailureContext {
  readonly seed: number | string
  readonly now: number
  readonly timeline: Timeline
  /** Writes what was captured somewhere, and says where; null where nothing was, or nothing can be. */
  keep(): string | null
}

const told = new WeakSet<object>()

/** The same error, which says more. What is no error is left alone. An error is told of once, in the innermost run that it leaves. */
export function explain(error: unknown, context: FailureContext): unknown {
  if (!(error instanceof Error) || told.has(error)) return error
  told.add(error)
  // Some runners write the stack when it is first asked for, with the message of that time.
  const { message: before, stack } = error
  const message = `${before}\n\n${circumstances(context)}`
  try {
    Object.defineProperty(error, 'message', { value: message, configurable: true, writable: true, enumerable: false })
    if (typeof stack === 'string' && before !== '') error.stack = stack.replace(before, () => message)
  } catch {
    // It is frozen: it says what it says.
  }
  return error
}

function circumstances({ seed, now, timeline, keep }: FailureContext): string {
  const lines = timeline.lastWords(LAST_WORDS)
  const path = keep()
  return [
    `This was seed ${JSON.stringify(seed)}, at ${describeTime(now)} of virtual time.`,
    ...(lines.length > 0 ? ['The last that happened:', ...lines.map((line) => `  ${line}`)] : []),
    ...(path === null ? [] : [`The packets, for Wireshark: ${path}`]),
  ].join('\n')
}
